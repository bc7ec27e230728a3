"""A day's touches are added to the log of scores, and the log is the one that a rebuild makes (G04)."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tasks.score import log as score_log
from tests.faults.scoring_world import ScoringWorld
from warehouse.database import connect

START = date(2026, 3, 1)
PERSONS = 30
KINDS = ("form", "email_click", "email_click", "page_view", "demo_request", "unsubscribe", "webinar")
TABLES = ("scored.score_lines", "scored.person_points", "scored.grades", "scored.lead_stages")


def _world(root: Path) -> ScoringWorld:
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    world = ScoringWorld(root)
    for number in range(1, PERSONS + 1):
        world.person(number, account=f"A{number % 3}")
    return world


def _told(world: ScoringWorld) -> dict[str, list[tuple[Any, ...]]]:
    columns = {"scored.lead_stages": "* exclude (transition_id, decided_at)"}
    return {name: world.ask(f"select {columns.get(name, '*')} from {name} order by all") for name in TABLES}


def _forget(world: ScoringWorld) -> None:
    with connect(world.root) as con:
        con.execute("delete from ops.score_state")


def _add_touches(world: ScoringWorld, draw: random.Random, day: int) -> None:
    """Most of the day's touches are later than all before; some came late, some went, one changed its company."""
    for number in range(5 if day else 60):
        late = draw.random() < 0.2
        on = START + timedelta(days=day - (draw.randrange(1, 9) if late else 0))
        person = f"P{draw.randrange(1, PERSONS + 1)}"
        at = f"{on} {draw.randrange(16):02}:{draw.randrange(60):02}"
        more = {"account_id": f"A{int(person[1:]) % 3}", "minutes": draw.choice([None, 5, 45])}
        world.touch(f"t{day}-{number}", at, draw.choice(KINDS), person=person, **more)
    touches = world.tables["core.touches"]
    if day % 3 == 2:
        touches.pop(draw.randrange(len(touches)))
    if day == 1:
        touches[draw.randrange(len(touches))]["account_id"] = "A9"


def test_g04_days_of_touches_late_gone_and_changed_are_the_log_of_a_rebuild(tmp_path: Path) -> None:
    world, draw = _world(tmp_path / "w"), random.Random(4)
    added: list[int] = []
    for day in range(4):
        _add_touches(world, draw, day)
        world.tables["matched.persons"][7]["name"] = "测试" if day in (2, 3) else "n8"
        with patch.object(score_log, "write_all_lines", wraps=score_log.write_all_lines) as whole:
            world.day(str(START + timedelta(days=day)))
        added.append(1 - whole.call_count)
        by_day = _told(world)
        _forget(world)
        world.day(str(START + timedelta(days=day)))
        assert _told(world) == by_day
    assert added == [0, 1, 1, 1]


def test_g04_a_second_file_of_the_same_day_is_added_too(tmp_path: Path) -> None:
    world, draw = _world(tmp_path / "w"), random.Random(5)
    _add_touches(world, draw, 0)
    world.day("2026-03-09")
    for day in (1, 2):
        _add_touches(world, draw, day)
        with patch.object(score_log, "write_all_lines") as whole:
            world.day("2026-03-09")
        assert whole.call_count == 0
    by_day = _told(world)
    _forget(world)
    world.day("2026-03-09")
    assert _told(world) == by_day


def test_g04_a_touch_that_came_late_takes_the_points_of_the_newest_and_others_their_place_of_the_day(
    tmp_path: Path,
) -> None:
    world = _world(tmp_path / "w")
    for day in (1, 5):  # forms give 25 points up to 50
        world.touch(f"f{day}", f"2026-03-0{day} 02:00")
    for day in (7, 8):  # one click a day counts
        world.touch(f"c{day}", f"2026-03-0{day} 02:00", "email_click", person="P2")
    world.touch("f9", "2026-03-08 02:00", person="P3")
    for number in range(10, 30):
        world.touch(f"o{number}", "2026-03-02 02:00", person=f"P{number}")
    world.day("2026-03-09")
    world.touch("f3", "2026-03-03 02:00")
    world.touch("c9", "2026-03-08 09:00", "email_click", person="P2")
    world.touch("f8", "2026-03-08 02:00", person="P3")  # at the same instant the touch's id decides
    with patch.object(score_log, "write_all_lines") as whole:
        world.day("2026-03-09")
    assert whole.call_count == 0
    by_day = _told(world)
    last = "select last_event_at::date::varchar from scored.person_points where person_id = 'P1'"
    assert world.ask(last) == [("2026-03-03",)]
    notes = "select event_id, note from scored.score_lines where note is not null order by all"
    assert world.ask(notes) == [("c9", "over_daily_limit"), ("f5", "over_rule_cap"), ("f9", "over_daily_limit")]
    _forget(world)
    world.day("2026-03-09")
    assert _told(world) == by_day


def test_control_touches_whose_change_is_not_noted_leave_another_log(tmp_path: Path) -> None:
    world = _world(tmp_path / "w")
    world.touch("t1", "2026-03-01 02:00")
    world.day("2026-03-02")
    world.touch("t2", "2026-03-02 02:00", "demo_request")
    with connect(world.root) as con:
        world.day("2026-03-02")
        noted = con.execute("select count(*) from scored.score_lines").fetchall()
    assert noted == [(2,)]
    world.touch("t3", "2026-03-02 03:00", "demo_request")
    with patch("tests.faults.scoring_world.noted_touch_changes") as unnoted:
        unnoted.return_value.__exit__.return_value = False
        world.day("2026-03-02")
    assert world.ask("select count(*) from scored.score_lines") == [(2,)]


@pytest.mark.parametrize("hours", [0, 30])
def test_g02_a_touch_of_the_future_counts_from_its_day_on(tmp_path: Path, hours: int) -> None:
    world = _world(tmp_path / "w")
    world.touch("t1", "2026-03-05 02:00", "demo_request")
    world.day(str(date(2026, 3, 4) + timedelta(days=hours // 24)))
    points = world.ask("select capped_points::double, note from scored.score_lines")
    assert points == ([(50.0, None)] if hours else [(0.0, "in_future")])
