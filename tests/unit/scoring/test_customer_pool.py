"""Customers whose holder does nothing: warned, in the pool at the end of the day, claimed by others, with cool-down."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from scoring.policies.routing import RoutingPolicy
from tasks.policies import workspace_policy
from tasks.route.customers import CustomerDesk
from tasks.route.state import Now, Said
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect
from warehouse.ledger import Ledger

RULES = """
pools: [{id: sales, mode: assigned, why: in turn}]
customer_pool: {follow_up_days: 30, protect_days: 10, warn_days: 5, cool_down_days: 60, why: to who will speak to them}
"""
HELD = "select account_id, holder_id, pool_id, due_on from scored.customer_holders order by 1"


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """A1 and A2 bought from o1 on 1 March; o1 spoke to A2 on the 20th. P1 of A1 asks for a demo in April."""
    found = ScoringWorld(workspace)
    (workspace / "config").mkdir()
    (workspace / "config" / "routing.yaml").write_text(RULES, encoding="utf-8")
    person = found.person(1, account="A1")
    found.person(2, account="A2")
    for number in (1, 2):
        found.add("core.deals", deal_id=f"d{number}", account_id=f"A{number}", status="won", type="new", owner_id="o1",
                  created_at="2026-02-01", closed_at="2026-03-01 04:00")  # fmt: skip
    found.add("core.activities", row_id="a1", activity_id="a1", owner_id="o1", account_id="A2", type="call",
              occurred_at=datetime(2026, 3, 20, 4))  # fmt: skip
    found.touch("t1", "2026-04-02 02:00", "demo_request", person=person)
    found.owner("o1")
    found.owner("o2")
    return found


@contextmanager
def at_desk(world: ScoringWorld, at: datetime) -> Iterator[CustomerDesk]:
    with connect(world.root) as con, Ledger.of(world.root) as ledger:
        con.execute("create or replace table marts.published as select null::varchar as run_id where false")
        con.execute(
            "create or replace table matched.new_account_redirects (new_account_id varchar, account_id varchar)"
        )
        said = Said(Person("person:ann", at.date()), "ann")
        yield CustomerDesk(Now(con, ledger, at, "Asia/Shanghai"), workspace_policy(world.root, RoutingPolicy), said)


def test_a_customer_nobody_speaks_to_falls_into_the_pool_and_is_claimed(world: ScoringWorld) -> None:
    world.day("2026-03-30")
    assert world.ask(HELD) == [("A1", "o1", None, date(2026, 3, 31)), ("A2", "o1", None, date(2026, 4, 19))]
    world.day("2026-03-31")
    assert world.ask(HELD) == [("A1", None, "customers", None), ("A2", "o1", None, date(2026, 4, 19))]
    world.day("2026-04-02")
    # The lead of a customer in the pool goes in turn, no more to who lost the customer by right.
    assert world.ask("select method from scored.assignments") == [("pool",)]
    with at_desk(world, datetime(2026, 4, 3, 2)) as desk:
        with pytest.raises(BadUsage, match="o1 had A1 before"):
            desk.claim("A1", "o1")
        with pytest.raises(BadUsage, match="A2 is not in the customer pool"):
            desk.claim("A2", "o2")
        desk.claim("A1", "o2")
        with pytest.raises(BadUsage, match="claimed by o2"):
            desk.claim("A1", "o1")
    world.day("2026-04-04")
    assert world.ask(HELD)[0] == ("A1", "o2", None, date(2026, 5, 3))
    lines = "select path, owner_id, reason from scored.customer_log order by number"
    assert world.ask(lines) == [("reclaim", None, "no_follow_up"), ("claim", "o2", "claimed")]


def test_a_customer_given_back_is_in_the_pool(world: ScoringWorld) -> None:
    world.day("2026-03-30")
    with at_desk(world, datetime(2026, 3, 31, 2)) as desk:
        with pytest.raises(BadUsage, match="A1 is held by o1"):
            desk.release("A1", "o2")
        desk.release("A1", "o1")
        desk.claim("A1", "o2")
    world.day("2026-03-31")
    assert world.ask(HELD)[0][:2] == ("A1", "o2")
