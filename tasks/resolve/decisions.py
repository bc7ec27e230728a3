"""What people decided on companies, read from the ledger: merged, split, pinned, succeeded, listed; undone left out."""

import json
from datetime import date
from typing import Any

import pyarrow as pa

from tasks.standing import standing_decisions

COLUMNS = ("decision_id", "kind", "part", "row_id", "field", "value", "seq", "decided_on", "actor", "reason")
SCHEMA = pa.schema([(name, {"seq": pa.int64(), "decided_on": pa.date32()}.get(name, pa.string())) for name in COLUMNS])
# How a decision's subject (JSON) names directory rows: part → key. A row is named by its source and source key
# (`row_id`), for ids of accounts may be redirected and those of rows never are.
_PARTS = {
    "merge": {"together": "rows"},  # {"rows": [row of one account, row of the other]}
    "split": {"kept": "kept", "apart": "apart"},  # {"kept": […], "apart": [the rows that leave]}
    "pin": {"pin": "rows"},  # {"rows": [any row of the account]}; payload {"field": …, "value": …}
    # {"before": [row of the old], "after": [row of the new]}; payload {"value": the day}. "kept" and "apart" as of a
    # split where a code is missing that would keep the two apart by itself.
    "succeed": {"before": "before", "after": "after", "kept": "kept", "apart": "apart"},
    "keep": {"seen": "rows"},  # {"rows": [a row of each account]}: looked at, it stays as it is
    "target": {"target": "rows"},  # {"rows": [any row of the account]}; payload: the entry (list_decisions)
}
# What a person may fix, and as what: columns of resolved.accounts. A code is no matter of opinion, and not among them.
PINNABLE = {
    "name": "text", "registration_no": "text", "name_en": "text", "short_name": "text", "status": "status",
    "founded_on": "date", "registered_capital": "amount", "registered_capital_currency": "text",
    "province_code": "place", "city_code": "place", "district_code": "place", "province": "text", "city": "text",
    "district": "text", "address": "text", "country": "text", "industry": "text", "industry_section": "text",
    "industry_division": "text", "company_type": "text", "employees": "number", "employees_band": "text",
    "revenue": "amount", "revenue_band": "text", "phone": "text", "email": "text", "website": "text",
    "domain": "text", "scope": "text", "crm_account_id": "text",
}  # fmt: skip
KINDS = tuple(_PARTS)
_ENTRY = {**dict.fromkeys(("decision_id", "verdict", "row_id", "tier", "reason", "owner_id", "actor"), pa.string()),
          "seq": pa.int64(), **dict.fromkeys(("valid_from", "valid_to"), pa.date32())}  # fmt: skip


def account_decisions(decisions: pa.Table) -> pa.Table:
    """One row per directory row that a standing decision on companies names (resolved.account_decisions).

    `decisions` is the ledger's table.
    """
    found = [part for row in standing_decisions(decisions) if row["kind"] in _PARTS for part in _parts(row)]
    return pa.Table.from_pylist(found, SCHEMA)


def list_decisions(decisions: pa.Table) -> pa.Table:
    """One row per standing decision on the target list (resolved.list_decisions): on it, or off it, from a day on.

    `decisions` is the ledger's table. What is not said begins on the day it was decided.
    """
    rows = [
        _entry(row) for row in standing_decisions(decisions) if row["kind"] == "target" and row["verdict"] != "undo"
    ]
    return pa.Table.from_pylist(rows, pa.schema(_ENTRY))


def _entry(decision: dict[str, Any]) -> dict[str, Any]:
    said = json.loads(decision["payload"])
    days = {name: date.fromisoformat(said[name]) if said.get(name) else None for name in ("valid_from", "valid_to")}
    return {
        **{name: decision[name] for name in ("decision_id", "verdict", "reason", "actor", "seq")},
        "row_id": json.loads(decision["subject"])["rows"][0],
        "tier": said.get("tier"),
        "owner_id": said.get("owner_id"),
        "valid_from": days["valid_from"] or decision["recorded_as_of"],
        "valid_to": days["valid_to"],
    }


def _parts(decision: dict[str, Any]) -> list[dict[str, Any]]:
    subject, payload = json.loads(decision["subject"]), json.loads(decision["payload"] or "{}")
    about = {
        "decision_id": decision["decision_id"],
        "kind": decision["kind"],
        "field": payload.get("field"),
        "value": payload.get("value"),
        "seq": decision["seq"],
        "decided_on": decision["recorded_as_of"],
        "actor": decision["actor"],
        "reason": decision["reason"],
    }
    return [
        {**about, "part": part, "row_id": row_id}
        for part, key in _PARTS[decision["kind"]].items()
        for row_id in sorted(set(subject.get(key, ())))
    ]
