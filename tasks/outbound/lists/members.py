"""Who stands on which list: the ledger's memory of what was handed over, by keyed hashes, never by platform hashes."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from scoring.policies.audiences import ListRule
from warehouse.ledger import Ledger

# An export that was begun and never became a file: nothing of it left, and nothing of it counts.
ABANDONED = "abandoned"


class Member(NamedTuple):
    """One key on a list: whose it was, and the export it left with."""

    person_id: str | None
    key_kind: str
    key_hash: str
    export_id: str


@dataclass(frozen=True)
class Export:
    """One export as the ledger knows it; `state` is its last event, None while there is none; `rule` as it was then."""

    export_id: str
    list_id: str
    kind: str
    action: str
    state: str | None
    file_name: str | None
    rows: int
    recorded_at: datetime
    valid_until: datetime | None
    campaign: str | None
    rule: ListRule


def read_exports(ledger: Ledger) -> dict[str, Export]:
    """Every export of a list by its id, oldest first."""
    events: dict[str, str] = {row["export_id"]: row["state"] for row in ledger.read("export_events").to_pylist()}
    found = {}
    for row in ledger.read("exports").to_pylist():
        told: dict[str, Any] = json.loads(row["evidence"] or "{}")
        found[row["export_id"]] = Export(
            row["export_id"],
            row["list_id"],
            row["kind"],
            row["action"],
            events.get(row["export_id"]),
            row["file_name"],
            row["row_count"] or 0,
            row["recorded_at"],
            row["valid_until"],
            told.get("campaign"),
            ListRule.model_validate(told["rule"]),
        )
    return found


def active_members(
    ledger: Ledger, exports: Mapping[str, Export], list_id: str, at: datetime
) -> dict[tuple[str, str], Member]:
    """(kind, keyed hash) → who stands on a list at that instant (UTC): added, not taken off, not run out."""
    found: dict[tuple[str, str], Member] = {}
    for row in ledger.read("list_members", only={"list_id": list_id}).to_pylist():
        export = exports[row["export_id"]]
        if export.state == ABANDONED:
            continue
        key = (row["key_kind"], row["key_hash"])
        if row["action"] == "remove":
            found.pop(key, None)
        elif export.valid_until is None or export.valid_until > at:
            found[key] = Member(row["person_id"], *key, row["export_id"])
    return found


def contacts_since(
    ledger: Ledger, exports: Mapping[str, Export], kind: str, at: datetime, days: int
) -> dict[str, set[str]]:
    """Person → what reached them by a channel in the days before an instant: campaigns, or exports that have none."""
    since = at - timedelta(days=days)
    counted = {
        export.export_id: export.campaign or export.export_id
        for export in exports.values()
        if export.kind == kind
        and export.action in ("add", "replace")
        and export.state != ABANDONED
        and export.recorded_at > since
    }
    found: dict[str, set[str]] = defaultdict(set)
    for row in ledger.read("list_members").to_pylist() if counted else ():
        if row["export_id"] in counted and row["action"] == "add" and row["person_id"]:
            found[row["person_id"]].add(counted[row["export_id"]])
    return found
