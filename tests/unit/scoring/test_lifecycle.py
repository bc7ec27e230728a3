"""The life of a lead: which stage it enters when, and why."""

import random
from typing import Any

import pytest

from tests.unit.scoring.lives import day, lead, line, replay, signal, stages


def test_an_inquiry_alone_is_an_inquiry() -> None:
    assert stages([], []) == [(1, "inquiry", 0)]


def test_mql_is_entered_at_the_event_that_reaches_the_bar() -> None:
    lines = [line(1, 10), line(2, 10), line(3, 10), line(4, 10)]
    assert stages(lines, [])[1] == (1, "mql", 3)


def test_mql_counts_faded_points_not_raw_ones() -> None:
    assert stages([line(0, 20), line(120, 15)], []) == [(1, "inquiry", 0)]  # 5 + 15


def test_mql_names_its_points_and_the_event_that_brought_it() -> None:
    found = replay([lead()], [line(1, 10), line(2, 15.5)], [])[1]
    assert (found["points"], found["event_id"]) == (25.3851, "t2")


def test_a_stage_names_what_said_so() -> None:
    assert [row["signal_id"] for row in replay([lead()], [line(1, 30)], [signal(3, "sal")])] == [None, None, "sal3"]


def test_what_blocks_a_lead_keeps_it_an_inquiry() -> None:
    assert stages([line(1, 100)], [], may_qualify=False) == [(1, "inquiry", 0)]


def test_a_grade_without_a_cell_in_the_grid_makes_no_mql() -> None:
    assert stages([line(1, 100)], [], mql_from_points=None, leave_below_points=None) == [(1, "inquiry", 0)]


def test_a_bar_of_nothing_makes_the_inquiry_an_mql() -> None:
    assert stages([], [], mql_from_points=0.0, leave_below_points=0.0)[1] == (1, "mql", 0)


def test_the_whole_way_to_won() -> None:
    signals = [signal(4, "sal"), signal(6, "sql"), signal(8, "opportunity"), signal(20, "won")]
    assert stages([line(2, 30)], signals) == [
        (1, "inquiry", 0), (1, "mql", 2), (1, "sal", 4), (1, "sql", 6), (1, "opportunity", 8), (1, "won", 20),
    ]  # fmt: skip


def test_evidence_before_the_mql_counts_from_the_mql_on() -> None:
    assert stages([line(5, 30)], [signal(2, "sql", is_decided=False)])[1:] == [(1, "mql", 5), (1, "sql", 5)]


def test_evidence_alone_makes_no_sql() -> None:
    assert stages([], [signal(2, "sql", is_decided=False)]) == [(1, "inquiry", 0)]


def test_what_sales_says_counts_whatever_the_points() -> None:
    assert stages([], [signal(2, "sql")])[1:] == [(1, "sql", 2)]


def test_a_lead_does_not_go_back() -> None:
    assert stages([line(9, 30)], [signal(3, "sal"), signal(5, "opportunity"), signal(7, "sql")])[1:] == [
        (1, "sal", 3), (1, "opportunity", 5),
    ]  # fmt: skip


def test_a_recycled_lead_comes_back_by_new_points_after_the_cool_down() -> None:
    lines = [line(1, 40), line(12, 40), line(45, 10), line(50, 20), line(51, 5)]
    found = stages(lines, [signal(10, "recycled")])
    assert found[2:4] == [(1, "recycled", 10), (2, "mql", 45)]  # of the second 40 a good part is left on day 45


def test_old_points_do_not_bring_a_recycled_lead_back() -> None:
    assert stages([line(1, 100), line(60, 1)], [signal(10, "recycled")])[2:] == [(1, "recycled", 10)]


def test_disqualified_is_for_good() -> None:
    assert stages([line(1, 40), line(100, 90)], [signal(10, "disqualified")])[2:] == [(1, "disqualified", 10)]


def test_a_customer_that_buys_again_begins_a_second_cycle() -> None:
    signals = [signal(2, "opportunity"), signal(9, "won"), signal(90, "opportunity"), signal(99, "won")]
    assert stages([], signals)[3:] == [(2, "opportunity", 90), (2, "won", 99)]


def test_two_deals_won_in_one_second_are_two() -> None:
    found = stages([], [signal(9, "won", signal_id="d1"), signal(9, "won", signal_id="d2")])
    assert [row[:2] for row in found] == [(1, "inquiry"), (1, "won"), (2, "won")]


def test_a_deal_won_before_the_first_contact_is_kept() -> None:
    assert stages([], [signal(-3, "won")]) == [(1, "won", -3), (1, "inquiry", 0)]


def test_sales_cannot_return_what_is_not_open() -> None:
    assert stages([], [signal(5, "won"), signal(6, "recycled")])[2:] == []


def test_an_mql_nobody_took_up_is_recycled_on_the_day_its_points_fall_below_half_the_bar() -> None:
    found = stages([line(1, 25)], [])
    # A half-life of 60 days: below 12.5 on the 61st day after. Local midnight is 16:00 UTC of the day before.
    assert found[1:] == [(1, "mql", 1), (1, "recycled", round(62 - 10 / 24, 2))]


def test_an_mql_that_sales_took_up_does_not_fade() -> None:
    assert stages([line(1, 25)], [signal(3, "sal")])[1:] == [(1, "mql", 1), (1, "sal", 3)]


def test_an_unsubscription_recycles_at_once() -> None:
    assert stages([line(1, 25), line(5, -30)], [])[2:] == [(1, "recycled", 5)]


def test_windows_and_months_fade_too() -> None:
    assert stages([line(1, 30, window_days=20.0)], [])[2][1:] == ("recycled", round(21 - 10 / 24, 2))
    assert stages([line(1, 30, percent_per_month=50.0)], [])[2][1:] == ("recycled", round(37 - 10 / 24, 2))


def _world(seed: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Forty leads with a year of random lines and signals."""
    draw = random.Random(seed)
    leads = [lead(f"L{n}", inquiry_at=day(0), may_qualify=draw.random() < 0.75) for n in range(40)]
    lines = [
        line(draw.randrange(280), draw.choice([2, 8, 20, 30, -30]), f"L{draw.randrange(40)}", event_id=f"t{n}",
             **draw.choice([{}, {"window_days": 30.0}, {"percent_per_month": 25.0}]))
        for n in range(600)
    ]  # fmt: skip
    kinds = ["sal", "sql", "opportunity", "won", "lost", "recycled", "disqualified"]
    signals = [
        signal(draw.randrange(-5, 280), draw.choice(kinds), f"L{draw.randrange(40)}", signal_id=f"s{n}",
               is_decided=draw.random() < 0.7)
        for n in range(150)
    ]  # fmt: skip
    return leads, lines, signals


@pytest.mark.parametrize("seed", range(5))
def test_every_deal_that_ended_is_told_once_and_stages_go_forward(seed: int) -> None:
    leads, lines, signals = _world(seed)
    rows = replay(leads, lines, signals)
    for end in ("won", "lost"):
        assert sum(row["stage"] == end for row in rows) == sum(found["stage"] == end for found in signals)
    keys = [(row["lead_id"], row["cycle"], row["stage"]) for row in rows]
    assert len(keys) == len(set(keys))
    order = ["inquiry", "mql", "sal", "sql", "opportunity"]
    for lead_id in {row["lead_id"] for row in rows}:
        for cycle in range(1, 9):
            life = [
                row for row in rows if (row["lead_id"], row["cycle"]) == (lead_id, cycle) and row["stage"] in order[1:]
            ]
            assert sorted(life, key=lambda row: order.index(row["stage"])) == sorted(
                life, key=lambda row: (row["entered_at"], order.index(row["stage"]))
            )


def test_nothing_at_all_is_nothing() -> None:
    assert replay([], [], []) == []
