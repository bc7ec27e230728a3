"""The forecast: what open and coming deals bring, judged by what was known that day."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast_bench import as_told, back_test, changed_by_the_future, peeking, read_spells, scrambled
from benchmarks.forecast_worlds import month_starts, world
from scoring.forecast.combining import Forecast, Teller
from scoring.forecast.hazards import Exposure, Hazards, factors, month_of_quarter, trust
from scoring.forecast.spells import (
    NEVER,
    Spells,
    last_period,
    of_one_stage,
    pipeline_times_rate,
    seen_from,
    won_between,
)

TODAY = int(np.datetime64("2026-10-01").astype(np.int64))
HORIZONS = pytest.mark.parametrize(("place", "days"), [(0, 30), (1, 90)])


def _steady(days: int = 400, a_day: int = 20, seed: int = 5) -> Spells:
    """Deals opened steadily, decided within 40 days, half of them won, 100 each."""
    random = np.random.default_rng(seed)
    born = TODAY - days + np.repeat(np.arange(days + 100), a_day)
    outcome = np.where(random.random(len(born)) < 0.5, 1, -1)
    hundred = np.full(len(born), 100.0)
    return of_one_stage(born, born + random.integers(1, 40, len(born)), outcome, hundred, hundred)


def _told(spells: Spells, day: int = TODAY) -> list[Forecast]:
    told = Teller(spells).forecasts(day)
    assert told is not None
    return told


@HORIZONS
def test_a_steady_business_is_told_with_its_open_and_its_new_part(place: int, days: int) -> None:
    steady = _steady()
    told = _told(steady)[place]
    came = won_between(steady, TODAY, days)
    assert told.total == pytest.approx(came, rel=0.1)
    assert told.low < came < told.high
    assert told.from_new > told.from_open if days == 90 else told.from_new > 0
    assert told.from_open == pytest.approx(float((told.open_amount * told.open_chance).sum()))
    assert told.weights.sum() == pytest.approx(1)


def test_nothing_of_the_future_is_known() -> None:
    steady = _steady()
    assert _totals(steady) == _totals(scrambled(steady, TODAY))
    assert _totals(peeking(steady)) != _totals(peeking(scrambled(steady, TODAY))), "the control"
    seen = seen_from(steady, TODAY)
    assert (seen.ends[seen.outcome == 0] == NEVER).all() and np.isnan(seen.closing[seen.is_open]).all()


def _totals(spells: Spells) -> list[float]:
    return [one.total for one in _told(spells)]


@pytest.mark.parametrize("kind", ["young", "nothing"])
def test_too_little_history_says_nothing(kind: str) -> None:
    few = world("young", 1, 0.1) if kind == "young" else world("steady", 1).of(np.zeros(0, dtype=np.int64))
    assert Teller(few).forecasts(int(np.datetime64("2026-11-01").astype(np.int64))) is None


def test_a_deal_of_unknown_amount_counts_as_the_usual_won_one() -> None:
    steady = _steady()
    unknown = replace(steady, amount=np.where(steady.is_open | (steady.ends > TODAY), np.nan, steady.amount))
    assert _told(unknown)[0].from_open == pytest.approx(_told(steady)[0].from_open)


def test_the_order_of_the_deals_does_not_matter() -> None:
    made = world("stages", 3, 1.0)
    order = np.random.default_rng(1).permutation(len(made.deal))
    mixed = Spells(*(getattr(made, field.name)[order] for field in fields(made)))
    day = month_starts(1, 90)[0]
    assert _told(mixed, day)[1].total == pytest.approx(_told(made, day)[1].total, rel=1e-12)


def test_a_deal_that_was_reopened_was_won_until_that_was_known() -> None:
    day = np.array([TODAY - 30])
    one = replace(
        of_one_stage(day, day + 10, np.array([1]), np.array([5.0]), np.array([4.0])), undone=np.array([TODAY - 5])
    )
    assert last_period(seen_from(one, TODAY - 6), TODAY - 6, 30) == 4
    assert last_period(seen_from(one, TODAY), TODAY, 30) == won_between(one, TODAY - 30, 30) == 0


def test_the_naive_ones_are_what_they_say() -> None:
    day = TODAY - np.array([50, 40, 30, 5])
    ends = np.array([TODAY - 45, TODAY - 8, TODAY - 9, NEVER])
    made = of_one_stage(day, ends, np.array([1, 1, -1, 0]), np.array([9.0, 9, 9, 6]), np.array([7.0, 8, 9, np.nan]))
    seen = seen_from(made, TODAY)
    assert last_period(seen, TODAY, 30) == 8
    assert pipeline_times_rate(seen) == pytest.approx(6 * 2 / 3)


@pytest.mark.parametrize(("year_starts_in", "expected"), [(1, [0, 1, 2, 2]), (2, [2, 0, 1, 1]), (4, [0, 1, 2, 2])])
def test_months_of_a_quarter_are_counted_from_the_year_s_first(year_starts_in: int, expected: list[int]) -> None:
    days = np.array(["2026-01-31", "2026-02-01", "2026-06-30", "2026-12-01"], dtype="datetime64[D]")
    assert month_of_quarter(days.astype(np.int64), year_starts_in).tolist() == expected


def test_cells_are_trusted_where_they_truly_differ() -> None:
    random, expected = np.random.default_rng(2), np.full(200, 20.0)
    alike, different = random.poisson(expected), random.poisson(expected * random.gamma(1, 1, 200))
    assert trust(alike.astype(float), expected) >= 100 > 5 >= trust(different.astype(float), expected)
    assert factors(np.zeros(3), np.zeros(3)).tolist() == [1, 1, 1]


def test_stage_team_and_age_each_tell() -> None:
    """Good deals go on to the second stage; nothing is decided beyond the oldest decided one."""
    made = world("stages", 1)
    day = month_starts(1, 90)[0]
    exposure = Exposure.of(seen_from(made, day), day)
    assert exposure is not None
    hazards = Hazards.of(exposure, 730)
    assert hazards.stage[1] > hazards.stage[0]
    assert (hazards.won.reshape(-1, 3)[-1] == 0).all()
    young = made.of(made.born > day - 60)
    stood_open = sum(int(((young.begins <= one) & (young.ends > one)).sum()) for one in range(day - 59, day))
    assert exposure.at_risk[-60:][exposure.cell[-60:] >= 0].sum() == pytest.approx(stood_open, rel=0.05)


def test_growth_and_quarters_are_told_better_than_by_the_naive_ones() -> None:
    """A quarter is as the one before where there is nothing but seasons: there 90 days show no difference."""
    inside = []
    for kind, least in (("growing", (1.0, 1.0)), ("quarters", (0.5, 1.1)), ("stages", (1.0, 1.0))):
        for row, part in zip(back_test(world(kind, 11, 2.0), month_starts(12, 90)), least, strict=True):
            assert row["forecast"] < part * min(row["last period"], row["pipeline x win rate"]), kind
            inside.append(row["inside"])
    assert np.mean(inside) >= 0.75


@pytest.mark.shared_data
def test_the_back_test_reaches_what_is_due_by_nothing_of_the_future(shared_data: Path) -> None:
    spells = read_spells(shared_data / "maven")
    starts = [int(np.datetime64(f"2017-{month:02}-01").astype(np.int64)) for month in range(5, 11)]
    within_30, within_90 = back_test(spells, starts)
    assert within_30["forecast"] <= 0.22
    assert within_90["forecast"] <= 0.9 * min(within_90["last period"], within_90["pipeline x win rate"])
    assert changed_by_the_future(spells, starts, as_told) == 0
    assert changed_by_the_future(spells, starts, peeking) == len(starts), "the control"
