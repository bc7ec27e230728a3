"""The catalogue's cases of routing (G06 to G08, G12), each against running steps."""

import json
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.explain.lead import explain_lead
from tests.faults.forked import in_child
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect

CURRENT = "select lead_id, owner_id, pool_id from scored.assignments where is_current order by 1"


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """Three MQLs of three companies in Guangdong."""
    found = ScoringWorld(workspace)
    for number in (1, 2, 3):
        person = found.person(number, account=f"A{number}")
        found.touch(f"t{number}", f"2026-03-0{number} 02:00", "demo_request", person=person)
    return found


def _gates(world: ScoringWorld, lead: str) -> list[tuple[str, str]]:
    found = world.ask(f"select gates from scored.assignments where lead_id = '{lead}' and is_current")
    return [(gate["owner"], gate["gate"]) for gate in json.loads(found[0][0])]


def test_g06_no_rule_matches_and_the_lead_is_in_the_pool_for_all(world: ScoringWorld) -> None:
    world.owner("o1", provinces=["江苏"])
    world.day("2026-03-05")
    assert world.ask(CURRENT) == [("L1", None, "public"), ("L2", None, "public"), ("L3", None, "public")]


def test_g06_two_rules_match_and_the_narrower_wins(world: ScoringWorld) -> None:
    world.owner("o1", provinces=["广东"])
    world.owner("o2", provinces=["广东省"], industries=["C"])
    for account in world.tables["resolved.accounts"]:
        account["industry_section"] = "C"
    world.day("2026-03-05")
    assert {owner for _, owner, _ in world.ask(CURRENT)} == {"o2"}


def test_g07_away_inactive_full_and_unknown_owners_are_passed_over_with_the_reason(world: ScoringWorld) -> None:
    world.owner("o1", is_active=False)
    world.owner("o2", away_until="2026-03-05")
    world.owner("o3", holding_limit=0)
    world.add("core.deals", deal_id="d1", account_id="A1", status="open", type="new", owner_id="left")
    world.day("2026-03-05")
    assert world.ask(CURRENT)[0] == ("L1", None, "public")
    assert _gates(world, "L1") == [("left", "unknown"), ("o1", "inactive"), ("o2", "away"), ("o3", "holding_limit")]


def test_g07_the_leads_of_somebody_who_left_go_to_another_the_same_day(world: ScoringWorld) -> None:
    world.owner("o1")
    world.day("2026-03-05")
    world.tables["core.owners_today"].clear()
    world.owner("o1", is_active=False)
    world.owner("o2")
    world.day("2026-03-06")
    assert {owner for _, owner, _ in world.ask(CURRENT)} == {"o2"}
    assert world.ask("from scored.unrouted_leads") == []


def test_g07_a_lead_waits_in_an_empty_pool_until_somebody_comes(world: ScoringWorld) -> None:
    world.day("2026-03-05")
    world.owner("o1")
    world.day("2026-03-06")
    assert {owner for _, owner, _ in world.ask(CURRENT)} == {"o1"}
    assert world.ask("select count(*) from scored.assignments") == [(6,)]  # pool first, then owner


def test_g08_the_turn_goes_on_where_it_stopped_after_the_warehouse_is_gone(world: ScoringWorld) -> None:
    for owner in ("o1", "o2"):
        world.owner(owner)
    world.day("2026-03-05")
    (world.root / "state" / "warehouse.duckdb").unlink()
    world.touch("t4", "2026-03-06 02:00", "demo_request", person=world.person(4, account="A4"))
    world.day("2026-03-06")
    turns = world.ask("select lead_id, owner_id, turn from scored.assignments order by turn")
    assert [row[1:] for row in turns] == [("o1", 1), ("o2", 2), ("o1", 3), ("o2", 4)]


def fill(root: Path) -> ScoringWorld:
    """Twelve MQLs and three sales people."""
    world = ScoringWorld(root)
    for number in range(1, 13):
        person = world.person(number, account=f"A{number}")
        world.touch(f"t{number}", f"2026-03-02 02:00:{number:02}", "demo_request", person=person)
    for owner in ("o1", "o2", "o3"):
        world.owner(owner)
    return world


def _told(root: Path) -> dict[str, Any]:
    world = fill(root)
    world.day("2026-03-05")
    return {
        "stages": world.stages(),
        "assignments": world.ask("from scored.assignments order by all"),
        "turns": world.ask(
            "select owner_id, count(*) from scored.assignments where is_current group by all order by all"
        ),
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a day comes to that nobody disturbs."""
    root = tmp_path_factory.mktemp("undisturbed")
    (root / "inbox").mkdir()
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    return _told(root)


@pytest.mark.parametrize(
    "point",
    ["score:before_ledger", "score:after_ledger", "score:before_commit",
     "route:before_ledger", "route:after_ledger", "route:before_commit"],
)  # fmt: skip
def test_g08_a_run_killed_in_the_middle_gives_each_lead_one_owner(
    workspace: Path, undisturbed: dict[str, Any], point: str
) -> None:
    ended = in_child(_told, workspace, {"ABMLOOP_FAULT_POINT": point})
    assert ended == -signal.SIGKILL, "the run was to be killed"
    assert _told(workspace) == undisturbed
    assert undisturbed["turns"] == [("o1", 4), ("o2", 4), ("o3", 4)]


def test_g12_a_lead_given_before_spring_festival_is_due_after_it(world: ScoringWorld) -> None:
    world.owner("o1")
    for touch in world.tables["core.touches"]:
        touch["occurred_at"] = datetime(2026, 2, 10)
    world.day("2026-02-14")  # a Saturday that is made up; the run's instant is the end of it
    due = world.ask("select distinct accept_due_at, first_touch_due_at, reclaim_at from scored.assignments")
    assert due == [(datetime(2026, 2, 24, 5), datetime(2026, 2, 25, 8), None)]


def test_g12_without_follow_up_a_lead_goes_back_and_to_somebody_else(world: ScoringWorld) -> None:
    world.owner("o1")
    world.owner("o2", away_until="2026-03-10")
    world.add("core.activities", row_id="a1", activity_id="a1", owner_id="o1", person_id="P1", type="call",
              occurred_at=datetime(2026, 3, 14, 4))  # fmt: skip
    world.day("2026-03-05")
    assert {owner for _, owner, _ in world.ask(CURRENT)} == {"o1"}
    world.day("2026-03-15")
    # L1 was followed up on 14 March, until the 17th; the others went back at the end of the 15th.
    assert world.ask(CURRENT) == [("L1", "o1", "sales"), ("L2", "o2", "sales"), ("L3", "o2", "sales")]
    assert _gates(world, "L2") == [("o1", "cool_down")]


def test_g12_work_at_the_company_keeps_its_lead(world: ScoringWorld) -> None:
    world.owner("o1")
    world.owner("o2", away_until="2026-03-10")
    world.add("core.activities", row_id="a1", activity_id="a1", owner_id="o1", account_id="A1", type="visit",
              occurred_at=datetime(2026, 3, 14, 4))  # fmt: skip
    world.day("2026-03-05")
    world.day("2026-03-15")
    assert world.ask(CURRENT) == [("L1", "o1", "sales"), ("L2", "o2", "sales"), ("L3", "o2", "sales")]


def test_e07_a_company_on_the_exclusion_list_is_counted_kept_from_sales_and_says_so(world: ScoringWorld) -> None:
    world.owner("o1")
    world.add("resolved.target_accounts", account_id="A2", list="exclusion", entry_id="l:2", reason="competitor")
    world.day("2026-03-05")
    assert "L2" not in {lead for lead, _, _ in world.ask(CURRENT)}
    assert world.ask("select lead_id, held_by from scored.held_leads") == [("L2", "on_exclusion_list")]


def test_a_closed_directory_works_listed_companies_only_and_keeps_the_others_with_the_reason(
    world: ScoringWorld,
) -> None:
    world.owner("o1")
    world.tables["rules.directory"][0]["mode"] = "closed"
    world.add("resolved.target_accounts", account_id="A1", list="target", entry_id="rule:a")
    world.day("2026-03-05")
    assert world.ask(CURRENT) == [("L1", "o1", "sales")]
    assert world.ask("select lead_id, held_by from scored.unrouted_leads order by 1") == [
        ("L2", "off_list"),
        ("L3", "off_list"),
    ]
    with connect(world.root) as con:
        told = explain_lead(con, "L2")
    assert "directory mode closed: its company is on no target list" in told
    assert "`abmloop account target` puts it on the list" in told
    world.tables["rules.directory"][0]["mode"] = "open"
    world.day("2026-03-06")
    assert {owner for _, owner, _ in world.ask(CURRENT)} == {"o1"}
    assert len(world.ask(CURRENT)) == 3
