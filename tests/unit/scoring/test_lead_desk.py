"""What sales does with leads: claimed, given back, accepted, rejected, handed over; limits and cool-down hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from scoring.policies.routing import RoutingPolicy
from tasks.policies import workspace_policy
from tasks.route.desk import LeadDesk
from tasks.route.listing import Wanted, list_leads, show_lead
from tasks.route.state import Now, Said
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect
from warehouse.ledger import Ledger

DAY = datetime(2026, 3, 6, 4)  # noon in Shanghai, the day after the world's run
RULES = """
pools: [{id: public, mode: claim, why: whoever has time}]
reclaim: {protect_days: 2}
"""


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """Three MQLs in a claim pool and three sales people, of whom o2 may hold one lead."""
    found = ScoringWorld(workspace)
    (workspace / "config").mkdir()
    (workspace / "config" / "routing.yaml").write_text(RULES, encoding="utf-8")
    for number in (1, 2, 3):
        person = found.person(number, account=f"A{number}")
        found.touch(f"t{number}", f"2026-03-0{number} 02:00", "demo_request", person=person)
    found.owner("o1")
    found.owner("o2", holding_limit=1)
    found.owner("o3", is_active=False)
    found.day("2026-03-05")
    return found


@contextmanager
def at_desk(world: ScoringWorld, at: datetime = DAY, reason: str = "", language: str = "en") -> Iterator[LeadDesk]:
    """The desk as people find it between two runs."""
    with connect(world.root) as con, Ledger.of(world.root) as ledger:
        con.execute("create table if not exists marts.published (run_id varchar)")
        con.execute("delete from marts.published")
        con.execute("insert into marts.published select run_id from ops.steps order by started_at desc limit 1")
        said = Said(Person("person:ann", at.date()), "ann", reason, language)
        now = Now(con, ledger, at, "Asia/Shanghai")
        yield LeadDesk(now, workspace_policy(world.root, RoutingPolicy), said)


def listed(desk: LeadDesk, **wanted: object) -> list[tuple[object, ...]]:
    """(lead, owner, pool) as `abmloop lead list` shows them."""
    rows = list_leads(desk.now, desk.policy, Wanted(**wanted))  # type: ignore[arg-type]
    return sorted((row["lead_id"], row["owner"], row["pool"]) for row in rows)


def test_a_claimed_lead_is_its_owners_at_once_and_a_sal_after_the_next_run(world: ScoringWorld) -> None:
    with at_desk(world, reason="knows them") as desk:
        told = desk.claim("L1", "o1").told("en")
        assert "o1 has L1 now" in told
        assert listed(desk) == [("L1", "o1", None), ("L2", None, "public"), ("L3", None, "public")]
        assert "claimed from pool public: knows them" in show_lead(desk.now, desk.policy, "P1")
    world.day("2026-03-06")
    assert ("L1", 1, "sal", "2026-03-06") in world.stages()
    asked = "select owner_id, path, actor, accepted_at from scored.assignments where lead_id = 'L1' and is_current"
    assert world.ask(asked) == [("o1", "claim", "ann", DAY)]


def test_of_two_who_claim_at_once_the_first_has_it_and_the_other_is_told_who(world: ScoringWorld) -> None:
    ready, told = Barrier(2), []

    def claim(desk: LeadDesk, owner: str) -> None:
        ready.wait()
        try:
            told.append(desk.claim("L1", owner).code)
        except BadUsage as error:
            told.append(str(error))

    with at_desk(world) as first, at_desk(world) as second:
        threads = [Thread(target=claim, args=pair) for pair in ((first, "o1"), (second, "o2"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = [row["owner_id"] for row in first.now.ledger.read("assignments", only={"lead_id": "L1"}).to_pylist()]
    assert len(held) == 2  # the pool, then one owner
    assert sorted(code == "lead_claimed" for code in told) == [False, True]
    assert f"{held[1]} has L1" in next(text for text in told if text != "lead_claimed")


def test_limits_hold_for_claims_and_transfers(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o2")
        with pytest.raises(BadUsage, match="holds 1, limit 1; 1 taken today"):
            desk.claim("L2", "o2")
        desk.claim("L2", "o1")
        with pytest.raises(BadUsage, match="o2 may not have it: holding limit reached"):
            desk.transfer("L2", "o2", owner="o1")
        desk.release("L1")
        desk.transfer("L2", "o2", owner="o1")
        assert listed(desk, owner="o2") == [("L2", "o2", None)]


def test_nobody_inactive_or_unknown_gets_a_lead(world: ScoringWorld) -> None:
    with at_desk(world, language="zh") as desk:
        with pytest.raises(BadUsage) as inactive:
            desk.claim("L1", "o3")
        with pytest.raises(BadUsage) as unknown:
            desk.claim("L1", "nobody")
    assert "o3 不能接收：已停用" in inactive.value.told("zh")
    assert "不在销售名单中" in unknown.value.told("zh")


def test_who_gave_a_lead_back_cools_down_and_others_do_not(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o1")
        desk.release("L1", owner="o1")
        with pytest.raises(BadUsage, match="o1 had L1 before"):
            desk.claim("L1", "o1")
        desk.claim("L1", "o2")
    with at_desk(world, DAY + timedelta(days=31)) as later:
        later.release("L1")
        later.claim("L1", "o1")
        assert listed(later, owner="o1") == [("L1", "o1", None)]


def test_soon_after_a_claim_only_the_owner_gives_a_lead_away(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o1")
        with pytest.raises(BadUsage, match="only o1 gives it away"):
            desk.transfer("L1", "o2")
        with pytest.raises(BadUsage, match="with o1, not with o2"):
            desk.transfer("L1", "o2", owner="o2")
    with at_desk(world, DAY + timedelta(days=3)) as later:
        later.transfer("L1", "o2")
        assert listed(later, owner="o2") == [("L1", "o2", None)]


def test_a_rejected_lead_is_recycled_with_its_reason_and_waits_until_it_comes_back(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o1")
        with pytest.raises(BadUsage, match="Say why"):
            desk.reject("L1")
    with at_desk(world, DAY + timedelta(hours=2), reason="a student") as desk:
        desk.reject("L1")
        assert [row[0] for row in listed(desk)] == ["L2", "L3"]
        with pytest.raises(BadUsage, match="was rejected by sales"):
            desk.claim("L1", "o2")
    world.day("2026-03-06")
    assert ("L1", 1, "recycled", "2026-03-06") in world.stages()
    reasons = world.ask("select reason from scored.lead_stages where lead_id = 'L1' and stage = 'recycled'")
    assert reasons == [("a student",)]


def test_an_acceptance_counts_once(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o1")
        with pytest.raises(BadUsage, match="accepted already"):
            desk.accept("L1")
        desk.transfer("L1", "o2", owner="o1")
        desk.accept("L1", owner="o2")  # another owner, another acceptance


def test_what_the_crm_says_goes_through_the_same_log_once(world: ScoringWorld) -> None:
    with at_desk(world) as desk:
        desk.claim("L1", "o1")
        desk.claim("L2", "o2")
        desk.release("L2")
    for number, (lead, status) in enumerate((("L1", "rejected"), ("L2", "accepted"))):
        world.add("core.lead_feedback", row_id=f"f{number}", person_id=f"P{lead[1]}", status=status,
                  reason="no budget", changed_at=datetime(2026, 3, 6, 6))  # fmt: skip
    world.day("2026-03-07")
    world.day("2026-03-08")
    said = "select lead_id, kind, actor from scored.sales_events where actor = 'crm' order by all"
    assert world.ask(said) == [("L1", "rejected", "crm")]  # nobody had L2 when it was said
    lines = "select path, owner_id, pool_id from scored.assignments where lead_id = 'L1' order by number"
    assert world.ask(lines) == [("assigned", None, "public"), ("claim", "o1", "public"), ("reject", None, "public")]


def test_a_claim_during_a_run_stays_and_the_run_leaves_that_lead_alone(world: ScoringWorld) -> None:
    from tasks.route.step import route
    from tasks.runs import open_run
    from tasks.score.step import score

    (world.root / "config" / "routing.yaml").write_text(
        "pools: [{id: sales, mode: assigned, why: in turn}, {id: public, mode: claim, why: all}]", encoding="utf-8"
    )
    with open_run(world.root, date(2026, 3, 7)) as run:
        with at_desk(world) as desk:
            desk.claim("L1", "o2")
        world.fill()
        score(run)
        route(run)
    world.day("2026-03-08")
    owners = dict(world.ask("select lead_id, owner_id from scored.assignments where is_current"))
    assert owners == {"L1": "o2", "L2": "o1", "L3": "o1"}, "o2 may hold one lead and has it"
