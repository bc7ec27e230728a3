"""What if leads were given out by other rules: who has them, how evenly, what is taken back; and nothing is written."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from abmloop.errors import BadUsage
from scoring.policies.routing import RoutingPolicy
from tasks.whatif.history import History, open_history, other_rules
from tasks.whatif.routing import RoutingAnswer, whatif_routing
from tests.faults.scoring_world import ScoringWorld

SINCE = date(2026, 3, 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four MQLs of early March and two sales people; one lead was worked until its deal in April."""
    found = tmp_path_factory.mktemp("whatif") / "workspace"
    (found / "inbox").mkdir(parents=True)
    (found / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    world = ScoringWorld(found)
    for number in (1, 2, 3, 4):
        person = world.person(number, account=f"A{number}")
        world.touch(f"t{number}", f"2026-03-0{number} 02:00", "demo_request", person=person)
    for owner in ("o1", "o2"):
        world.owner(owner)
    for number, day in enumerate((5, 12, 20)):
        world.add("core.activities", row_id=f"a{number}", activity_id=f"a{number}", owner_id="o1", person_id="P1",
                  type="call", occurred_at=datetime(2026, 3, day, 4))  # fmt: skip
    world.add("core.deals", deal_id="d1", account_id="A1", person_id="P1", status="open", type="new",
              created_at="2026-03-20 06:00", owner_id="o1")  # fmt: skip
    world.day("2026-04-30")
    return found


@pytest.fixture
def history(root: Path) -> Iterator[History]:
    """The workspace's past."""
    with open_history(root) as opened:
        yield opened


def _ask(history: History, **changes: str) -> RoutingAnswer:
    given = {key.replace("__", "."): value for key, value in changes.items()}
    policy = other_rules(history, RoutingPolicy, None, None, given)
    return whatif_routing(history, policy, SINCE, date(2026, 3, 15))


def test_the_same_rules_change_nothing(history: History) -> None:
    answer = _ask(history)
    assert (answer.leads, answer.before, answer.changes.num_rows) == (4, answer.after, 0)
    assert (answer.before.given, answer.before.gini, answer.before.no_follow_up) == (8, 0.0, 4)


def test_other_rules_name_the_leads_with_another_owner_and_the_loads(history: History) -> None:
    answer = _ask(history, pools__sales__owners="[o2]")
    assert answer.changes["lead_id"].to_pylist() == ["L1", "L2", "L3", "L4"]
    assert answer.changes["first_after"].to_pylist() == ["o2"] * 4
    assert answer.changes["first_before"].to_pylist() == ["o1", "o2", "o1", "o2"]
    loads = {row["owner_id"]: (row["received_before"], row["received_after"]) for row in answer.owners.to_pylist()}
    assert loads == {"o1": (4, 0), "o2": (4, 4)}
    assert (answer.after.gini, answer.after.without_owner) == (0.5, 4)


def test_shorter_timers_take_back_more_but_not_what_was_worked(history: History) -> None:
    answer = _ask(history, reclaim__default_days="5", reclaim__cool_down_days="0")
    assert answer.after.no_follow_up > answer.before.no_follow_up


def test_an_empty_period_is_refused(history: History) -> None:
    with pytest.raises(BadUsage, match="--from 2027-01-01"):
        whatif_routing(history, history.policy(RoutingPolicy), date(2027, 1, 1), None)
