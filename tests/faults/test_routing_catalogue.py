"""The catalogue's cases of routing beside test_scoring_routing (G06 to G08, G12), each with its control."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy
from abmloop.run import Person
from scoring.policies.routing import ReclaimRule, RoutingPolicy, WorkingTime
from scoring.routing import desk, reclaim_at
from scoring.working_time import add_working_minutes
from tasks.route.sales_log import new_line
from tasks.route.step import route
from tasks.runs import open_run
from tasks.score.step import score
from tests.faults.scoring_world import ScoringWorld
from tests.unit.scoring.test_routing import _assign, _lead, _owner
from warehouse.ledger import Ledger

ALICE = Person("person:alice", date(2026, 3, 5))
TOLD = "select kind, told_to from scored.sales_events where actor = 'abmloop' order by happened_at, kind"


def test_g06_rules_without_a_catch_all_are_refused() -> None:
    rules = "pools: [{id: a, mode: assigned, where: {grades: [A]}, why: the best}]"
    with pytest.raises(BadPolicy, match="must take every lead"):
        parse_policy(rules, RoutingPolicy)
    assert parse_policy(rules.replace("where: {grades: [A]}, ", ""), RoutingPolicy).pools[-1].id == "a"  # control


def test_g07_who_left_gets_nothing_and_without_the_gate_would(monkeypatch: pytest.MonkeyPatch) -> None:
    lead, owners = _lead(), [_owner("o1", is_active=False), _owner("o2")]
    assert _assign([lead], owners)["L1"]["owner_id"] == "o2"
    monkeypatch.setattr(desk, "lasting_gate", lambda *_, **__: None)
    assert _assign([lead], owners)["L1"]["owner_id"] == "o1"


def test_g08_of_two_runs_that_assign_one_lead_the_first_counts(tmp_path: Path) -> None:
    said = {"path": "assigned", "reason": "pool_turn", "assigned_at": datetime(2026, 3, 5), "actor": "abmloop"}
    lines = [new_line("L1", None, owner_id=owner, **said) for owner in ("o1", "o2")]
    with Ledger.of(tmp_path) as ledger:
        assert [ledger.append("assignments", [line], ALICE) for line in lines] == [1, 0]
        assert ledger.read("assignments")["owner_id"].to_pylist() == ["o1"]
        # Control: lines that bear the name of who is assigned, not of what they follow, both come in.
        named = [{**line, "assignment_id": f"L2|{line['owner_id']}", "lead_id": "L2"} for line in lines]
        assert [ledger.append("assignments", [line], ALICE) for line in named] == [1, 1]


def test_g08_a_run_that_began_before_another_assigned_adds_nothing(workspace: Path) -> None:
    world = ScoringWorld(workspace)
    world.touch("t1", "2026-03-01 02:00", "demo_request", person=world.person())
    world.owner("o1")
    with open_run(workspace, date(2026, 3, 5)) as stale:
        world.fill()
        score(stale)
        line = new_line("L1", None, owner_id="o9", path="assigned", reason="pool_turn",
                        assigned_at=datetime(2026, 3, 5), actor="abmloop")  # fmt: skip
        with Ledger.of(workspace) as ledger:
            ledger.append("assignments", [line], ALICE)
        assert route(stale).counts["lines"] == 0
        with Ledger.of(workspace) as ledger:
            assert ledger.read("assignments")["owner_id"].to_pylist() == ["o9"]


@pytest.mark.parametrize(
    ("claimed", "back"),
    [
        ("2026-03-19 11:00", "2026-03-29 21:59:59"),  # the night of the gap: summer time from the 29th on
        ("2026-10-15 10:00", "2026-10-25 22:59:59"),  # the night of the overlap: winter time again
    ],
)
def test_g12_a_day_ends_by_the_clocks_of_the_place_also_when_they_change(claimed: str, back: str) -> None:
    kind = pa.timestamp("us")
    at, none = pa.array([datetime.fromisoformat(claimed)], kind), pa.array([[]], pa.list_(kind))
    assert str(reclaim_at(at, none, ReclaimRule(), "Europe/Berlin")[0].as_py()) == back
    assert str(reclaim_at(at, none, ReclaimRule(), "Etc/GMT-1")[0].as_py())[:10] == back[:10]
    fixed = "Etc/GMT-1" if back.endswith("21:59:59") else "Etc/GMT-2"  # control: the offset of the day of the claim
    assert str(reclaim_at(at, none, ReclaimRule(), fixed)[0].as_py()) != back


def test_g12_make_up_days_count_and_without_the_calendar_would_not() -> None:
    saturday = datetime(2026, 2, 14, 2)  # 10:00 in Shanghai, made up for Spring Festival
    at = pa.array([saturday], pa.timestamp("us")).cast(pa.int64()).to_numpy()

    def due(rule: WorkingTime) -> datetime:
        return datetime(1970, 1, 1) + timedelta(microseconds=int(add_working_minutes(at, 60, rule, "Asia/Shanghai")[0]))

    assert due(WorkingTime()) == datetime(2026, 2, 14, 3)
    assert due(WorkingTime(country="US")) == datetime(2026, 2, 17, 2)  # Monday is Presidents' Day


def test_g12_reminder_and_escalation_are_told_once_to_the_right_person(workspace: Path) -> None:
    world = ScoringWorld(workspace)
    world.touch("t1", "2026-03-01 02:00", "demo_request", person=world.person())
    world.owner("o1", manager_id="o9")
    world.owner("o9", is_active=False)
    world.add("core.activities", row_id="a0", activity_id="a0", owner_id="o1", person_id="P1", type="call",
              occurred_at=datetime(2026, 3, 12, 4))  # fmt: skip
    world.day("2026-03-05")  # a Thursday evening
    assert world.ask(TOLD) == []
    world.day("2026-03-06")
    accept = [("accept_reminder", "o1"), ("accept_overdue", "o9")]
    assert world.ask(TOLD) == accept
    world.day("2026-03-06")
    assert world.ask(TOLD) == accept, "once each"
    world.day("2026-03-12")
    touch = [("first_touch_reminder", "o1"), ("first_touch_overdue", "o9")]
    assert world.ask(TOLD)[:4] == [*accept, *touch]
    late = "select first_action_at, first_action_at > first_touch_due_at from scored.assignments"
    assert world.ask(late) == [(datetime(2026, 3, 12, 4), True)], "how late it was is on record"
    world.day("2026-03-13")
    assert world.ask(TOLD)[4:] == [("no_follow_up_warning", "o1")], "two days before it goes back"
