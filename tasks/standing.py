"""Which of people's decisions stand: all that no standing later one undoes."""

from typing import Any

import pyarrow as pa


def standing_decisions(decisions: pa.Table) -> list[dict[str, Any]]:
    """The ledger's decisions that stand, in their order; an undoing that is itself undone undoes nothing."""
    rows = decisions.sort_by("seq").to_pylist()
    undone: set[str] = set()
    for decision in reversed(rows):
        if decision["undoes"] and decision["decision_id"] not in undone:
            undone.add(decision["undoes"])
    return [row for row in rows if row["decision_id"] not in undone]
