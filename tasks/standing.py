"""People's decisions in the ledger: how one is written, and which stand: all that no standing later one undoes."""

import hashlib
import json
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


def new_decision(
    kind: str, verdict: str, subject: dict[str, Any], payload: dict[str, Any], by: tuple[int, str, str]
) -> dict[str, Any]:
    """A row for the ledger's table of decisions; `by`: the ledger's head, who decides, and why.

    The head is part of its name: the same decision taken again after an undoing is another one.
    """
    head, actor, reason = by
    texts = [json.dumps(part, ensure_ascii=False, sort_keys=True) for part in (subject, payload)]
    identity = json.dumps([head, kind, verdict, *texts, actor, reason], ensure_ascii=False)
    return {
        "decision_id": "D" + hashlib.sha256(identity.encode()).hexdigest()[:16],
        "kind": kind,
        "subject": texts[0],
        "verdict": verdict,
        "payload": texts[1],
        "actor": actor,
        "reason": reason,
        "undoes": None,
    }
