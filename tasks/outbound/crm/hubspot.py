"""HubSpot: batch upsert by a unique property of ours, verdicts from results and errors, never from the status alone.

A thin client instead of hubspot-api-client: docs/decisions/0012-thin-crm-clients.md.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import BatchRefused, ChannelStopped, Found, Record, Standing, Verdict
from tasks.outbound.crm.hubspot_pull import HubSpotChanges, listed
from tasks.outbound.crm.mapping import MergeMapping, ObjectMapping, RefusalMapping
from tasks.outbound.crm.network import MOVED, NetworkConnector, assert_allowed, checked_name, dead
from tasks.outbound.crm.session import Auth, Grant, NamedKey, Pace, secrets
from tasks.outbound.crm.values import as_text, iso_time
from tasks.outbound.crm.walk import Fetch, Reading
from tasks.outbound.crm.wire import Answer, Wire, check_answer, hide

_EXISTING = re.compile(r"[Ee]xisting (?:object )?ID: ?(\d{1,20})")
_TRY_AGAIN = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})


class HubSpotConnector(NetworkConnector):
    """One account. Credentials: HUBSPOT_TOKEN (private app) or HUBSPOT_REFRESH_TOKEN, _CLIENT_ID and _CLIENT_SECRET."""

    kind = "hubspot"
    batch_size = 100
    # Of what a record is linked to, the vendor lists no fields.
    system_fields = frozenset({"associations"})

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._changes = HubSpotChanges(self._session, _object_of)

    def _auth(self, environment: Mapping[str, str]) -> Auth:
        if not environment.get("HUBSPOT_REFRESH_TOKEN"):
            (token,) = secrets(environment, "HUBSPOT_TOKEN")
            return NamedKey(token)
        names = ("HUBSPOT_REFRESH_TOKEN", "HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET")
        refresh, client, secret = secrets(environment, *names)
        asked = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": client, "client_secret": secret}
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        def fetch(wire: Wire) -> Answer:
            return wire.call("POST", "/oauth/v1/token", urlencode(asked).encode(), form)

        return Grant(fetch, lambda body: {"Authorization": f"Bearer {body['access_token']}"}, Pace(10, 60, self._pause))

    def _account(self) -> tuple[str, tuple[str, ...]]:
        told = self._session.read("GET", "/account-info/v3/details", None, _object_of)
        kind = str(told.get("accountType", "STANDARD"))
        return str(told.get("portalId")), (() if kind == "STANDARD" else (f"this is a {kind} account",))

    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        path = f"/crm/v3/properties/{checked_name(mapping.to)}"
        told = self._session.read("GET", path, None, _object_of)
        names = frozenset(str(one.get("name")) for one in told.get("results", []) if isinstance(one, dict))
        return names or None

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        """By our key, a hundred at a time; reading by a unique property sees every record at once."""
        mapping = self._object(object_name)
        found: dict[str, Found] = {}
        for start in range(0, len(keys), self.batch_size):
            asked = keys[start : start + self.batch_size]
            body = {
                "idProperty": mapping.key,
                "inputs": [{"id": key} for key in asked],
                "properties": [mapping.key, *self._fields_of(object_name)],
                "propertiesWithHistory": [],
            }
            rows = self._read_batch(mapping, body, set(asked), len(asked))
            found |= {key: self._found(object_name, row) for key, row in rows.items()}
        return found

    def _read_batch(
        self, mapping: ObjectMapping, body: dict[str, Any], keys: set[str], number: int
    ) -> dict[str, dict[str, Any]]:
        """Our key → the record, from an answer that accounts for every key asked: told as there, or as not there."""

        def parse(answer: Answer) -> dict[str, dict[str, Any]]:
            told = _object_of(answer)
            rows = [row for row in listed(told, "results") if isinstance(row.get("properties"), dict)]
            by_key = {str(row["properties"].get(mapping.key)): row for row in rows}
            is_whole = len(by_key) == number or any(_category(e) == "OBJECT_NOT_FOUND" for e in listed(told, "errors"))
            if not by_key.keys() <= keys or len(by_key) != len(rows) or not is_whole:
                raise CrmUnreachable(said("crm_other_records"))
            return by_key

        return dict(self._session.read("POST", f"/crm/v3/objects/{mapping.to}/batch/read", body, parse))

    def _found(self, object_name: str, row: Mapping[str, Any]) -> Found:
        properties = row["properties"]
        return Found(str(row.get("id")), self._read_fields(object_name, properties), iso_time(row.get("updatedAt")))

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        """Verdicts from what is told of each record; a record of which nothing is told is of unknown outcome."""
        assert_allowed(records)
        mapping = self._object(object_name)
        moved = [self._linked(mapping, one, one.crm_id, MOVED) for one in records if one.is_moved and one.crm_id]
        records = [one for one in records if not one.is_moved]
        return moved + (self._upsert(object_name, mapping, records) if records else [])

    def _upsert(self, object_name: str, mapping: ObjectMapping, records: Sequence[Record]) -> list[Verdict]:
        inputs = [self._input(object_name, mapping, record) for record in records]
        answer = self._session.write("POST", f"/crm/v3/objects/{mapping.to}/batch/upsert", {"inputs": inputs})
        self._note_limit(answer)
        by_key = {record.key: record for record in records}
        if answer.status in (200, 201, 207):
            return self._verdicts(mapping, _object_of(answer), by_key)
        told = _told(answer)
        existing = _EXISTING.search(told["message"]) if told["category"] == "CONFLICT" else None
        if existing and len(records) == 1:
            return [self._linked(mapping, records[0], existing[1], told["message"])]
        if told["category"] in ("CONFLICT", "VALIDATION_ERROR") or (answer.status == 400 and told["message"]):
            raise BatchRefused(told["message"])
        check_answer(answer, told["message"])
        if answer.status in (404, 405):
            named = {"status": answer.status, "vendor": "HubSpot", "object": mapping.to}
            raise ChannelStopped(said("crm_no_such_object_or_closed", **named))
        raise CrmUnreachable(said("crm_no_word_on_records", status=answer.status))

    def _input(self, object_name: str, mapping: ObjectMapping, record: Record) -> dict[str, Any]:
        properties = self._encode(object_name, record.fields, as_text)
        return {
            "id": record.key,
            "idProperty": mapping.key,
            "objectWriteTraceId": record.key,
            "properties": {**mapping.fixed, **properties, mapping.key: record.key},
        }

    def _verdicts(self, mapping: ObjectMapping, told: Any, records: Mapping[str, Record]) -> list[Verdict]:
        verdicts = []
        for row in listed(told, "results"):
            properties = row.get("properties")
            key = properties.get(mapping.key) if isinstance(properties, dict) else None
            key = key or row.get("objectWriteTraceId")
            if isinstance(key, str):
                verdicts.append(Verdict(key, "done", str(row["id"]) if row.get("id") else None))
        for error in listed(told, "errors"):
            verdicts += [self._refusal(mapping, records.get(key), key, error) for key in _keys_of(error)]
        return verdicts

    def _refusal(self, mapping: ObjectMapping, record: Record | None, key: str, error: Mapping[str, Any]) -> Verdict:
        message = str(error.get("message") or error.get("category"))[:1000]
        if _category(error) in _TRY_AGAIN:
            return Verdict(key, "retry", message=message)
        existing = _EXISTING.search(message) if _category(error) == "CONFLICT" else None
        if existing and record is not None:
            return self._linked(mapping, record, existing[1], message)
        return Verdict(key, "dead", message=message)

    def _linked(self, mapping: ObjectMapping, record: Record, record_id: str, message: str) -> Verdict:
        """Give a record that people made our key, if it bears none; nothing else of it is touched."""
        if self._policy.on_duplicate == "hold":
            return dead(record, message)
        body = {"inputs": [{"id": record_id}], "properties": [mapping.key], "propertiesWithHistory": []}
        path = f"/crm/v3/objects/{mapping.to}/batch"
        rows = self._session.read("POST", f"{path}/read", body, lambda answer: listed(_object_of(answer), "results"))
        bears = [row.get("properties", {}).get(mapping.key) for row in rows if str(row.get("id")) == record_id]
        if len(bears) != 1 or bears[0] not in (None, "", record.key):
            return dead(record, said("crm_dead_other", words=message, key=bears[0]) if bears else message)
        link = {"inputs": [{"id": record_id, "properties": {mapping.key: record.key}}]}
        answer = self._session.write("POST", f"{path}/update", link)
        check_answer(answer)
        written = [row for row in listed(_object_of(answer), "results") if str(row.get("id")) == record_id]
        if answer.status != 200 or not written:
            raise CrmUnreachable(said("crm_no_word_on_link"))
        return Verdict(record.key, "linked", record_id, message)

    def _note_limit(self, answer: Answer) -> None:
        left = answer.headers.get("x-hubspot-ratelimit-daily-remaining", "")
        self._left = int(left) if left.isdigit() and len(left) < 12 else self._left

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        return self._changes.reading(entity, pulled)

    def _merge_reading(self, name: str, merged: MergeMapping) -> Reading:
        return self._changes.merges(name, merged)

    def _flagged(self, refused: RefusalMapping, flag: str) -> Fetch:
        return self._changes.flagged(refused, flag)

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """By their ids, which go on leading to the record that they were merged into."""
        mapping = self._object(object_name)
        return self._changes.standing_for(mapping.to, mapping.key, crm_ids)


def _object_of(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer that went well; else what the answer means is raised."""
    if answer.status not in (200, 201, 207):
        words = _told(answer)["message"]
        check_answer(answer, words)
        code = "crm_answered" if words else "crm_refused_without_words"
        raise ChannelStopped(said(code, status=answer.status, words=hide(words)))
    told = answer.json()
    if not isinstance(told, dict):
        raise CrmUnreachable(said("crm_json_shape", status=answer.status))
    return told


def _told(answer: Answer) -> dict[str, str]:
    """Category and message of an error, empty where the body is none of HubSpot's."""
    try:
        told = answer.json()
    except CrmUnreachable:
        told = {}
    told = told if isinstance(told, dict) else {}
    return {"category": str(told.get("category") or ""), "message": str(told.get("message") or "")[:1000]}


def _category(error: Mapping[str, Any]) -> str:
    return str(error.get("category") or "")


def _keys_of(error: Mapping[str, Any]) -> list[str]:
    """Whom an error is about: the trace id we gave, else the id we sent; both are our key."""
    context = error.get("context")
    for name in ("objectWriteTraceId", "ids", "id"):
        keys = context.get(name) if isinstance(context, dict) else None
        if isinstance(keys, list) and keys and all(isinstance(one, str) for one in keys):
            return list(keys)
    return []
