"""Tryton: an open-source ERP with a CRM, over its JSON-RPC; a lead is a sales opportunity that begins as a lead there.

`url` ends with the name of the database. What happened stands in the body: `result`, or `error` with the kind of the
exception. Written against Tryton 8.2 and tested against the real one (`tests/e2e/test_tryton.py`); nothing of Tryton
(GPL-3) is imported or shipped, it is only spoken to.
"""

import base64
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from abmloop.errors import BadPolicy, CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import FieldType, PullMapping
from tasks.outbound.crm.base import ChannelStopped, Record, Standing, Value
from tasks.outbound.crm.mapping import MergeMapping, ObjectMapping
from tasks.outbound.crm.network import checked_name
from tasks.outbound.crm.session import Auth, Grant, Pace, secrets
from tasks.outbound.crm.singles import LONGEST_LIST, Refusal, SingleRecordConnector
from tasks.outbound.crm.values import read_time
from tasks.outbound.crm.walk import Reading, Row
from tasks.outbound.crm.wire import Answer, Wire, check_answer, hide

# What the server says of the record itself; anything else says nothing of what became of it.
_OF_THE_RECORD = frozenset({"UserError", "UserWarning"})
_TRY_AGAIN = frozenset({"ConcurrencyException"})
_MERGES_IN_A_ROW = 20
_IDS_A_CALL = 1000
_IN_USE_OR_NOT = ["active", "in", [True, False]]
# The id of the opportunity in an order's origin.
ORIGIN = "origin.opportunity"
_JSON = {"Content-Type": "application/json"}
_TIME_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class TrytonConnector(SingleRecordConnector):
    """One database. Credentials: TRYTON_USER and TRYTON_PASSWORD, of a user with a company and, best, an employee."""

    kind = "tryton"
    time_field = "last_modified_at"
    id_field = "id"
    system_fields = frozenset({"id", "create_date", "write_date", "last_modified_at"})

    def __init__(self, *given: Any, **more: Any) -> None:
        self._numbers = itertools.count(1)
        self._context: dict[str, Any] | None = None
        super().__init__(*given, **more)
        # Tryton calls every longer answer packed, and packs it only for who asks for that.
        self._wire.accepts = "gzip"

    def _auth(self, environment: Mapping[str, str]) -> Auth:
        user, password = secrets(environment, "TRYTON_USER", "TRYTON_PASSWORD")
        if not self._wire.path:
            raise BadPolicy(said("crm_url_database"))

        def fetch(wire: Wire) -> Answer:
            body = {"id": 0, "method": "common.db.login", "params": [user, {"password": password}, "en"]}
            return wire.call("POST", "/rpc/", json.dumps(body).encode(), _JSON)

        def accept(body: Any) -> dict[str, str]:
            told = body.get("result") if isinstance(body, dict) else None
            if not isinstance(told, list) or len(told) < 2:
                raise ChannelStopped(said("crm_no_session"))
            token = base64.b64encode(f"{user}:{told[0]}:{told[1]}".encode()).decode()
            return {"Authorization": f"Session {token}"}

        return Grant(fetch, accept, Pace(10, 60, self._pause))

    def _account(self) -> tuple[str, tuple[str, ...]]:
        """The database, and whether the user can make opportunities."""
        notes = () if self._of_user().get("company") else (said("crm_note_no_company"),)
        return self._wire.path.strip("/").replace("/", "-"), notes

    def _of_user(self) -> dict[str, Any]:
        """What every call runs under: the user's company and employee."""
        if self._context is None:
            told = self._ask("model.res.user.get_preferences", [True, {}])
            preferences = told if isinstance(told, dict) else {}
            self._context = {one: preferences[one] for one in ("company", "employee") if preferences.get(one)}
        return self._context

    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        told = self._ask(f"model.{checked_name(mapping.to)}.fields_get", [[], {}])
        return frozenset(told) if isinstance(told, dict) and told else None

    def _body(self, method: str, parameters: list[Any]) -> tuple[int, dict[str, Any]]:
        number = next(self._numbers)
        return number, {"id": number, "method": method, "params": parameters}

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        """What a reading call gives; asked again where nothing usable comes."""
        number, body = self._body(method, parameters)

        def parse(answer: Answer) -> Any:
            told = _opened(answer, number)
            if "error" in told:
                kind, words = _error(told["error"])
                if kind in _OF_THE_RECORD:
                    raise ChannelStopped(said("crm_method_refused", method=method, words=hide(words)))
                raise CrmUnreachable(said("crm_kind_words", kind=kind, words=hide(words)))
            return _plain(told["result"])

        return self._session.read("POST", "/rpc/", body, parse)

    def _search(
        self, mapping: ObjectMapping, field: str, values: Sequence[str], columns: list[str]
    ) -> list[dict[str, Any]]:
        wanted = [int(value) for value in values if value.isdigit()] if field == "id" else list(values)
        rows = self._rows(mapping.to, [[field, "in", wanted]], columns, [["id", "ASC"]], len(values) * 2)
        if any(str(row.get(field)) not in values or not row.get(self.id_field) for row in rows):
            raise CrmUnreachable(said("crm_other_records"))
        return rows

    def _rows(
        self, model: str, domain: list[Any], columns: Sequence[str], order: list[Any], size: int
    ) -> list[dict[str, Any]]:
        parameters = [domain, 0, size, order, sorted(set(columns) - {"id"}), self._of_user()]
        told = self._ask(f"model.{checked_name(model)}.search_read", parameters)
        if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
            raise CrmUnreachable(said("crm_query_shape"))
        return [_flat(row) for row in told]

    def _create(self, object_name: str, mapping: ObjectMapping, record: Record) -> str | None:
        values = {**mapping.fixed, **self._values(object_name, mapping, record)}
        told = self._write(f"model.{mapping.to}.create", [[values], self._of_user()])
        return str(told[0]) if isinstance(told, list) and len(told) == 1 else None

    def _update(self, object_name: str, mapping: ObjectMapping, record: Record, record_id: str) -> None:
        if not record_id.isdigit() or len(record_id) > 20:
            raise Refusal(f"{record_id!r} is no record id")
        values = self._values(object_name, mapping, record)
        self._write(f"model.{mapping.to}.write", [[int(record_id)], values, self._of_user()])

    def _values(self, object_name: str, mapping: ObjectMapping, record: Record) -> dict[str, Any]:
        return {**self._encode(object_name, record.fields, _as_theirs), mapping.key: record.key}

    def _write(self, method: str, parameters: list[Any]) -> Any:
        number, body = self._body(method, parameters)
        told = _opened(self._session.write("POST", "/rpc/", body), number)
        if "error" not in told:
            return told["result"]
        kind, words = _error(told["error"])
        if kind in _OF_THE_RECORD or kind in _TRY_AGAIN:
            raise Refusal(f"{kind}: {words}"[:1000], passing=kind in _TRY_AGAIN)
        raise CrmUnreachable(said("crm_kind_words", kind=kind, words=hide(words)))

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        """By time of modification and id; what was made and never changed bears the time of its making."""
        names = [] if pulled.history else [name for name in pulled.columns.values() if name != ORIGIN]
        names += ["origin"] if ORIGIN in pulled.columns.values() else []

        def fetch(after: tuple[str, str], size: int) -> list[Row]:
            return self._after(pulled, names, after, size, _wanted(pulled))

        return Reading(fetch, (lambda rows: self._histories(pulled, rows)) if pulled.history else None)

    def _after(
        self, pulled: PullMapping, names: Sequence[str], after: tuple[str, str], size: int, domain: list[Any]
    ) -> list[Row]:
        later: list[Any] = []
        if after[0]:
            time = _as_theirs("time", after[0])
            later = [["OR", [pulled.modified, ">", time],
                      [[pulled.modified, "=", time], ["id", ">", int(after[1] or 0)]]]]  # fmt: skip
        order = [[pulled.modified, "ASC"], ["id", "ASC"]]
        rows = self._rows(pulled.to, [*domain, *later], [*names, pulled.modified], order, size)
        return [Row(str(row.get(pulled.modified)), str(row["id"]), {**row, **_origin(row)}) for row in rows]

    def _histories(self, pulled: PullMapping, records: list[Row]) -> list[Row]:
        """Every value that the field had, as Tryton keeps the versions of its records."""
        return [row for record in records for row in self._history(pulled, record.id)]

    def _history(self, pulled: PullMapping, record_id: str) -> Iterator[Row]:
        model, field = f"model.{checked_name(pulled.to)}", checked_name(pulled.history or "")
        told = self._ask(f"{model}.history_revisions", [[int(record_id)], self._of_user()])
        versions = [one for one in told if isinstance(one, list) and one] if isinstance(told, list) else []
        before = None
        for time in sorted(str(one[0]) for one in versions):
            then = {**self._of_user(), "_datetime": _as_theirs("time", time)}
            read = self._ask(f"{model}.read", [[int(record_id)], [field], then])
            value = read[0].get(field) if isinstance(read, list) and read and isinstance(read[0], dict) else None
            if value != before:
                yield Row(time, f"{record_id}-{time}", {"id": record_id, "value": value, "timestamp": time})
            before = value

    def _merge_reading(self, name: str, merged: MergeMapping) -> Reading:
        """A party that was merged away stays, out of use, and names the one that took its place."""
        pulled = PullMapping(to=merged.to, modified=merged.modified, id="id", columns={})
        key, theirs = merged.key or "id", f"{merged.field}.{merged.key or 'id'}"
        domain = [[merged.field, "!=", None], _IN_USE_OR_NOT]

        def spread(records: list[Row]) -> list[Row]:
            rows = [(one, one.fields) for one in records]
            return [
                Row(one.modified, one.id, {"object": name, "new_id": told.get(merged.field), "old_key": told.get(key),
                                           "new_key": told.get(theirs)})
                for one, told in rows
            ]  # fmt: skip

        names = [merged.field, key, theirs]
        return Reading(lambda after, size: self._after(pulled, names, after, size, domain), spread)

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """By what took their place, over any number of merges."""
        merged = self._mapping.merges.get(object_name)  # type: ignore[call-overload]
        if merged is None:
            return {}
        mapping = self._object(object_name)
        found: dict[str, Standing] = {}
        waiting = {one: int(one) for one in crm_ids if one.isdigit()}
        for _ in range(_MERGES_IN_A_ROW):
            if not waiting:
                break
            domain = [["id", "in", sorted(set(waiting.values()))], _IN_USE_OR_NOT]
            told = self._rows(mapping.to, domain, [mapping.key, merged.field], [["id", "ASC"]], len(waiting) + 1)
            rows = {int(row["id"]): row for row in told}
            here = {one: rows[now] for one, now in waiting.items() if now in rows}
            waiting = {one: int(row[merged.field]) for one, row in here.items() if row.get(merged.field)}
            standing = {one: row for one, row in here.items() if one not in waiting}
            found |= {one: Standing(str(row["id"]), row.get(mapping.key) or None) for one, row in standing.items()}
        return found

    def _all_ids(self, pulled: PullMapping) -> Iterator[Sequence[str]]:
        after = 0
        for _ in range(LONGEST_LIST):
            domain = [*_wanted(pulled), ["id", ">", after]]
            rows = self._rows(pulled.to, domain, [], [["id", "ASC"]], _IDS_A_CALL)
            yield [str(row["id"]) for row in rows]
            if len(rows) < _IDS_A_CALL:
                return
            after = int(rows[-1]["id"])
        raise CrmUnreachable(said("crm_list_endless", name=pulled.to))


def _wanted(pulled: PullMapping) -> list[Any]:
    return [[field, "in", list(values)] for field, values in pulled.where.items()]


def _origin(row: Mapping[str, Any]) -> dict[str, Any]:
    """The opportunity that an order came from: origin "sale.opportunity,7"."""
    model, _, record_id = str(row.get("origin") or "").partition(",")
    return {ORIGIN: record_id} if model == "sale.opportunity" else {}


def _opened(answer: Answer, number: int) -> dict[str, Any]:
    """The body of the answer to that very call."""
    check_answer(answer)
    if answer.status != 200:
        raise ChannelStopped(said("crm_no_such_database", status=answer.status))
    told = answer.json()
    if not isinstance(told, dict) or told.get("id") != number or not ({"result", "error"} & told.keys()):
        raise CrmUnreachable(said("crm_call_shape"))
    return dict(told)


def _error(error: Any) -> tuple[str, str]:
    """The kind of an error and its words: ["UserError", ["what is wrong", "more", …]], or text and a traceback."""
    parts = error if isinstance(error, list) and error else [str(error)]
    more = parts[1] if len(parts) > 1 else ""
    words = "; ".join(str(one) for one in more[:2] if one) if isinstance(more, list) else ""
    return str(parts[0])[:200], words


def _as_theirs(kind: FieldType, value: Value) -> Any:
    """Our values in Tryton's JSON."""
    if value is None or kind not in ("decimal", "date", "time"):
        return value
    if kind == "decimal":
        return {"__class__": "Decimal", "decimal": str(value)}
    if kind == "date":
        return {"__class__": "date", **dict(zip(_TIME_PARTS, map(int, str(value)[:10].split("-")), strict=False))}
    time = read_time(value)
    return {"__class__": "datetime", **{part: getattr(time, part) for part in _TIME_PARTS}}


def _plain(value: Any) -> Any:
    """Tryton's JSON as plain values: times in UTC and ISO form, numbers as text."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    try:
        if kind == "datetime":
            parts = [int(value[part]) for part in _TIME_PARTS]
            return datetime(*parts).replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # type: ignore[arg-type]
        if kind == "date":
            return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"
        if kind == "Decimal":
            return str(value["decimal"])
    except (KeyError, TypeError, ValueError):
        raise CrmUnreachable(said("crm_value_shape")) from None
    return {name: _plain(one) for name, one in value.items()}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Fields of a related record under their dotted names: {"party.": {"name": …}} → party.name."""
    flat = {name: value for name, value in row.items() if not name.endswith(".")}
    for name, value in row.items():
        if name.endswith(".") and isinstance(value, dict):
            flat |= {f"{name}{inner}": one for inner, one in value.items()}
    return flat
