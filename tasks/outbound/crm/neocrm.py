"""Neocrm 销售易: one record a call, {code, msg, data} under any status, XOQL for reading.

Written after public code and documentation; nothing here could be tried against a live tenant (docs/connectors.md).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import ChannelStopped, Record
from tasks.outbound.crm.envelope import Envelope
from tasks.outbound.crm.mapping import ObjectMapping
from tasks.outbound.crm.network import checked_name
from tasks.outbound.crm.session import Auth, Grant, Pace, secrets
from tasks.outbound.crm.singles import LONGEST_LIST, Refusal, SingleRecordConnector
from tasks.outbound.crm.values import as_epoch, read_time
from tasks.outbound.crm.walk import Reading, Row, is_out
from tasks.outbound.crm.wire import Answer, Wire

_OBJECTS = "/rest/data/v2.0/xobjects"
_ENVELOPE = Envelope("code", "msg", frozenset({0, 200}), too_fast=1020027, day_is_over=1020028)
_DUPLICATE = re.compile(r"重复|已存在|[Dd]uplicate")
_PAGE = 100


class NeoCrmConnector(SingleRecordConnector):
    """One tenant. Credentials: NEOCRM_CLIENT_ID, NEOCRM_CLIENT_SECRET, NEOCRM_USER, NEOCRM_PASSWORD with token."""

    kind = "neocrm"
    time_field = "updatedAt"
    id_field = "id"
    system_fields = frozenset({"id", "ownerId", "createdAt", "updatedAt"})

    def _auth(self, environment: Mapping[str, str]) -> Auth:
        names = ("NEOCRM_CLIENT_ID", "NEOCRM_CLIENT_SECRET", "NEOCRM_USER", "NEOCRM_PASSWORD")
        client, secret, user, password = secrets(environment, *names)
        asked = {"grant_type": "password", "client_id": client, "client_secret": secret}
        body = urlencode({**asked, "username": user, "password": password}).encode()

        def fetch(wire: Wire) -> Answer:
            return wire.call("POST", "/oauth2/token", body, {"Content-Type": "application/x-www-form-urlencoded"})

        return Grant(fetch, self._accept, Pace(10, 60, self._pause))

    def _accept(self, body: Any) -> dict[str, str]:
        if not isinstance(body, dict) or not body.get("access_token"):
            raise ChannelStopped(said("crm_no_token"))
        self._tenant = str(body.get("tenant_id") or body.get("tenantId") or self._wire.host)
        return {"Authorization": f"Bearer {body['access_token']}"}

    def _account(self) -> tuple[str, tuple[str, ...]]:
        self._session.read("GET", f"{_OBJECTS}/lead/description", None, _ENVELOPE.opened)
        return self._tenant, ()

    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        told = self._session.read("GET", f"{_OBJECTS}/{checked_name(mapping.to)}/description", None, _ENVELOPE.opened)
        fields = (told.get("data") or {}).get("fields")
        names = frozenset(str(one.get("apiKey")) for one in fields) if isinstance(fields, list) else frozenset()
        return names or None

    def _search(
        self, mapping: ObjectMapping, field: str, values: Sequence[str], columns: list[str]
    ) -> list[dict[str, Any]]:
        listed = ", ".join(_literal(value) for value in values)
        rows = self._xoql(f"select {', '.join(columns)} from {mapping.to} where {field} in ({listed}) limit 0,{_PAGE}")
        if any(str(row.get(field)) not in values or not row.get(self.id_field) for row in rows):
            raise CrmUnreachable(said("crm_other_records"))
        return rows

    def _xoql(self, xoql: str) -> list[dict[str, Any]]:
        """The rows of one page; an answer with fewer rows than it counts is no answer."""

        def parse(answer: Answer) -> list[dict[str, Any]]:
            data = _ENVELOPE.opened(answer).get("data")
            rows = data.get("records") if isinstance(data, dict) else None
            if not isinstance(rows, list) or not isinstance(data, dict):
                raise CrmUnreachable(said("crm_query_shape"))
            told = [row for row in rows if isinstance(row, dict)]
            total = data.get("totalSize")
            if isinstance(total, int) and len({str(row.get("id")) for row in told}) < min(total, _PAGE):
                raise CrmUnreachable(said("crm_page_short", found=len(told), total=total))
            return told

        body = urlencode({"xoql": xoql}).encode()
        return list(self._session.read("POST", "/rest/data/v2.0/query/xoql", body, parse, form=True))

    def _create(self, object_name: str, mapping: ObjectMapping, record: Record) -> str | None:
        path = f"{_OBJECTS}/{mapping.to}"
        data = self._write("POST", path, object_name, mapping, record, mapping.fixed).get("data")
        return str(data["id"]) if isinstance(data, dict) and data.get("id") else None

    def _update(self, object_name: str, mapping: ObjectMapping, record: Record, record_id: str) -> None:
        if not re.fullmatch(r"\d{1,20}", record_id):
            raise Refusal(f"{record_id!r} is no record id")
        self._write("PATCH", f"{_OBJECTS}/{mapping.to}/{record_id}", object_name, mapping, record, {})

    def _write(
        self, method: str, path: str, object_name: str, mapping: ObjectMapping, record: Record, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        fields = self._encode(object_name, record.fields, as_epoch)
        answer = self._session.write(method, path, {"data": {**more, **fields, mapping.key: record.key}})
        code = _ENVELOPE.code(answer)
        if not _ENVELOPE.is_of_row(code):
            return _ENVELOPE.opened(answer)
        told = answer.json()
        message = f"{code}: {told.get('msg')}"
        data = told.get("data")
        other = str(data.get("id") or "") if _DUPLICATE.search(message) and isinstance(data, dict) else ""
        raise Refusal(message, other or None)

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        """By time of modification; equal times are walked by their ids, later ones after them."""
        columns = ", ".join(sorted({*pulled.columns.values(), *pulled.where, "id", pulled.modified}))
        start = f"select {columns} from {checked_name(pulled.to)} where {pulled.modified}"

        def fetch(after: tuple[str, str], size: int) -> list[Row]:
            time = int(read_time(after[0]).timestamp() * 1000) if after[0] else 0
            rows: list[dict[str, Any]] = []
            if after[1].isdigit():
                rows = self._xoql(f"{start} = {time} and id > {after[1]} order by id limit 0,{size}")
            if len(rows) < size:
                rows += self._xoql(f"{start} > {time} order by {pulled.modified}, id limit 0,{size}")
            return [
                Row(str(row.get(pulled.modified)), str(row.get("id")), row, is_out(pulled, row)) for row in rows[:size]
            ]

        return Reading(fetch)

    def _all_ids(self, pulled: PullMapping) -> Iterator[Sequence[str]]:
        after = 0
        for _ in range(LONGEST_LIST):
            xoql = f"select id from {checked_name(pulled.to)} where id > {after} order by id limit 0,{_PAGE}"
            ids = [str(row.get("id")) for row in self._xoql(xoql)]
            yield ids
            if len(ids) < _PAGE:
                return
            after = int(ids[-1])
        raise CrmUnreachable(said("crm_list_endless", name=pulled.to))


def _literal(value: str) -> str:
    escaped = re.sub(r"(['\\])", r"\\\1", value)
    return f"'{escaped}'"
