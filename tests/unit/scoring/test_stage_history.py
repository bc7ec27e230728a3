"""Which recorded transitions count when today's replay says something else."""

import hashlib
from datetime import datetime
from typing import Any

import pyarrow as pa

from scoring.stage_history import project_stages
from tests.unit.scoring.lives import day

AT = day(200)
_TEXT, _TIME = pa.string(), pa.timestamp("us")
_DERIVED = pa.schema(
    [("transition_id", _TEXT), ("lead_id", _TEXT), ("cycle", pa.int64()), ("stage", _TEXT), ("entered_at", _TIME),
     ("reason", _TEXT), ("rule", _TEXT), ("actor", _TEXT)]
)  # fmt: skip
_RECORDED = _DERIVED.append(pa.field("decided_at", _TIME)).append(pa.field("recorded_lead_id", _TEXT))


def _row(stage: str, at: float, cycle: int = 1, lead_id: str = "L1") -> dict[str, Any]:
    name = hashlib.md5(f"{lead_id}|{cycle}|{stage}|{at}".encode()).hexdigest()
    told = {"transition_id": name, "lead_id": lead_id, "cycle": cycle, "stage": stage, "entered_at": day(at)}
    return {**told, "reason": None, "rule": "rule", "actor": None}


def _recorded(stage: str, at: float, decided: datetime | None = None, today: str | None = "L1", **other: Any) -> Any:
    row = _row(stage, at, **other)
    return {**row, "recorded_lead_id": row["lead_id"], "lead_id": today, "decided_at": decided or day(at + 1)}


def _project(derived: list[Any], recorded: list[Any]) -> tuple[list[Any], list[str]]:
    """(cycle, stage, entered, decided, current) of what counts, and the state of each recorded row."""
    stages, log = project_stages(
        pa.Table.from_pylist(derived, schema=_DERIVED), pa.Table.from_pylist(recorded, schema=_RECORDED), AT
    )
    shown = [
        (row["cycle"], row["stage"], row["entered_at"], row["decided_at"], row["is_current"])
        for row in stages.to_pylist()
    ]
    return shown, log["state"].to_pylist()


def test_what_follows_counts_since_it_was_first_recorded() -> None:
    derived = [_row("inquiry", 0), _row("mql", 3)]
    shown, states = _project(derived, [_recorded("inquiry", 0), _recorded("mql", 3)])
    assert shown == [(1, "inquiry", day(0), day(1), False), (1, "mql", day(3), day(4), True)]
    assert states == ["counted", "counted"]


def test_a_late_event_moves_the_mql_and_makes_no_second_one() -> None:
    derived = [_row("inquiry", 0), _row("mql", 3)]
    shown, states = _project(derived, [_recorded("inquiry", 0), _recorded("mql", 9), _recorded("mql", 3, day(12))])
    assert [row[1:3] for row in shown] == [("inquiry", day(0)), ("mql", day(3))]
    assert states == ["counted", "superseded", "counted"]


def test_an_mql_that_no_longer_follows_stands_because_sales_was_told() -> None:
    shown, states = _project([_row("inquiry", 0)], [_recorded("inquiry", 0), _recorded("mql", 9)])
    assert [row[1] for row in shown] == ["inquiry", "mql"]
    assert states == ["counted", "standing"]


def test_a_fact_that_no_longer_follows_is_superseded() -> None:
    shown, states = _project([_row("inquiry", 0)], [_recorded("inquiry", 0), _recorded("won", 9)])
    assert [row[1] for row in shown] == ["inquiry"]
    assert states == ["counted", "superseded"]


def test_an_mql_of_a_cycle_that_is_gone_is_superseded() -> None:
    _, states = _project([_row("inquiry", 0)], [_recorded("mql", 50, cycle=2)])
    assert states == ["superseded"]


def test_an_mql_dated_after_a_later_stage_is_superseded() -> None:
    _, states = _project([_row("inquiry", 0), _row("sal", 5)], [_recorded("mql", 9)])
    assert states == ["superseded"]


def test_of_two_merged_persons_the_stages_count_once() -> None:
    derived = [_row("inquiry", 0), _row("mql", 3)]
    recorded = [_recorded("mql", 3, lead_id="L2"), _recorded("mql", 3), _recorded("inquiry", 0)]
    shown, states = _project(derived, recorded)
    assert [row[1] for row in shown] == ["inquiry", "mql"]
    assert states == ["superseded", "counted", "counted"]


def test_transitions_of_a_person_who_is_gone_stay_readable() -> None:
    shown, states = _project([], [_recorded("mql", 3, today=None)])
    assert shown == []
    assert states == ["superseded"]


def test_a_stage_is_left_when_the_next_is_entered() -> None:
    stages, _ = project_stages(
        pa.Table.from_pylist([_row("won", -3), _row("inquiry", 0), _row("mql", 5, cycle=2)], schema=_DERIVED),
        pa.Table.from_pylist([], schema=_RECORDED),
        AT,
    )
    rows = [(row["stage"], row["left_at"], row["is_before_inquiry"], row["decided_at"]) for row in stages.to_pylist()]
    assert rows == [("inquiry", None, False, AT), ("won", day(5), True, AT), ("mql", None, False, AT)]
