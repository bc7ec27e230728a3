"""Salesforce: collections of up to 200 answered by place, SOQL, and Bulk API 2 with CSV files."""

import csv
import io
import re
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.contract.server.dialects.base import Dialect, Refused
from tests.contract.server.faults import Reply, Request
from tests.contract.server.memory import Held

_BASE = r"/services/data/v\d+\.0"
_LIST = re.compile(r"'((?:[^'\\]|\\.)*)'")
_CODES = {
    "busy": "UNABLE_TO_LOCK_ROW",
    "duplicate": "DUPLICATES_DETECTED",
    "invalid": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
}


def iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


class Salesforce(Dialect):
    """The calls that the connector makes."""

    key = "Abm_Key__c"
    prefix = "00Q"
    email = "Email"
    is_listing_errors = True

    def token_body(self) -> dict[str, Any]:
        org = self.options.get("instance", "00D000000000001EAA")
        return {**super().token_body(), "id": f"https://login.example/id/{org}/005000000000001"}

    def unauthorised(self) -> Reply:
        return Reply(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])

    def quota_gone(self) -> Reply:
        return Reply(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])

    def answer(self, request: Request, fault: str | None) -> Reply:
        if re.fullmatch(_BASE + r"/query(All)?", request.path):
            return self._query(request.query["q"], request.path.endswith("All"))
        if re.fullmatch(_BASE + r"/limits", request.path):
            left = self.quota_left()
            return Reply(200, {"DailyApiRequests": {"Max": 100000, "Remaining": left}})
        if match := re.fullmatch(_BASE + r"/sobjects/(\w+)/describe", request.path):
            fields = [{"name": one, "externalId": one == self.key} for one in self.options.get("fields", [])]
            return Reply(200, {"name": match[1], "fields": fields})
        if match := re.fullmatch(_BASE + r"/composite/sobjects/(\w+)/(\w+)", request.path):
            return self._collection(match[1], match[2], request.json(), fault)
        if match := re.fullmatch(_BASE + r"/composite/sobjects", request.path):
            return self._by_id(request.json(), fault)
        if match := re.fullmatch(_BASE + r"/jobs/ingest(?:/(\w+)(?:/(\w+))?)?", request.path):
            return self._bulk(request, match[1], match[2], fault)
        return Reply(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])

    def quota_left(self) -> int:
        return int(self.options.get("quota") or 100000)

    def _query(self, soql: str, deleted: bool) -> Reply:
        match = re.fullmatch(r"SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY .+?)?(?: LIMIT (\d+))?", soql)
        assert match, soql
        columns, name, where, limit = match[1].split(", "), match[2], match[3] or "", int(match[4] or 2000)
        if name == "Organization":
            org = {
                "Id": self.options.get("instance", "00D000000000001EAA"),
                "IsSandbox": bool(self.options.get("sandbox")),
            }
            return Reply(200, {"totalSize": 1, "done": True, "records": [org]})
        if listed := re.fullmatch(r"(\w+) IN \((.+)\)", where):
            values = [re.sub(r"\\(.)", r"\1", one) for one in _LIST.findall(listed[2])]
            if listed[1] == "Id":
                found = [self.memory.records[one] for one in values if one in self.memory.records]
                found = [held for held in found if deleted or not held.is_deleted]
            else:
                found = [held for one in values for held in self.memory.with_value(name, listed[1], one)]
        else:
            since = re.search(r"SystemModstamp > (\S+?)[) ]|SystemModstamp > (\S+)$", where)
            after = re.search(r"Id > '(\w*)'", where)
            text = (since[1] or since[2]) if since else None
            time = datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0
            found = self.memory.after(name, time, after[1] if after else "~", deleted)
            found = [held for held in found if "MasterRecordId != null" not in where or held.merged_into]
            flag = re.search(r"(\w+) = true(?: AND|$)", where.replace("IsDeleted = true", ""))
            found = [held for held in found if not flag or held.fields.get(flag[1])][:limit]
        records = [{"attributes": {"type": name}, **self._shown(held, columns)} for held in found]
        return Reply(200, {"totalSize": len(records), "done": True, "records": records})

    def _shown(self, held: Held, columns: list[str]) -> dict[str, Any]:
        own: dict[str, Any] = {"Id": held.id, "IsDeleted": held.is_deleted, "MasterRecordId": held.merged_into}
        own |= dict.fromkeys(("SystemModstamp", "LastModifiedDate"), iso(held.modified))
        own["CreatedDate"] = iso(held.created)
        return {name: own.get(name, held.fields.get(name)) for name in columns if "." not in name} | {
            way: {
                "attributes": {},
                **{one.partition(".")[2]: self._of(held, one) for one in columns if one.startswith(f"{way}.")},
            }
            for way in {one.partition(".")[0] for one in columns if "." in one}
        }

    def _of(self, held: Held, name: str) -> Any:
        """A field of a related record: Contact.Email by ContactId."""
        way, _, field = name.partition(".")
        other = self.memory.records.get(str(held.fields.get(f"{way}Id")))
        return other.fields.get(field) if other else None

    def _collection(self, name: str, external: str, body: dict[str, Any], fault: str | None) -> Reply:
        records = body["records"]
        if len(records) > 200:
            return Reply(400, [{"errorCode": "LIMIT_EXCEEDED", "message": "record limit reached: 200"}])
        style = self.style(("200", "300", "400", "409", "500"))
        if style != "200" and len(records) == 1:
            try:
                self._check(name, external, records[0])
            except Refused as refused:
                if refused.kind == "duplicate" and refused.other:
                    body_300 = [f"/services/data/v62.0/sobjects/{name}/{refused.other.id}"]
                    said = [{"errorCode": "DUPLICATES_DETECTED", "message": refused.message}]
                    return Reply(int(style), body_300 if style == "300" else said)
        results = [self._row(name, external, row, fault) for row in self.draw.part(records, fault)]
        if fault == "half_applied":
            return Reply(200, results)
        return Reply(200, self.draw.misreport(results, fault, {"id": "00Q000000000999", "success": True, "errors": []}))

    def _fields(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in ("attributes", "id")}

    def _check(self, name: str, external: str, row: dict[str, Any]) -> None:
        held = self.memory.with_value(name, external, row[external])
        self.check(name, self._fields(row), held[0] if held else None)

    def _row(self, name: str, external: str, row: dict[str, Any], fault: str | None) -> dict[str, Any]:
        held = self.memory.with_value(name, external, row[external])
        try:
            found, is_new = self.write(name, self._fields(row), held[0] if held else None, fault)
        except Refused as refused:
            message = refused.message
            if refused.other:
                message = f"duplicate value found: Email duplicates value on record with id: {refused.other.id}"
            errors = [{"statusCode": _CODES[refused.kind], "message": message, "fields": []}]
            return {"success": False, "errors": errors}
        return {"id": found.id, "success": True, "errors": [], "created": is_new}

    def _by_id(self, body: dict[str, Any], fault: str | None) -> Reply:
        results = []
        for row in self.draw.part(body["records"], fault):
            held = self.memory.records.get(row["id"])
            if held is None or held.is_deleted:
                errors = [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]
                results.append({"success": False, "errors": errors})
            else:
                self.memory.update(held, self._fields(row))
                results.append({"id": held.id, "success": True, "errors": []})
        return Reply(200, results)

    def _bulk(self, request: Request, job_id: str | None, part: str | None, fault: str | None) -> Reply:
        if job_id is None and request.method == "GET":
            listed = [{k: v for k, v in _job(one).items() if k != "externalIdFieldName"} for one in self.jobs.values()]
            return Reply(200, {"done": True, "records": listed, "nextRecordsUrl": None})
        if job_id is None:
            job = {
                "id": f"750{len(self.jobs):012d}",
                "state": "Open",
                "rows": [],
                "done": [],
                "failed": [],
                **request.json(),
            }
            self.jobs[job["id"]] = job
            return Reply(200, _job(job))
        job = self.jobs[job_id]
        if part == "batches":
            job["rows"] = list(csv.DictReader(io.StringIO(request.body.decode(), newline="")))
            return Reply(201, b"")
        if part is not None:
            return Reply(200, self._result(job, part, fault).encode(), {"Content-Type": "text/csv"})
        if request.method == "PATCH":
            if job["state"] not in ("Open", "UploadComplete"):
                return Reply(400, [{"errorCode": "INVALIDJOBSTATE", "message": "the job is not open"}])
            job["state"] = request.json()["state"]
            if job["state"] == "UploadComplete":
                wait = self.options.get("bulk_seconds", 0.0)
                carry_out = partial(self._carry_out, job, fault)
                self.memory.later(wait, carry_out) if wait else carry_out()
        return Reply(200, _job(job))

    def _carry_out(self, job: dict[str, Any], fault: str | None) -> None:
        if job["state"] != "UploadComplete":
            return
        for row in self.draw.part(job["rows"], fault):
            told = self._row(job["object"], job["externalIdFieldName"], {k: v for k, v in row.items() if v}, fault)
            if told["success"]:
                job["done"].append({"sf__Id": told["id"], "sf__Created": str(told["created"]).lower(), **row})
            else:
                error = told["errors"][0]
                job["failed"].append({"sf__Id": "", "sf__Error": f"{error['statusCode']}:{error['message']}:--", **row})
        job["state"] = "Failed" if fault == "half_applied" else "JobComplete"

    def _result(self, job: dict[str, Any], part: str, fault: str | None) -> str:
        told = len(job["done"]) + len(job["failed"])
        parts = {
            "successfulResults": job["done"],
            "failedResults": job["failed"],
            "unprocessedrecords": job["rows"][told:],
        }
        rows = self.draw.misreport(list(parts[part]), fault, {"sf__Id": "1", self.key: "somebody-else"})
        out = io.StringIO(newline="")
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(out, names or ["sf__Id"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()


def _job(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in ("rows", "done", "failed")}
