"""The catalogue's cases of scoring and life cycle (G01 to G05, G09 to G11, E07), each against a running step."""

import random
from datetime import date
from pathlib import Path

import pytest

from abmloop.errors import BadPolicy
from tasks.runs import open_run
from tasks.score.step import score
from tests.faults.scoring_world import ScoringWorld

POINTS = """
select rule_id, capped_points::double, note from scored.score_events
where subject = 'P1' and model = 'engagement' order by event_at
"""
SCORE = "select points::double from scored.scores where subject = 'P1' and model = 'engagement'"


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """One contact of a company of grade B."""
    found = ScoringWorld(workspace)
    found.person()
    return found


def test_g01_missing_and_nan_minutes_are_unknown_not_twenty(world: ScoringWorld) -> None:
    world.touch("t1", "2026-03-01 02:00", "webinar", minutes=None)
    world.touch("t2", "2026-03-02 02:00", "webinar", minutes=float("nan"))
    world.touch("t3", "2026-03-03 02:00", "webinar", minutes=45)
    world.day("2026-03-31")
    rules = [rule for rule, *_ in world.ask(POINTS)]
    assert rules == ["event_registered", "event_registered", "webinar_attended"]


def test_g01_unknown_fit_is_a_grade_of_its_own(world: ScoringWorld) -> None:
    world.tables["resolved.account_fit"].clear()
    world.day("2026-03-31")
    assert world.ask("select fit_points, fit_grade, grid from scored.grades") == [(None, "U", "U1")]


def test_g02_future_and_decades_old_touches_stand_in_the_log_with_their_reason(world: ScoringWorld) -> None:
    world.touch("t1", "1999-03-01 02:00")
    world.touch("t2", "2026-03-01 02:00")
    world.touch("t3", "2027-03-01 02:00", is_future=True)
    world.day("2026-03-31")
    assert world.ask(POINTS) == [
        ("form_submitted", 0.0, "too_old"), ("form_submitted", 25.0, None), ("form_submitted", 0.0, "in_future"),
    ]  # fmt: skip
    assert [stage for _, _, stage, _ in world.stages()] == ["inquiry", "mql"]


def test_g03_a_storm_of_scanner_clicks_counts_once_a_day_and_is_capped(world: ScoringWorld) -> None:
    for day in range(1, 11):
        for second in range(50):
            world.touch(f"t{day}-{second:02}", f"2026-03-{day:02} 02:00:{second:02}", "email_click")
    world.day("2026-03-31")
    assert world.ask("select note, count(*), sum(capped_points)::double from scored.score_events "
                     "where subject = 'P1' and model = 'engagement' group by all order by all") == [
        ("over_daily_limit", 490, 0.0), ("over_group_cap", 5, 0.0), (None, 5, 20.0),
    ]  # fmt: skip
    assert [stage for _, _, stage, _ in world.stages()] == ["inquiry"]


def test_g04_late_and_shuffled_events_end_in_the_score_and_stages_of_good_order(tmp_path: Path) -> None:
    draw = random.Random(4)
    touches = [
        (f"t{n}", f"2026-03-{1 + n:02} 02:00", draw.choice(["form", "webinar", "email_click"])) for n in range(20)
    ]
    late = {"t0", "t3", "t8", "t15"}
    told = []
    for days in (["2026-03-31"], ["2026-03-12", "2026-03-31"]):
        root = tmp_path / str(len(days))
        (root / "inbox").mkdir(parents=True)
        (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
        world, waiting = ScoringWorld(root), list(touches)
        world.person()
        draw.shuffle(waiting)
        for day in days:
            for touch in [
                touch for touch in waiting if touch[1][:10] <= day and (day == days[-1] or touch[0] not in late)
            ]:
                waiting.remove(touch)
                world.touch(*touch)
            world.day(day)
        told.append((world.ask(SCORE), world.stages()))
    assert told[0] == told[1]
    assert "mql" in [stage for _, _, stage, _ in told[0][1]]


def test_g04_a_late_event_moves_the_mql_back_and_keeps_what_was_recorded_readable(world: ScoringWorld) -> None:
    world.touch("t2", "2026-03-09 02:00", "demo_request")
    world.day("2026-03-10")
    world.touch("t1", "2026-03-05 02:00", "demo_request")
    world.day("2026-03-12")
    assert world.stages()[1:] == [("L1", 1, "mql", "2026-03-05")]
    log = world.ask(
        "select entered_at::date::varchar, state from scored.stage_transitions where stage = 'mql' order by 1"
    )
    assert log == [("2026-03-05", "counted"), ("2026-03-09", "superseded")]


def test_g05_points_that_swing_about_the_bar_make_one_mql(world: ScoringWorld) -> None:
    world.touch("t1", "2026-03-01 02:00")
    for day in range(5, 30, 5):
        world.touch(f"t{day}", f"2026-03-{day:02} 02:00", "email_open")
        world.day(f"2026-03-{day:02}")
    assert [stage for _, _, stage, _ in world.stages()] == ["inquiry", "mql"]
    assert len(world.ask("select * from scored.stage_transitions")) == 2


def test_g09_a_customer_whose_people_ask_again_stays_with_who_served_it(world: ScoringWorld) -> None:
    world.person(2)
    world.owner("o1")
    world.owner("o2")
    world.add("core.deals", deal_id="d1", account_id="A1", person_id="P1", status="won", type="new", owner_id="o2",
              created_at="2026-01-10", closed_at="2026-02-01")  # fmt: skip
    world.touch("t1", "2026-03-01 02:00", person="P2")
    world.day("2026-03-02")
    assert world.ask("select lead_id, owner_id, method, reason from scored.assignments") == [
        ("L2", "o2", "holder", "customer")
    ]


def test_g09_converted_twice_is_one_lead_with_two_cycles(world: ScoringWorld) -> None:
    for number, month in (("d1", "02"), ("d2", "06")):
        world.add("core.deals", deal_id=number, account_id="A1", status="won", type="new",
                  created_at=f"2026-{month}-01", closed_at=f"2026-{month}-20")  # fmt: skip
    world.day("2026-07-01")
    assert [row[1:3] for row in world.stages()] == [
        (1, "inquiry"), (1, "opportunity"), (1, "won"), (2, "opportunity"), (2, "won"),
    ]  # fmt: skip


def test_g10_a_lead_without_company_is_held_with_its_reason(world: ScoringWorld) -> None:
    world.person(2, account=None)
    world.touch("t1", "2026-03-01 02:00", "demo_request", person="P2")
    world.day("2026-03-02")
    assert world.ask("select grid, blocked_by from scored.grades where lead_id = 'L2'") == [("U2", "account_undecided")]


def test_g11_rules_edited_in_the_middle_of_a_run_do_not_reach_it(world: ScoringWorld, workspace: Path) -> None:
    world.touch("t1", "2026-03-01 02:00")
    with open_run(workspace, date(2026, 3, 2)) as run:
        world.fill()
        (workspace / "config").mkdir()
        (workspace / "config" / "scoring.yaml").write_text("engagement: {}\n", encoding="utf-8")
        score(run)
    assert [stage for _, _, stage, _ in world.stages()] == ["inquiry", "mql"]
    with pytest.raises(BadPolicy, match=r"scoring\.yaml:1: engagement\.rules: Field required"):
        world.day("2026-03-03")  # the next run reads the new text, and says what is wrong with it


def test_e07_test_users_are_counted_and_never_scored(world: ScoringWorld) -> None:
    world.person(2, name="测试用户")
    world.touch("t1", "2026-03-01 02:00", "demo_request", person="P2")
    world.day("2026-03-02")
    assert world.ask("select is_excluded, exclusion_reason from scored.leads where lead_id = 'L2'") == [
        (True, "name_word: 测试")
    ]
    assert world.ask("select count(*) from scored.score_events where person_id = 'P2'") == [(0,)]
    assert ("L2", 1, "mql", "2026-03-01") not in world.stages()


def test_a_deal_won_before_the_first_contact_is_kept_and_flagged(world: ScoringWorld) -> None:
    world.add("core.deals", deal_id="d1", person_id="P1", status="won", type="new", closed_at="2025-12-20")
    world.day("2026-03-02")
    assert world.ask("select stage, is_before_inquiry, is_current from scored.lead_stages order by 1") == [
        ("inquiry", False, False), ("won", True, True),
    ]  # fmt: skip


def test_the_log_adds_up_to_the_score_and_fades(world: ScoringWorld) -> None:
    world.touch("t1", "2026-03-01 02:00")
    world.touch("t2", "2026-03-02 02:00", "unsubscribe")
    world.touch("t3", "2026-03-03 02:00", "demo_request")
    world.day("2026-04-30")
    expected = 25 * 2 ** (-60 / 60) - 30 * 2 ** (-59 / 180) + 50 * 2 ** (-58 / 90)
    assert world.ask(SCORE) == [(pytest.approx(expected, abs=2e-4),)]
    off = """
    select count(*) from scored.scores
    join (select subject, subject_kind, model, sum(points) as total from scored.event_points group by all)
        using (subject, subject_kind, model)
    where points <> total
    """
    assert world.ask(off) == [(0,)]


def test_a_second_run_of_the_day_tells_the_ledger_nothing(world: ScoringWorld) -> None:
    world.owner("o1", daily_capacity=1)
    world.person(2, account="A2")
    for person in ("P1", "P2"):
        world.touch(f"t{person}", "2026-03-01 02:00", person=person)
    tables = ("score_events", "lead_stages", "stage_transitions", "assignments", "grades")
    seen = []
    for _ in range(2):
        world.day("2026-03-02")
        seen.append([world.ask(f"from scored.{table} order by all") for table in tables])
    assert seen[0] == seen[1]
    assert world.ask("select count(*) from scored.assignments") == [(2,)]


def test_a_warehouse_made_anew_from_the_ledger_has_the_same_stages_and_owners(world: ScoringWorld) -> None:
    world.owner("o1")
    world.touch("t2", "2026-03-09 02:00", "demo_request")
    world.day("2026-03-10")
    world.touch("t1", "2026-03-05 02:00", "demo_request")
    world.day("2026-03-12")
    tables = ("lead_stages", "stage_transitions", "assignments", "unrouted_leads")
    before = [world.ask(f"from scored.{table} order by all") for table in tables]
    (world.root / "state" / "warehouse.duckdb").unlink()
    world.day("2026-03-12")
    assert [world.ask(f"from scored.{table} order by all") for table in tables] == before
