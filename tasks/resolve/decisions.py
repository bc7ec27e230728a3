"""What people decided on companies, read from the ledger: merged, split, pinned, undone."""

import json
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
}


def account_decisions(decisions: pa.Table) -> pa.Table:
    """One row per directory row that a standing decision on companies names (resolved.account_decisions).

    `decisions` is the ledger's table.
    """
    found = [part for row in standing_decisions(decisions) if row["kind"] in _PARTS for part in _parts(row)]
    return pa.Table.from_pylist(found, SCHEMA)


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
