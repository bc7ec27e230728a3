"""What people decided on companies stands until it is undone."""

import json
from datetime import date
from typing import Any

import pyarrow as pa

from tasks.resolve.decisions import account_decisions

TEXTS = ("decision_id", "kind", "subject", "verdict", "payload", "actor", "reason", "undoes")
SCHEMA = pa.schema({"seq": "int64", "recorded_as_of": "date32", **dict.fromkeys(TEXTS, "string")})


def decided(*rows: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(decision, part, row) of what stands."""
    given = [{"seq": place, "recorded_as_of": date(2026, 1, 1), "actor": "li", **row} for place, row in enumerate(rows)]
    found = account_decisions(pa.Table.from_pylist(given, SCHEMA))
    return [(row["decision_id"], row["part"], row["row_id"]) for row in found.to_pylist()]


MERGE = {"decision_id": "m", "kind": "merge", "subject": json.dumps({"rows": ["crm:1", "qcc:7"]}), "verdict": "merge"}
UNDO = {"decision_id": "u", "kind": "undo", "subject": "{}", "verdict": "undo", "undoes": "m"}


def test_a_merge_names_the_rows_that_belong_together() -> None:
    assert decided(MERGE) == [("m", "together", "crm:1"), ("m", "together", "qcc:7")]


def test_a_split_names_who_leaves_and_who_stays() -> None:
    subject = json.dumps({"kept": ["a:1"], "apart": ["b:1"]})
    found = decided({"decision_id": "s", "kind": "split", "subject": subject, "verdict": "split"})
    assert found == [("s", "kept", "a:1"), ("s", "apart", "b:1")]


def test_what_is_undone_no_longer_stands() -> None:
    assert decided(MERGE, UNDO) == []


def test_an_undone_undo_lets_the_decision_stand_again() -> None:
    again = {**UNDO, "decision_id": "u2", "undoes": "u"}
    assert decided(MERGE, UNDO, again) == [("m", "together", "crm:1"), ("m", "together", "qcc:7")]


def test_decisions_on_other_things_are_left_alone() -> None:
    assert decided({"decision_id": "x", "kind": "match", "subject": "{}", "verdict": "accept"}) == []
