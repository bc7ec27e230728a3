"""Salesforce: collections upserted by an external id field, many rows by Bulk API 2.

A collection's results come by place, without a key: where they could be misplaced, the records themselves are asked.
A thin client instead of simple-salesforce: docs/decisions/0012-thin-crm-clients.md.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import BatchRefused, ChannelStopped, Found, Record, SlowDown, Standing, Verdict
from tasks.outbound.crm.mapping import MergeMapping, ObjectMapping, RefusalMapping
from tasks.outbound.crm.network import MOVED, NetworkConnector, assert_allowed, checked_name, dead
from tasks.outbound.crm.salesforce_pull import SalesforceChanges, checked_id, zone
from tasks.outbound.crm.session import Auth, Grant, Pace, secrets
from tasks.outbound.crm.values import as_text, as_typed, iso_time
from tasks.outbound.crm.walk import Fetch, Reading
from tasks.outbound.crm.wire import Answer, Wire, check_answer, hide

VERSION = "v62.0"
_DATA = f"/services/data/{VERSION}"
_TRY_AGAIN = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT"})
_DUPLICATE = frozenset({"DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"})
_RECORD_ID = re.compile(r"\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")
_WITH_ID = re.compile(r"(?:with id: |Existing ID: |/)([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)\b")
_RUNNING = ("Open", "UploadComplete", "InProgress")
_KEYS_A_QUERY = 200
_LONGEST_JOB_POLLS = 120
DAY_SECONDS = 86_400.0


class SalesforceConnector(NetworkConnector):
    """One org. Credentials: SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET (client credentials); url: My Domain."""

    kind = "salesforce"
    batch_size = 200
    bulk_size = 10_000
    bulk_from = 2_000

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._changes = SalesforceChanges(lambda soql: self._query(soql, deleted=True))

    def _auth(self, environment: Mapping[str, str]) -> Auth:
        client, secret = secrets(environment, "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")
        asked = urlencode({"grant_type": "client_credentials", "client_id": client, "client_secret": secret}).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        def fetch(wire: Wire) -> Answer:
            return wire.call("POST", "/services/oauth2/token", asked, form)

        return Grant(fetch, lambda body: {"Authorization": f"Bearer {body['access_token']}"}, Pace(10, 60, self._pause))

    def _account(self) -> tuple[str, tuple[str, ...]]:
        rows = self._query("SELECT Id, IsSandbox FROM Organization")
        if len(rows) != 1:
            raise CrmUnreachable(said("crm_org_unknown"))
        return str(rows[0]["Id"]), ((said("crm_note_sandbox"),) if rows[0].get("IsSandbox") else ())

    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        told = self._session.read("GET", f"{_DATA}/sobjects/{checked_name(mapping.to)}/describe", None, _json_of)
        rows = told.get("fields") if isinstance(told, dict) else None
        return frozenset(str(one.get("name")) for one in rows) if rows else None

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        """By our external id; a query sees every committed record."""
        mapping = self._object(object_name)
        columns = ["Id", mapping.key, "LastModifiedDate", *self._fields_of(object_name)]
        found: dict[str, Found] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            asked = keys[start : start + _KEYS_A_QUERY]
            listed = ", ".join(_literal(key) for key in asked)
            soql = f"SELECT {', '.join(columns)} FROM {mapping.to} WHERE {mapping.key} IN ({listed})"
            for row in self._query(soql):
                key = row.get(mapping.key)
                if key not in asked:
                    raise CrmUnreachable(said("crm_other_records"))
                fields = self._read_fields(object_name, row)
                found.setdefault(
                    str(key), Found(str(row.get("Id")), fields, iso_time(zone(row.get("LastModifiedDate"))))
                )
        return found

    def _query(self, soql: str, deleted: bool = False) -> list[dict[str, Any]]:
        """All rows of a query; more pages than the first are read too."""
        path = f"{_DATA}/{'queryAll' if deleted else 'query'}?q={quote(soql)}"
        rows: list[dict[str, Any]] = []
        for _ in range(10_000):
            told = self._session.read("GET", path, None, _query_page)
            rows += told["records"]
            if told.get("done", True):
                return rows
            path = str(told.get("nextRecordsUrl"))
            if not path.startswith(_DATA + "/query"):
                break
        raise CrmUnreachable(said("crm_query_endless"))

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        """One collection, or one bulk job where there are more records than a collection takes."""
        assert_allowed(records)
        mapping = self._object(object_name)
        moved = [self._linked(mapping, one, one.crm_id, MOVED) for one in records if one.is_moved and one.crm_id]
        records = [one for one in records if not one.is_moved]
        if moved or not records:
            return moved + (self.upsert(object_name, records) if records else [])
        if len(records) > self.batch_size:
            return self._bulk(object_name, mapping, records)
        rows = [self._row(object_name, mapping, record) for record in records]
        path = f"{_DATA}/composite/sobjects/{mapping.to}/{mapping.key}"
        answer = self._session.write("PATCH", path, {"allOrNone": False, "records": rows})
        self._note_limit(answer)
        if answer.status in (200, 201):
            return self._verdicts(object_name, mapping, records, _results(answer, len(records)))
        if len(records) == 1 and (other := _id_in_the_way(answer)):
            return [self._linked(mapping, records[0], other, _words(answer))]
        if _codes(answer) & _DUPLICATE or answer.status == 300:
            raise BatchRefused(_words(answer))
        _check(answer)
        if answer.status == 400:
            raise BatchRefused(_words(answer))
        raise ChannelStopped(said("crm_answered", status=answer.status, words=hide(_words(answer))))

    def _row(self, object_name: str, mapping: ObjectMapping, record: Record) -> dict[str, Any]:
        fields = self._encode(object_name, record.fields, as_typed)
        return {"attributes": {"type": mapping.to}, **mapping.fixed, **fields, mapping.key: record.key}

    def _verdicts(
        self, object_name: str, mapping: ObjectMapping, records: Sequence[Record], results: list[dict[str, Any]]
    ) -> list[Verdict]:
        """All well: nothing can be misplaced. Else each row is believed only where the record itself bears it out."""
        if all(one.get("success") is True for one in results):
            return [Verdict(record.key, "done") for record in records]
        there = self.find(object_name, [record.key for record in records])
        verdicts = []
        for record, result in zip(records, results, strict=True):
            held = there.get(record.key)
            is_applied = held is not None and held.fields is not None and all(
                held.fields.get(name) == value for name, value in record.fields.items()
            )  # fmt: skip
            if is_applied and held is not None:
                verdicts.append(Verdict(record.key, "done", held.crm_id))
            elif result.get("success") is not True:
                verdicts.append(self._refusal(mapping, record, result, len(records) == 1))
        return verdicts

    def _refusal(self, mapping: ObjectMapping, record: Record, result: Mapping[str, Any], is_alone: bool) -> Verdict:
        """What an error says of a row. In company its place proves little: only alone it is final."""
        errors = [one for one in result.get("errors") or [] if isinstance(one, dict)]
        codes = {str(one.get("statusCode")) for one in errors}
        message = "; ".join(f"{one.get('statusCode')}: {one.get('message')}" for one in errors) or "no reason given"
        if codes & _TRY_AGAIN or not errors:
            return Verdict(record.key, "retry", message=message[:1000])
        if not is_alone:
            return self._alone(mapping, record)
        existing = _WITH_ID.search(message) if codes & _DUPLICATE else None
        return self._linked(mapping, record, existing[1], message) if existing else dead(record, message)

    def _alone(self, mapping: ObjectMapping, record: Record) -> Verdict:
        """Ask for one record by itself, so that the answer can only be about it."""
        name = next(ours for ours, theirs in self._mapping.objects.items() if theirs == mapping)
        try:
            verdicts = self.upsert(name, [record])
        except BatchRefused as error:
            return dead(record, error.message)
        return verdicts[0] if verdicts else Verdict(record.key, "retry", message=said("crm_no_word"))

    def _linked(self, mapping: ObjectMapping, record: Record, record_id: str, message: str) -> Verdict:
        """Give a record that people made our key, if it bears none; nothing else of it is touched."""
        if self._policy.on_duplicate == "hold":
            return dead(record, message)
        rows = self._query(f"SELECT Id, {mapping.key} FROM {mapping.to} WHERE Id IN ({_literal(record_id)})")
        bears = [row.get(mapping.key) for row in rows]
        if len(bears) != 1 or bears[0] not in (None, "", record.key):
            return dead(record, said("crm_dead_other", words=message, key=bears[0]) if bears else message)
        link = {"attributes": {"type": mapping.to}, "id": record_id, mapping.key: record.key}
        answer = self._session.write("PATCH", f"{_DATA}/composite/sobjects", {"allOrNone": False, "records": [link]})
        _check(answer)
        (result,) = _results(answer, 1)
        if result.get("success") is not True:
            return Verdict(record.key, "retry", message=message)
        return Verdict(record.key, "linked", record_id, message)

    def _bulk(self, object_name: str, mapping: ObjectMapping, records: Sequence[Record]) -> list[Verdict]:
        """One Bulk API 2 job; its result files bear our key."""
        job = {"object": mapping.to, "externalIdFieldName": mapping.key, "operation": "upsert",
               "contentType": "CSV", "lineEnding": "LF"}  # fmt: skip
        path = f"{_DATA}/jobs/ingest"
        job_id = str(self._job(self._session.write("POST", path, job)).get("id"))
        if not _RECORD_ID.fullmatch(job_id):
            raise CrmUnreachable(said("crm_bulk_no_id"))
        body = self._csv(object_name, mapping, records)
        answer = self._session.write("PUT", f"{path}/{job_id}/batches", body, {"Content-Type": "text/csv"})
        _check(answer)
        if answer.status not in (200, 201):
            raise CrmUnreachable(said("crm_bulk_no_rows", status=answer.status))
        self._job(self._session.write("PATCH", f"{path}/{job_id}", {"state": "UploadComplete"}))
        self._await(f"{path}/{job_id}")
        done = self._rows(f"{path}/{job_id}/successfulResults")
        failed = self._rows(f"{path}/{job_id}/failedResults")
        verdicts = [Verdict(row[mapping.key], "done", row.get("sf__Id")) for row in done if row.get(mapping.key)]
        return verdicts + [_bulk_refusal(row, mapping.key) for row in failed if row.get(mapping.key)]

    def end_left_open(self) -> None:
        """Bulk jobs that upsert by our key and have not ended: one without all its rows is aborted, others are awaited.

        A job that a killed run left would write its older versions over newer ones whenever its turn comes. Our key is
        a field of ours: no other program upserts by it.
        """
        for job_id, state in self._open_jobs():
            path = f"{_DATA}/jobs/ingest/{job_id}"
            if state == "Open":
                # Refused where it has gone on meanwhile: then it is awaited like the others.
                self._session.write("PATCH", path, {"state": "Aborted"})
            self._await(path)

    def _open_jobs(self) -> list[tuple[str, str]]:
        ours = {(mapping.to, mapping.key) for mapping in self._mapping.objects.values()}
        path, found = f"{_DATA}/jobs/ingest?jobType=V2Ingest", []
        for _ in range(10_000):
            told = self._session.read("GET", path, None, _query_page)
            rows = [row for row in told["records"] if row.get("operation") == "upsert" and row.get("state") in _RUNNING]
            for row in rows:
                # The list does not say by which field a job upserts.
                job = self._session.read("GET", f"{_DATA}/jobs/ingest/{checked_id(str(row.get('id')))}", None, _json_of)
                if (job.get("object"), job.get("externalIdFieldName")) in ours and job.get("state") in _RUNNING:
                    found.append((str(row["id"]), str(job["state"])))
            if told.get("done", True):
                return found
            path = str(told.get("nextRecordsUrl"))
            if not path.startswith(f"{_DATA}/jobs/ingest"):
                break
        raise CrmUnreachable(said("crm_bulk_endless"))

    def _csv(self, object_name: str, mapping: ObjectMapping, records: Sequence[Record]) -> bytes:
        """Rows as the job takes them; a cell left empty changes nothing over there."""
        names = sorted({name for record in records for name in record.fields} | mapping.fixed.keys())
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([mapping.key, *names])
        for record in records:
            fields = {**mapping.fixed, **self._encode(object_name, record.fields, as_text)}
            writer.writerow([record.key, *(fields.get(name) for name in names)])
        return out.getvalue().encode()

    def _await(self, path: str) -> None:
        for number in range(_LONGEST_JOB_POLLS):
            state = self._session.read("GET", path, None, _json_of).get("state")
            if state in ("JobComplete", "Failed", "Aborted"):
                return
            self._pause(min(2.0 + number, 30.0))
        raise CrmUnreachable(said("crm_bulk_not_ended"))

    def _rows(self, path: str) -> list[dict[str, str]]:
        return list(self._session.read("GET", path, None, _csv_of))

    def _job(self, answer: Answer) -> dict[str, Any]:
        self._note_limit(answer)
        told = _json_of(answer)
        return told if isinstance(told, dict) else {}

    def _note_limit(self, answer: Answer) -> None:
        match = re.search(r"api-usage=(\d{1,10})/(\d{1,10})", answer.headers.get("sforce-limit-info", ""))
        self._left = max(int(match[2]) - int(match[1]), 0) if match else self._left

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        return self._changes.reading(pulled)

    def _merge_reading(self, name: str, merged: MergeMapping) -> Reading:
        return self._changes.merges(name, merged)

    def _flagged(self, refused: RefusalMapping, flag: str) -> Fetch:
        return self._changes.flagged(refused, flag)

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """By the masters of those that were merged away."""
        mapping = self._object(object_name)
        if object_name not in self._mapping.merges:
            return {}
        return self._changes.standing_for(
            mapping.to, mapping.key, [one for one in crm_ids if _RECORD_ID.fullmatch(one)]
        )


def _literal(value: str) -> str:
    escaped = re.sub(r"(['\\])", r"\\\1", value)
    return f"'{escaped}'"


def _errors(answer: Answer) -> list[dict[str, Any]]:
    try:
        told = answer.json()
    except CrmUnreachable:
        return []
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _codes(answer: Answer) -> set[str]:
    return {str(one.get("errorCode") or one.get("statusCode")) for one in _errors(answer)}


def _words(answer: Answer, most: int = 1000) -> str:
    told = [f"{one.get('errorCode') or one.get('statusCode')}: {one.get('message')}" for one in _errors(answer)]
    return "; ".join(told)[:most] or said("crm_several_over_there", status=answer.status)


def _id_in_the_way(answer: Answer) -> str | None:
    """The one record that a refusal for duplicates names."""
    if answer.status == 300:
        try:
            told = answer.json()
        except CrmUnreachable:
            return None
        urls = [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
        ids = [url.rpartition("/")[2] for url in urls]
        return ids[0] if len(ids) == 1 and _RECORD_ID.fullmatch(ids[0]) else None
    match = _WITH_ID.search(_words(answer)) if _codes(answer) & _DUPLICATE else None
    return match[1] if match else None


def _check(answer: Answer) -> None:
    if "REQUEST_LIMIT_EXCEEDED" in _codes(answer):
        raise SlowDown(said("crm_day_used_up"), DAY_SECONDS)
    check_answer(answer, _words(answer) if _errors(answer) else "")


def _json_of(answer: Answer) -> Any:
    if answer.status not in (200, 201):
        _check(answer)
        raise ChannelStopped(said("crm_answered", status=answer.status, words=hide(_words(answer))))
    return answer.json()


def _query_page(answer: Answer) -> dict[str, Any]:
    told = _json_of(answer)
    rows = told.get("records") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CrmUnreachable(said("crm_query_shape"))
    return dict(told)


def _csv_of(answer: Answer) -> list[dict[str, str]]:
    _check(answer)
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/csv"):
        raise CrmUnreachable(said("crm_bulk_no_result", status=answer.status))
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8", "replace"), newline="")))


def _results(answer: Answer, number: int) -> list[dict[str, Any]]:
    """The results by place. Raises CrmUnreachable where their number is not that of the records."""
    told = answer.json()
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise CrmUnreachable(said("crm_collection_shape"))
    if len(told) != number:
        raise CrmUnreachable(said("crm_results_number", found=len(told), number=number))
    return told


def _bulk_refusal(row: Mapping[str, str], key: str) -> Verdict:
    message = row.get("sf__Error") or "no reason given"
    is_passing = message.split(":")[0] in _TRY_AGAIN
    # A duplicate names its record only when it is asked for alone: it goes with the next round, in a collection.
    is_duplicate = message.split(":")[0] in _DUPLICATE
    return Verdict(row[key], "retry" if is_passing or is_duplicate else "dead", message=message[:1000])
