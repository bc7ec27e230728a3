"""`abmloop explain lead`: what it says, in both languages."""

import re
from pathlib import Path

import pytest

from abmloop.errors import BadUsage
from tasks.explain.lead import explain_lead
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect


def _explain(world: ScoringWorld, key: str, language: str = "en", why_not: str | None = None) -> str:
    with connect(world.root) as con:
        return explain_lead(con, key, language, why_not)


def _world(root: Path) -> ScoringWorld:
    """A lead whom two people were asked about, and one without points."""
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    found = ScoringWorld(root)
    found.person(1)
    found.person(2, account="A2")
    found.owner("o1", is_active=False)
    found.owner("o2", name="Li Lei")
    found.add("core.deals", deal_id="d1", account_id="A1", status="open", type="new", owner_id="o1")
    found.touch("t1", "2026-03-01 02:00")
    found.touch("t2", "2026-03-02 02:00", "email_click")
    found.day("2026-03-31")
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ScoringWorld:
    """Made once, since what explains only reads."""
    return _world(tmp_path_factory.mktemp("explained") / "workspace")


def test_the_lines_add_up_to_the_score(world: ScoringWorld) -> None:
    told = _explain(world, "L1")
    lines = [float(points) for points in re.findall(r"points, ([\d.]+) of them left", told)]
    score = float(re.search(r"engagement ([\d.]+) points", told)[1])
    assert len(lines) == 2
    assert sum(lines) == pytest.approx(score, abs=0.02)
    assert f"= {score:.2f} points from 2 lines" in told


def test_stage_owner_and_gates_say_why(world: ScoringWorld) -> None:
    told = _explain(world, "P1")  # a person's id will do
    assert "mql: points reached the bar, B 25.00 ≥ 25, form_submitted t1" in told
    assert "Owner Li Lei since" in told
    assert "passed over o1 (who works the company): inactive" in told
    assert "Missing for sal: the owner's acceptance" in told


def test_an_inquiry_says_how_many_points_it_lacks_and_that_nobody_has_it(world: ScoringWorld) -> None:
    told = _explain(world, "L2")
    assert "Given to nobody" in told
    assert told.endswith("Missing for mql: 25.00 more points (grade B needs 25)")


def test_it_speaks_chinese(world: ScoringWorld) -> None:
    assert "距MQL（市场合格）还缺：再得 25.00 分（B 级需 25 分）" in _explain(world, "L2", "zh")


def test_an_unknown_lead_says_where_to_look(world: ScoringWorld) -> None:
    with pytest.raises(BadUsage, match=r"No lead L9 in what is published\. Give a lead id"):
        _explain(world, "L9")


def test_why_not_a_stage_tells_all_that_is_missing_up_to_it(world: ScoringWorld) -> None:
    told = _explain(world, "L2", why_not="sql").splitlines()[1:]
    assert told[:3] == [
        "Missing for mql: 25.00 more points (grade B needs 25)",
        "Missing for sal: the owner's acceptance",
        "Missing for sql, any one of:",
    ]
    assert "  held_meeting: an activity of sales, such as meeting, visit, demo" in told
    assert "  qualification_answers: 0 of 3 answers are known; still open: authority, budget, need, timing" in told


def test_why_not_sql_counts_the_answers_that_are_known(tmp_path: Path) -> None:
    world = _world(tmp_path / "asked")
    for number, question in enumerate(["Budget?", "What do you need?", "Timing"]):
        answer = "no" if question == "Timing" else "yes"
        world.add("core.qualifications", row_id=f"q{number}", person_id="P2", question=question, answer=answer)
    world.day("2026-04-01")
    assert "2 of 3 answers are known; still open: authority, timing" in _explain(world, "L2", why_not="sql")


def test_why_not_a_stage_that_was_entered_says_since_when(world: ScoringWorld) -> None:
    told = _explain(world, "L1", "zh", why_not="mql")
    assert "该线索处于或曾处于该阶段" in told and "达到分数线, B 25.00 ≥ 25" in told


def test_why_not_an_owner_names_the_gate_or_who_came_first(world: ScoringWorld) -> None:
    assert "passed over o1 (who works the company): inactive" in _explain(world, "L1", why_not="o1")
    assert "Li Lei has it" in _explain(world, "L1", why_not="Li Lei")
    assert "Given to nobody" in _explain(world, "L2", why_not="o2")


def test_why_not_something_unknown_says_what_there_is(world: ScoringWorld) -> None:
    with pytest.raises(BadUsage, match=r"no stage, sales person or pool of that name\. Stages and pools: inquiry, mql"):
        _explain(world, "L1", why_not="nobody")
