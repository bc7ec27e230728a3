"""Fxiaoke 纷享销客: POST only, what happened stands in errorCode whatever the status; one record a call.

Written after public documentation; nothing here could be tried against a live tenant (docs/connectors.md).
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
from tasks.outbound.crm.wire import Answer, Wire, hide

_EXPIRED = frozenset({20016})
_ENVELOPE = Envelope("errorCode", "errorMessage", frozenset({0}), too_fast=30002, day_is_over=30003)
_DUPLICATE = re.compile(r"重复|[Dd]uplicate")
_LARGEST_OFFSET = 10_000
_PAGE = 100


class FxiaokeConnector(SingleRecordConnector):
    """One enterprise account. Credentials: FXIAOKE_APP_ID, _APP_SECRET, _PERMANENT_CODE and _USER_ID (owns records)."""

    kind = "fxiaoke"
    time_field = "last_modified_time"
    id_field = "_id"
    system_fields = frozenset({"_id", "owner", "create_time", "last_modified_time"})

    def _auth(self, environment: Mapping[str, str]) -> Auth:
        names = ("FXIAOKE_APP_ID", "FXIAOKE_APP_SECRET", "FXIAOKE_PERMANENT_CODE", "FXIAOKE_USER_ID")
        app, secret, code, self._user = secrets(environment, *names)
        asked = {"appId": app, "appSecret": secret, "permanentCode": code, "grantType": "app_secret"}

        def fetch(wire: Wire) -> Answer:
            # A trace id of the vendor's, new for every call; nothing of ours depends on it.
            path = f"/oauth2.0/token?thirdTraceId={uuid.uuid4()}"
            return wire.call("POST", path, json.dumps(asked).encode(), {"Content-Type": "application/json"})

        return Grant(fetch, self._accept, Pace(10, 60, self._pause))

    def _accept(self, body: Any) -> dict[str, str]:
        if not isinstance(body, dict) or body.get("errorCode", 0) not in (0, "0") or not body.get("accessToken"):
            words = hide(str(body.get("errorMessage", ""))) if isinstance(body, dict) else ""
            raise ChannelStopped(said("crm_no_token_words", words=words))
        self._ea = str(body.get("ea"))
        return {"Authorization": f"Bearer {body['accessToken']}", "x-fs-ea": self._ea, "x-fs-userid": self._user}

    def _is_expired(self, answer: Answer) -> bool:
        return answer.status == 401 or (b'"errorCode"' in answer.body[:200] and _ENVELOPE.code(answer) in _EXPIRED)

    def _account(self) -> tuple[str, tuple[str, ...]]:
        self._session.read("POST", "/cgi/crm/v2/object/describe", {"describeApiName": "LeadsObj"}, _ENVELOPE.opened)
        return self._ea, ()

    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        body = {"describeApiName": checked_name(mapping.to)}
        told = self._session.read("POST", "/cgi/crm/v2/object/describe", body, _ENVELOPE.opened)
        describe = (told.get("data") or {}).get("describe") or {}
        fields = describe.get("fields") if isinstance(describe, dict) else None
        return frozenset(fields) if isinstance(fields, dict) and fields else None

    def _path(self, api_name: str, verb: str) -> str:
        """Objects that the account made itself (…__c) have an address of their own."""
        return f"/cgi/crm/{'custom/' if api_name.endswith('__c') else ''}v2/data/{verb}"

    def _search(
        self, mapping: ObjectMapping, field: str, values: Sequence[str], columns: list[str]
    ) -> list[dict[str, Any]]:
        rows = self._query(mapping.to, [_filter(field, "IN", values)], 0, [])
        if any(str(row.get(field)) not in values or not row.get(self.id_field) for row in rows):
            raise CrmUnreachable(said("crm_other_records"))
        return rows

    def _query(self, api_name: str, filters: list[Any], offset: int, orders: list[Any]) -> list[dict[str, Any]]:
        info = {"limit": _PAGE, "offset": offset, "filters": filters, "orders": orders}
        body = {"data": {"dataObjectApiName": checked_name(api_name), "search_query_info": info}}

        def parse(answer: Answer) -> list[dict[str, Any]]:
            data = _ENVELOPE.opened(answer).get("data")
            rows = data.get("dataList") if isinstance(data, dict) else None
            if not isinstance(rows, list) or not isinstance(data, dict):
                raise CrmUnreachable(said("crm_query_shape"))
            told = [row for row in rows if isinstance(row, dict)]
            total = data.get("total")
            # A page that holds fewer than it says would pass off a record that is there as one that is not.
            if isinstance(total, int) and len({str(row.get("_id")) for row in told}) < min(total - offset, _PAGE):
                raise CrmUnreachable(said("crm_page_short", found=len(told), total=total))
            return told

        return list(self._session.read("POST", self._path(api_name, "query"), body, parse))

    def _create(self, object_name: str, mapping: ObjectMapping, record: Record) -> str | None:
        answer = self._write("create", object_name, mapping, record, {**mapping.fixed, "owner": [self._user]})
        return str(answer["dataId"]) if answer.get("dataId") else None

    def _update(self, object_name: str, mapping: ObjectMapping, record: Record, record_id: str) -> None:
        self._write("update", object_name, mapping, record, {"_id": record_id})

    def _write(
        self, verb: str, object_name: str, mapping: ObjectMapping, record: Record, more: dict[str, Any]
    ) -> dict[str, Any]:
        fields = self._encode(object_name, record.fields, as_epoch)
        data = {**more, **fields, mapping.key: record.key, "dataObjectApiName": mapping.to}
        body = {"data": {"object_data": data}, "triggerWorkFlow": False, "triggerApprovalFlow": False}
        answer = self._session.write("POST", self._path(mapping.to, verb), body)
        code = _ENVELOPE.code(answer)
        if not _ENVELOPE.is_of_row(code):
            return _ENVELOPE.opened(answer)
        told = answer.json()
        message = f"{code}: {told.get('errorMessage')}"
        other = str(told.get("dataId") or "") if _DUPLICATE.search(message) else ""
        raise Refusal(message, other or None)

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        """By time of modification; equal times are walked by their ids, later ones after them."""

        def fetch(after: tuple[str, str], size: int) -> list[Row]:
            time, record_id = _milliseconds(after[0]), after[1]
            rows: list[dict[str, Any]] = []
            if record_id:
                same = [_filter(pulled.modified, "EQ", [time]), _filter("_id", "GT", [record_id])]
                rows = self._query(pulled.to, same, 0, [_ascending("_id")])
            if len(rows) < size:
                later = [_filter(pulled.modified, "GT", [time])]
                rows += self._query(pulled.to, later, 0, [_ascending(pulled.modified), _ascending("_id")])
            return [
                Row(str(row.get(pulled.modified)), str(row.get("_id")), row, _is_void(row) or is_out(pulled, row))
                for row in rows[:size]
            ]

        return Reading(fetch)

    def _all_ids(self, pulled: PullMapping) -> Iterator[Sequence[str]]:
        after: list[Any] = []
        for _ in range(LONGEST_LIST):
            rows = self._query(pulled.to, after, 0, [_ascending("_id")])
            yield [str(row.get("_id")) for row in rows if not _is_void(row)]
            if len(rows) < _PAGE:
                return
            after = [_filter("_id", "GT", [str(rows[-1].get("_id"))])]
        raise CrmUnreachable(said("crm_list_endless", name=pulled.to))


def _is_void(row: Mapping[str, Any]) -> bool:
    """作废: voided, or deleted for good. Queries are not known to tell these; where they do, these are not alive."""
    return row.get("is_deleted") in (True, "true") or row.get("life_status") == "invalid"


def _milliseconds(time: str) -> str:
    return str(int(read_time(time).timestamp() * 1000)) if time else "0"


def _filter(field: str, operator: str, values: Sequence[str]) -> dict[str, Any]:
    return {"field_name": field, "operator": operator, "field_values": list(values)}


def _ascending(field: str) -> dict[str, Any]:
    return {"fieldName": field, "isAsc": True}
