"""`abmloop explain lead`: what it says, in both languages."""

import re
from pathlib import Path

import pytest

from abmloop.errors import BadUsage
from tasks.explain_lead import explain_lead
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect


def _explain(world: ScoringWorld, key: str, language: str = "en") -> str:
    with connect(world.root) as con:
        return explain_lead(con, key, language)


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """A lead whom two people were asked about, and one without points."""
    found = ScoringWorld(workspace)
    found.person(1)
    found.person(2, account="A2")
    found.owner("o1", is_active=False)
    found.owner("o2", name="Li Lei")
    found.add("core.deals", deal_id="d1", account_id="A1", status="open", type="new", owner_id="o1")
    found.touch("t1", "2026-03-01 02:00")
    found.touch("t2", "2026-03-02 02:00", "email_click")
    found.day("2026-03-31")
    return found


def test_the_lines_add_up_to_the_score(world: ScoringWorld) -> None:
    told = _explain(world, "L1")
    lines = [float(points) for points in re.findall(r"points, ([\d.]+) of them left", told)]
    score = float(re.search(r"engagement ([\d.]+) points", told)[1])
    assert len(lines) == 2
    assert sum(lines) == pytest.approx(score, abs=0.02)
    assert f"= {score:.2f} points from 2 lines" in told


def test_stage_owner_and_gates_say_why(world: ScoringWorld) -> None:
    told = _explain(world, "P1")  # a person's id will do
    assert "mql: grid, B 25.00 ≥ 25, form_submitted t1" in told
    assert "Owner Li Lei since" in told
    assert "passed over o1 (holder): inactive" in told
    assert "Missing for sal: the owner's acceptance" in told


def test_an_inquiry_says_how_many_points_it_lacks_and_that_nobody_has_it(world: ScoringWorld) -> None:
    told = _explain(world, "L2")
    assert "Given to nobody" in told
    assert told.endswith("Missing for mql: 25.00 more points (grade B needs 25)")


def test_it_speaks_chinese(world: ScoringWorld) -> None:
    assert "距 mql 还缺：再得 25.00 分（B 级需 25 分）" in _explain(world, "L2", "zh")


def test_an_unknown_lead_says_where_to_look(world: ScoringWorld) -> None:
    with pytest.raises(BadUsage, match=r"No lead L9 in what is published\. Give a lead id"):
        _explain(world, "L9")
