"""The forecast: what open and coming deals bring, judged by what was known that day."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast_bench import read_spells
from scoring.forecast import (
    NEVER,
    Forecast,
    Spells,
    forecast,
    last_period,
    month_of_quarter,
    pipeline_times_rate,
    seen_from,
    won_between,
)

TODAY = int(np.datetime64("2026-10-01").astype(np.int64))


def _world(days: int = 400, a_day: int = 20, seed: int = 5) -> Spells:
    """Deals opened steadily, decided within 40 days, half of them won, 100 each."""
    random = np.random.default_rng(seed)
    born = TODAY - days + np.repeat(np.arange(days + 100), a_day)
    ends = born + random.integers(1, 40, len(born))
    number = np.arange(len(born))
    outcome = np.where(random.random(len(born)) < 0.5, 1, -1)
    return Spells(number, born, born, ends, outcome, number * 0, np.full(len(born), 100.0))


def _told(spells: Spells, days: int) -> Forecast:
    return forecast(spells, TODAY, days)


@pytest.mark.parametrize("days", [30, 90])
def test_a_steady_business_is_told_with_its_open_and_its_new_part(days: int) -> None:
    world = _world()
    told = _told(world, days)
    assert told.total == pytest.approx(won_between(world, TODAY, days), rel=0.15)
    assert told.low < won_between(world, TODAY, days) < told.high
    assert told.from_new > told.from_open if days == 90 else told.from_new > 0


def test_nothing_of_the_future_is_known() -> None:
    world = _world()
    later = world.begins >= TODAY
    assert later.any()
    blind = Spells(*(getattr(world, name)[~later] for name in Spells.__annotations__))
    blind.outcome[blind.ends >= TODAY] = -1
    blind.ends[blind.ends >= TODAY] = TODAY + 1
    assert _told(world, 30) == _told(blind, 30)
    assert (seen_from(world, TODAY).ends[seen_from(world, TODAY).outcome == 0] == NEVER).all()


def test_an_empty_or_young_history_is_no_fault() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = Spells(nothing, nothing, nothing, nothing, nothing, nothing, nothing.astype(np.float64))
    assert _told(empty, 30).total == 0
    one = np.array([1])
    young = Spells(one, np.array([TODAY - 5]), np.array([TODAY - 5]), np.array([NEVER]), one * 0, one * 0, one * 9.0)
    assert _told(young, 30).total == 0


def test_a_deal_of_unknown_amount_counts_as_the_usual_won_one() -> None:
    world = _world()
    unknown = world.amount.copy()
    unknown[len(seen_from(world, TODAY).born) - 200 : len(seen_from(world, TODAY).born)] = np.nan
    assert _told(world, 30).from_open == pytest.approx(
        forecast(Spells(**{**vars(world), "amount": unknown}), TODAY, 30).from_open
    )


def test_months_of_a_quarter_are_counted_from_january() -> None:
    days = np.array(["2026-01-31", "2026-02-01", "2026-06-30", "2026-12-01"], dtype="datetime64[D]")
    assert month_of_quarter(days.astype(np.int64)).tolist() == [0, 1, 2, 2]


@pytest.mark.shared_data
@pytest.mark.parametrize(("days", "due"), [(30, 0.22), (90, None)])
def test_the_back_test_reaches_what_is_due(shared_data: Path, days: int, due: float | None) -> None:
    spells = read_spells(shared_data / "maven")
    starts = [int(np.datetime64(f"2017-{month:02}-01").astype(np.int64)) for month in range(5, 11)]
    actual = np.array([won_between(spells, day, days) for day in starts])

    def wape(said: list[float]) -> float:
        return float(np.abs(np.array(said) - actual).sum() / actual.sum())

    ours = wape([forecast(spells, day, days).total for day in starts])
    naive = wape([last_period(spells, day, days) for day in starts])
    other = wape([pipeline_times_rate(spells, day) for day in starts])
    assert ours <= (due if due is not None else 0.9 * min(naive, other))
