"""Neocrm 销售易: one record a call, {code, msg, data} under 200, XOQL for reading, no unique key."""

import re
from typing import Any
from urllib.parse import parse_qs

from tests.contract.server.dialects.base import Dialect, Refused
from tests.contract.server.faults import Reply, Request
from tests.contract.server.memory import Held

_OBJECT = re.compile(r"/rest/data/v2\.0/xobjects/(\w+)(?:/(\w+))?")
_LIST = re.compile(r"'((?:[^'\\]|\\.)*)'")


class NeoCrm(Dialect):
    """The calls that the connector makes."""

    key = "abm_key__c"
    prefix = "3"

    def token_body(self) -> dict[str, Any]:
        return {**super().token_body(), "tenant_id": self.options.get("instance", "2001")}

    def quota_gone(self) -> Reply:
        return Reply(200, {"code": 1020028, "msg": "今日调用次数超过限制"})

    def answer(self, request: Request, fault: str | None) -> Reply:
        if request.path == "/rest/data/v2.0/query/xoql":
            return self._query(parse_qs(request.body.decode())["xoql"][0], fault)
        match = _OBJECT.fullmatch(request.path)
        if match is None:
            return Reply(404, {"code": 404, "msg": "not found"})
        name, record_id = match.groups()
        if record_id == "description":
            fields = [{"apiKey": one, "type": 1} for one in self.options.get("fields", [])]
            return _ok({"fields": fields})
        return self._write(name, record_id, request.json()["data"], fault)

    def _write(self, name: str, record_id: str | None, fields: dict[str, Any], fault: str | None) -> Reply:
        held = self.memory.records.get(record_id) if record_id else None
        if record_id and (held is None or held.is_deleted):
            return Reply(200, {"code": 1020003, "msg": "数据不存在"})
        if fault in ("half_applied", "row_busy", "all_busy"):
            return Reply(200, {"code": 1020027, "msg": "请求过于频繁"})
        try:
            written, _ = self.write(name, fields, held, fault)
        except Refused as refused:
            if refused.other is None:
                return Reply(200, {"code": 1020007, "msg": refused.message})
            style = int(self.style(("200", "400", "409", "500")))
            return Reply(
                style, {"code": 1020059, "msg": f"数据重复, id: {refused.other.id}", "data": {"id": refused.other.id}}
            )
        told = "1" if fault == "foreign_ack" else written.id
        return _ok(None) if fault == "short_list" else _ok({"id": told})

    def _query(self, xoql: str, fault: str | None) -> Reply:
        match = re.fullmatch(r"select (.+?) from (\w+)(?: where (.+?))?(?: order by .+?)?(?: limit (\d+),(\d+))?", xoql)
        assert match, xoql
        columns, name, where = match[1].split(", "), match[2], match[3] or ""
        start, size = int(match[4] or 0), int(match[5] or 20)
        if listed := re.fullmatch(r"(\w+) in \((.+)\)", where):
            values = [re.sub(r"\\(.)", r"\1", one) for one in _LIST.findall(listed[2])]
            if listed[1] == "id":
                found = [self.memory.records[one] for one in values if one in self.memory.records]
            else:
                found = self.memory.search(name, listed[1], values)
        else:
            found = self._after_id(name, where) or self._modified(name, where)
        found = [held for held in found if not held.is_deleted]
        rows = [{column: self._shown(held).get(column) for column in columns} for held in found[start : start + size]]
        if listed:
            rows = self.draw.misreport(rows, fault, {"id": "1", self.key: "somebody-else"})
        return Reply(
            200, {"code": "200", "msg": "OK", "data": {"totalSize": len(found), "count": len(rows), "records": rows}}
        )

    def _after_id(self, name: str, where: str) -> list[Held]:
        """`id > x`."""
        after = re.fullmatch(r"id > (\d+)", where)
        rows = sorted((h for h in self.memory.records.values() if h.object == name), key=lambda held: int(held.id))
        return [held for held in rows if after and int(held.id) > int(after[1])]

    def _modified(self, name: str, where: str) -> list[Held]:
        """`updatedAt > t`, or `updatedAt = t and id > x`."""
        same = re.fullmatch(r"updatedAt = (\d+) and id > (\d+)", where)
        later = re.fullmatch(r"updatedAt > (\d+)", where)
        rows = sorted(
            (h for h in self.memory.records.values() if h.object == name), key=lambda h: (int(h.modified * 1000), h.id)
        )
        if same:
            return [h for h in rows if int(h.modified * 1000) == int(same[1]) and int(h.id) > int(same[2])]
        return [h for h in rows if not later or int(h.modified * 1000) > int(later[1])]

    def _shown(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.id,
            **held.fields,
            "updatedAt": int(held.modified * 1000),
            "createdAt": int(held.created * 1000),
        }


def _ok(data: Any) -> Reply:
    return Reply(200, {"code": 200, "msg": "OK", "data": data})
