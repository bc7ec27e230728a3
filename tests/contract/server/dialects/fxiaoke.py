"""Fxiaoke 纷享销客: everything is POST and 200, what happened stands in errorCode; one record a call, no unique key."""

import itertools
import re
from typing import Any

from tests.contract.server.dialects.base import Dialect, Refused
from tests.contract.server.faults import Reply, Request
from tests.contract.server.memory import Held

_DATA = re.compile(r"/cgi/crm/(?:custom/)?v2/data/(\w+)")


class Fxiaoke(Dialect):
    """The calls that the connector makes."""

    key = "abm_key__c"
    prefix = "6"

    def token_body(self) -> dict[str, Any]:
        ea = self.options.get("instance", "acme")
        return {"errorCode": 0, "accessToken": f"token-{self.serial}", "ea": ea, "expiresIn": 7200}

    def unauthorised(self) -> Reply:
        return Reply(200, {"errorCode": 20016, "errorMessage": "access token 已过期"})

    def quota_gone(self) -> Reply:
        return Reply(200, {"errorCode": 30003, "errorMessage": "今日调用次数已用完"})

    def answer(self, request: Request, fault: str | None) -> Reply:
        body = request.json()
        if request.path == "/cgi/crm/v2/object/describe":
            fields = {name: {"api_name": name} for name in self.options.get("fields", [])}
            return _ok(data={"describe": {"fields": fields}})
        match = _DATA.fullmatch(request.path)
        if match is None or body.get("data") is None:
            return Reply(200, {"errorCode": 10006, "errorMessage": "参数错误"})
        if match[1] == "query":
            return self._query(body["data"], fault)
        if match[1] not in ("create", "update"):
            return Reply(200, {"errorCode": 10006, "errorMessage": "no such action"})
        return self._write(body["data"]["object_data"], match[1], fault)

    def _write(self, data: dict[str, Any], verb: str, fault: str | None) -> Reply:
        fields = {name: value for name, value in data.items() if name not in ("_id", "dataObjectApiName")}
        held = self.memory.records.get(data.get("_id", ""))
        if verb == "update" and (held is None or held.is_deleted):
            return Reply(200, {"errorCode": 320001420, "errorMessage": "数据不存在或已作废"})
        if fault in ("half_applied", "row_busy", "all_busy"):
            return Reply(200, {"errorCode": 30002, "errorMessage": "调用频率过高"})
        try:
            written, _ = self.write(data["dataObjectApiName"], fields, held if verb == "update" else None, fault)
        except Refused as refused:
            return self._refusal(refused)
        told = "000000000000" if fault == "foreign_ack" else written.id
        return _ok() if fault == "short_list" else _ok(dataId=told)

    def _refusal(self, refused: Refused) -> Reply:
        if refused.other is None:
            return Reply(200, {"errorCode": 320001400, "errorMessage": refused.message})
        style = int(self.style(("200", "400", "409", "500")))
        message = f"数据重复: {refused.other.id}"
        return Reply(style, {"errorCode": 320001500, "errorMessage": message, "dataId": refused.other.id})

    def _query(self, data: dict[str, Any], fault: str | None) -> Reply:
        info, name = data["search_query_info"], data["dataObjectApiName"]
        found = [held for held in self.memory.records.values() if held.object == name]
        for wanted in info.get("filters", []):
            field, operator, values = wanted["field_name"], wanted["operator"], wanted["field_values"]
            if field == self.key:
                found = self.memory.search(name, field, values)
            elif field == "_id" and operator == "IN":
                found = [self.memory.records[one] for one in values if one in self.memory.records]
            else:
                found = [held for held in found if _holds(self._shown(held)[field], operator, values[0])]
        found = [held for held in found if not held.is_deleted]
        for order in reversed(info.get("orders", [])):
            found.sort(key=lambda held: self._shown(held)[order["fieldName"]], reverse=not order["isAsc"])
        start, size = info.get("offset", 0), info.get("limit", 20)
        rows = [self._shown(held) for held in itertools.islice(found, start, start + size)]
        foreign = {"_id": "1", self.key: "somebody-else", "last_modified_time": 1}
        if fault != "foreign_ack" or any(one["field_name"] == self.key for one in info.get("filters", [])):
            rows = self.draw.misreport(rows, fault, foreign)
        return _ok(data={"dataList": rows, "total": len(found), "offset": start, "limit": size})

    def _shown(self, held: Held) -> dict[str, Any]:
        times = {"last_modified_time": int(held.modified * 1000), "create_time": int(held.created * 1000)}
        return {"_id": held.id, **held.fields, **times}


def _holds(value: Any, operator: str, wanted: Any) -> bool:
    left, right = (str(value), str(wanted)) if isinstance(value, str) else (int(value), int(wanted))
    return {"EQ": left == right, "GT": left > right, "GTE": left >= right}[operator]  # type: ignore[operator]


def _ok(**more: Any) -> Reply:
    return Reply(200, {"errorCode": 0, "errorMessage": "OK", **more})
