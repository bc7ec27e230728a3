"""A lead's life through merges and splits, late and shuffled news: what follows is what order would have given."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scoring_world import ScoringWorld

FOLLOWS = "select lead_id, cycle, stage, entered_at, reason, rule from scored.replayed_stages order by all"
START = datetime(2026, 1, 5, 2)


def _world(root: Path) -> ScoringWorld:
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    return ScoringWorld(root)


def _news(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Touches, feedback, deals and answers of twelve people over 200 days, as rows of the tables right of staging."""
    draw, news = random.Random(seed), []
    for number in range(240):
        at = START + timedelta(days=draw.randrange(200), minutes=draw.randrange(600))
        who, kind = f"P{draw.randrange(1, 13)}", draw.random()
        if kind < 0.8:
            touch = {
                "touch_id": f"t{number}",
                "type": draw.choice(["form", "webinar", "demo", "email_click", "meeting"]),
            }
            news.append(("core.touches", {**touch, "person_id": who, "occurred_at": at, "is_future": False}))
        elif kind < 0.88:
            said = {"row_id": f"f{number}", "status": draw.choice(["accepted", "qualified", "rejected", "退回"])}
            news.append(("core.lead_feedback", {**said, "person_id": who, "changed_at": at}))
        elif kind < 0.95:
            ends = draw.choice(["open", "won", "lost"])
            deal = {"deal_id": f"d{number}", "person_id": who, "status": ends, "type": "new", "created_at": at}
            news.append(("core.deals", {**deal, "closed_at": None if ends == "open" else at + timedelta(days=9)}))
        else:
            answer = {"row_id": f"q{number}", "question": draw.choice(["budget", "need", "timing"]), "answer": "yes"}
            news.append(("core.qualifications", {**answer, "person_id": who, "answered_at": at}))
    return news


@pytest.mark.parametrize("seed", [1])
def test_late_and_shuffled_news_end_in_the_stages_of_news_in_order(tmp_path: Path, seed: int) -> None:
    in_order = sorted(_news(seed), key=lambda row: str(row))
    shuffled = list(in_order)
    random.Random(seed + 50).shuffle(shuffled)
    told = []
    for place, (rows, parts) in enumerate(((in_order, 1), (shuffled, 3))):
        world = _world(tmp_path / str(place))
        for number in range(1, 13):
            world.person(number, account=f"A{1 + number % 4}")
        for part in range(parts):
            for table, row in rows[part::parts]:
                world.add(table, **row)
            world.day("2026-08-01")
        told.append(world.ask(FOLLOWS))
    assert told[0] == told[1]
    assert {"mql", "sql", "won", "recycled"} <= {stage for _, _, stage, *_ in told[0]}


@pytest.fixture
def two_leads(workspace: Path) -> ScoringWorld:
    """Two people of two companies, both MQL by March."""
    world = ScoringWorld(workspace)
    for number in (1, 2):
        world.person(number, account=f"A{number}")
        world.touch(f"t{number}", f"2026-03-0{number} 02:00", "demo_request", f"P{number}")
    world.day("2026-03-10")
    return world


def test_merged_and_split_accounts_leave_leads_and_their_stages(two_leads: ScoringWorld) -> None:
    before, log = two_leads.stages(), two_leads.ask("from scored.stage_transitions order by all")
    matches = two_leads.tables["matched.person_accounts"]
    matches[1]["account_id"] = "A1"
    two_leads.day("2026-03-11")
    assert two_leads.ask("select distinct account_id from scored.leads") == [("A1",)]
    assert two_leads.stages() == before
    matches[1]["account_id"] = "A2"
    two_leads.day("2026-03-12")
    assert two_leads.stages() == before
    assert two_leads.ask("from scored.stage_transitions order by all") == log


def test_two_people_who_prove_one_are_one_lead_with_the_earlier_life(two_leads: ScoringWorld) -> None:
    _merge(two_leads, "P2", "P1")
    two_leads.day("2026-03-11")
    assert two_leads.stages() == [("L1", 1, "inquiry", "2026-01-01"), ("L1", 1, "mql", "2026-03-01")]
    states = two_leads.ask("select lead_id, recorded_lead_id, stage, state from scored.stage_transitions order by all")
    assert ("L1", "L2", "mql", "superseded") in states and ("L1", "L1", "mql", "counted") in states


def test_a_person_split_in_two_keeps_the_life_and_begins_a_second_one(two_leads: ScoringWorld) -> None:
    two_leads.person(3, account="A1")
    two_leads.tables["core.touches"][0]["person_id"] = "P3"  # the touch that made P1 an MQL was another's
    two_leads.day("2026-03-11")
    assert [row for row in two_leads.stages() if row[2] == "mql"] == [
        ("L1", 1, "mql", "2026-03-01"),  # sales was told
        ("L2", 1, "mql", "2026-03-02"),
        ("L3", 1, "mql", "2026-03-01"),
    ]
    states = two_leads.ask("select lead_id, state from scored.stage_transitions where stage = 'mql' order by all")
    assert states == [("L1", "standing"), ("L2", "counted"), ("L3", "counted")]


COUNTED = ("replayed_stages", "stage_transitions", "lead_stages")


def test_days_that_replay_only_whom_they_touch_end_in_the_stages_of_everybody_replayed(tmp_path: Path) -> None:
    world, news = _world(tmp_path / "w"), _news(3)
    for number in range(1, 41):
        world.person(number, account=f"A{1 + number % 4}")
    for table, row in news[30:]:
        world.add(table, **row)
    world.day("2026-08-01")
    replayed = []
    for place, day in enumerate(("2026-08-01", "2026-08-02", "2026-08-05", "2026-08-05")):
        for table, row in news[place * 7 : place * 7 + 7]:
            world.add(table, **row)
        if place == 2:  # two people prove to be one
            _merge(world, "P40", "P12")
        world.day(day)
        [(counts,)] = world.ask("select counts from ops.steps where step = 'score' order by started_at desc limit 1")
        replayed.append(json.loads(counts)["leads_replayed"])
    told = [world.ask(f"from scored.{table} order by all") for table in COUNTED]
    assert all(number < 30 for number in replayed), replayed
    (world.root / "state" / "warehouse.duckdb").unlink()
    world.day("2026-08-05")
    assert [world.ask(f"from scored.{table} order by all") for table in COUNTED] == told


def _merge(world: ScoringWorld, gone: str, stays: str) -> None:
    """From now on the rows and keys of one person are the other's."""
    for name in ("matched.persons", "matched.person_accounts"):
        world.tables[name] = [row for row in world.tables[name] if row["person_id"] != gone]
    for name in ("matched.person_keys", "matched.person_rows", "core.touches"):
        for row in world.tables[name]:
            row["person_id"] = stays if row["person_id"] == gone else row["person_id"]
