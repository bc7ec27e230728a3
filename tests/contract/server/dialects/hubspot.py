"""HubSpot: batches of up to 100, 200 or 207 with results and errors, our key a unique property."""

import random
import re
from datetime import UTC, datetime
from typing import Any

from tests.contract.server.dialects.base import Dialect, Refused
from tests.contract.server.faults import Reply, Request
from tests.contract.server.memory import Held

# What stands in an account beside its number; the connector needs none of it.
_ACCOUNT = {
    "additionalCurrencies": [], "companyCurrency": "CNY", "dataHostingLocation": "na1", "timeZone": "Asia/Shanghai",
    "uiDomain": "app.hubspot.com", "utcOffset": "+08:00", "utcOffsetMilliseconds": 28_800_000,
}  # fmt: skip
_BATCH = re.compile(r"/crm/v3/objects/([\w-]+)/batch/(upsert|update|read)")


def iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def epoch(text: str) -> float:
    return float(text) / 1000 if text.isdigit() else datetime.fromisoformat(text).timestamp()


class HubSpot(Dialect):
    """The calls that the connector makes."""

    def answer(self, request: Request, fault: str | None) -> Reply:
        if any(one in request.path for one in self.options.get("closed", [])):
            return _error(403, "MISSING_SCOPES", "this app has not been granted all required scopes")
        return self._about_records(request, fault) if "/objects/" in request.path else self._about_account(request)

    def _about_account(self, request: Request) -> Reply:
        if request.path == "/account-info/v3/details":
            kind = "SANDBOX" if self.options.get("sandbox") else "STANDARD"
            return Reply(200, {**_ACCOUNT, "portalId": int(self.options.get("instance", 4711)), "accountType": kind})
        if request.path.startswith("/crm/v3/properties/"):
            return Reply(200, {"results": [self._property(name) for name in self.options.get("fields", [])]})
        if request.path == "/crm/v3/owners":
            return self._owners(request)
        if match := re.fullmatch(r"/crm/v4/associations/([\w-]+)/([\w-]+)/batch/read", request.path):
            return self._associations(match[2], request.json())
        return Reply(404, {"status": "error", "message": "no such resource"})

    def _about_records(self, request: Request, fault: str | None) -> Reply:
        if match := _BATCH.fullmatch(request.path):
            name, verb = match.groups()
            body = request.json()
            if len(body["inputs"]) > 100:
                return _error(400, "VALIDATION_ERROR", "more than 100 inputs")
            if verb == "read":
                return self._read(name, body, fault)
            return self._write(name, body["inputs"], verb, fault)
        if match := re.fullmatch(r"/crm/v3/objects/([\w-]+)/search", request.path):
            return self._search(match[1], request.json())
        if match := re.fullmatch(r"/crm/v3/objects/([\w-]+)", request.path):
            return self._archived(match[1], request)
        return Reply(404, {"status": "error", "message": "no such resource"})

    def _property(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": "string", "hasUniqueValue": name == self.key}

    def _owners(self, request: Request) -> Reply:
        owners = self.options.get("owners", [])
        start = int(request.query.get("after", 0))
        body: dict[str, Any] = {"results": owners[start : start + 2]}
        if start + 2 < len(owners):
            body["paging"] = {"next": {"after": str(start + 2)}}
        return Reply(200, body)

    def _read(self, name: str, body: dict[str, Any], fault: str | None) -> Reply:
        ids = [one["id"] for one in body["inputs"]]
        if body.get("idProperty"):
            found = [held for value in ids for held in self.memory.with_value(name, body["idProperty"], value)]
        else:
            known = [self._resolve(one) for one in ids]
            found = [held for held in known if held and held.object == name]
        histories = body.get("propertiesWithHistory") or []
        shown = [{**self._shown(held), **self._histories(held, histories)} for held in found]
        results = self.draw.misreport(shown, fault, self._foreign())
        answer = {**self._batch(), "results": results}
        if len(found) == len(ids):
            return Reply(200, answer)
        answer["errors"] = [_error_of("OBJECT_NOT_FOUND", "some are not there", {})]
        return Reply(207, answer)

    def _batch(self) -> dict[str, Any]:
        now = iso(self.memory.now)
        return {"status": "COMPLETE", "startedAt": now, "completedAt": now}

    def token_body(self) -> dict[str, Any]:
        return {**super().token_body(), "refresh_token": "r", "token_use": "access_token"}

    def _resolve(self, record_id: str) -> Held | None:
        held = self.memory.records.get(record_id)
        while held is not None and held.merged_into:
            held = self.memory.records[held.merged_into]
        return held if held is not None and not held.is_deleted else None

    def _write(self, name: str, inputs: list[dict[str, Any]], verb: str, fault: str | None) -> Reply:
        style = self.style(("207", "400", "409", "500"))
        if style != "207":
            for row in inputs:
                try:
                    self.check(name, row["properties"], self._held(name, row, verb))
                except Refused as refused:
                    status = int(style) if refused.kind == "duplicate" else 400
                    category = "CONFLICT" if refused.kind == "duplicate" else "VALIDATION_ERROR"
                    return _error(status, category, refused.message)
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row in self.draw.part(inputs, fault):
            try:
                held, is_new = self.write(name, row["properties"], self._held(name, row, verb), fault)
                trace = {"objectWriteTraceId": row["objectWriteTraceId"]} if "objectWriteTraceId" in row else {}
                results.append({**self._shown(held), "new": is_new, **trace})
            except Refused as refused:
                errors.append(_row_error(refused, row))
        if fault == "half_applied":
            return Reply(500, {"status": "error", "message": "internal error"})
        results = self.draw.misreport(results, fault, {**self._foreign(), "new": True})
        body = {**self._batch(), "results": results}
        if errors:
            body |= {"errors": errors, "numErrors": len(errors)}
        return Reply(207 if errors else 200, body)

    def _held(self, name: str, row: dict[str, Any], verb: str) -> Held | None:
        if verb == "update":
            held = self._resolve(row["id"])
            if held is None:
                raise Refused("invalid", f"{row['id']} is not there")
            return held
        row["properties"].setdefault(self.key, row["id"])
        found = self.memory.with_value(name, row["idProperty"], row["id"])
        return found[0] if found else None

    def merge(self, winner: Held, loser: Held) -> Held:
        """A record of its own with a new id: the first one's values, and the other's where that has none."""
        made = self.memory.create(winner.object, {**loser.fields, **winner.fields}, self.prefix)
        former = [str(one.fields.get("hs_merged_object_ids") or one.id) for one in (winner, loser)]
        made.fields["hs_merged_object_ids"] = ";".join([winner.id, loser.id, *(set(former) - {winner.id, loser.id})])
        made.links = [*winner.links, *loser.links]
        for one in (winner, loser):
            self.memory.delete(one, made.id)
        return made

    def _search(self, name: str, body: dict[str, Any]) -> Reply:
        """Groups of filters, any of which may hold; an index that lags; sorted by the one field that is asked for.

        Equal values come in another order at every call: the interface promises none.
        """
        found = [one for one in self.memory.after(name, 0.0, "", deleted=False) if one.seen_at <= self.memory.now]
        groups = [group["filters"] for group in body.get("filterGroups", [])]
        found = [one for one in found if not groups or any(self._holds(one, group) for group in groups)]
        random.Random(f"{self.memory.now}").shuffle(found)
        for sort in body.get("sorts", []):
            found.sort(key=lambda one: _sortable(self._shown(one)["properties"], sort["propertyName"]))
        page = found[: body.get("limit", 10)]
        return Reply(200, {"total": len(found), "results": [self._shown(held) for held in page]})

    def _holds(self, held: Held, filters: list[dict[str, Any]]) -> bool:
        shown = self._shown(held)["properties"]
        return all(_matches(shown.get(one["propertyName"]), one) for one in filters)

    def _archived(self, name: str, request: Request) -> Reply:
        """By id, in pages: what was archived, but not what was merged into another."""
        every = [one for one in self.memory.records.values() if one.object == name and one.is_deleted]
        gone = sorted((one for one in every if not one.merged_into), key=lambda one: one.id)
        start, size = int(request.query.get("after", 0)), int(request.query.get("limit", 10))
        shown = [{**self._shown(one), "archivedAt": iso(one.modified)} for one in gone[start : start + size]]
        more = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(gone) else {}
        return Reply(200, {"results": shown, **more})

    def _associations(self, target: str, body: dict[str, Any]) -> Reply:
        results = []
        for one in body["inputs"]:
            held = self._resolve(one["id"])
            ends = [self._resolve(end) for end, _ in held.links] if held else []
            labels = [label for _, label in held.links] if held else []
            of_object = [(end, label) for end, label in zip(ends, labels, strict=True) if end and end.object == target]
            start = int(one.get("after", 0))
            to = [
                {"toObjectId": end.id, "associationTypes": [{"category": "USER_DEFINED", "typeId": 1, "label": label}]}
                for end, label in of_object[start : start + 2]
            ]
            more = {"paging": {"next": {"after": str(start + 2)}}} if start + 2 < len(of_object) else {}
            results += [{"from": {"id": one["id"]}, "to": to, **more}] if to else []
        return Reply(200, {**self._batch(), "results": results})

    def _shown(self, held: Held) -> dict[str, Any]:
        properties = {name: str(value) for name, value in held.fields.items()}
        times = {"hs_lastmodifieddate": iso(held.modified), "lastmodifieddate": iso(held.modified)}
        return {
            "id": held.id,
            "properties": {**properties, **times, "hs_object_id": held.id},
            "createdAt": iso(held.created),
            "updatedAt": iso(held.modified),
            "archived": held.is_deleted,
        }

    def _histories(self, held: Held, names: list[str]) -> dict[str, Any]:
        told = {
            name: [
                {"value": str(value), "timestamp": iso(time), "sourceType": "CRM_UI"}
                for time, one, value in reversed(held.history)
                if one == name
            ]
            for name in names
        }
        return {"propertiesWithHistory": told} if told else {}

    def _foreign(self) -> dict[str, Any]:
        return {"id": "1", "properties": {self.key: "somebody-else"}, "updatedAt": iso(self.memory.now)}


def _sortable(properties: dict[str, Any], name: str) -> float:
    value = str(properties[name])
    return float(value) if name == "hs_object_id" else epoch(value)


def _matches(value: Any, wanted: dict[str, Any]) -> bool:
    operator = wanted["operator"]
    if operator == "HAS_PROPERTY":
        return value not in (None, "")
    if wanted["propertyName"] == "hs_object_id":
        return int(value) > int(wanted["value"]) if operator == "GT" else int(value) == int(wanted["value"])
    if wanted["value"] in ("true", "false"):
        return str(value).lower() == wanted["value"]
    there, asked = epoch(str(value)), epoch(wanted["value"])
    return there > asked if operator == "GT" else there == asked


def _error(status: int, category: str, message: str) -> Reply:
    trace = {"correlationId": "00000000-0000-4000-8000-000000000000"}
    return Reply(status, {"status": "error", "category": category, "message": message, **trace})


def _row_error(refused: Refused, row: dict[str, Any]) -> dict[str, Any]:
    categories = {"busy": "RATE_LIMITS", "duplicate": "CONFLICT", "invalid": "VALIDATION_ERROR"}
    trace = {"objectWriteTraceId": [row["objectWriteTraceId"]]} if "objectWriteTraceId" in row else {}
    return _error_of(categories[refused.kind], refused.message, {"ids": [row["id"]], **trace})


def _error_of(category: str, message: str, context: dict[str, Any]) -> dict[str, Any]:
    shared = {"status": "error", "errors": [], "links": {}}
    return {**shared, "category": category, "message": message, "context": context}
