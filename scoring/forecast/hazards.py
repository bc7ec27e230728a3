"""The chance per day that an open deal is won or lost: by its age, the month of the quarter, its stage and its team."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.forecast.spells import Days, Floats, Spells

SEASONS = 3  # months of a quarter
# Bands of age end where these shares of the decided deals had been decided; one more lies beyond all of them.
_BAND_SHARES = np.array([*np.arange(1, 12) / 12, 0.95, 0.99])
_MOST_DAYS = 1_095  # of age and of history that are looked at
# Candidates for how many expected events a cell must have to be trusted as much as what all cells say together.
_TRUST = np.array([0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 2_000])
_log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])


def month_of_quarter(day: Days, year_starts_in: int = 1) -> Days:
    """0, 1, 2: the place of the day's month in its quarter, of a year that starts in that month (1 to 12)."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray((month - (year_starts_in - 1)) % SEASONS)


def trust(events: Floats, expected: Floats) -> float:
    """How many expected events a cell needs to be trusted by half: the candidate that makes the counts most likely.

    Each cell's true rate is thought of as its expected one times a gamma-distributed factor of mean 1 and this shape
    (empirical Bayes); the counts are then negative binomial.
    """
    some = expected > 0
    if not some.any():
        return float(_TRUST[0])
    found, mean = events[some][:, None], expected[some][:, None]
    likely = _log_gamma(found + _TRUST) - _log_gamma(_TRUST) + _TRUST * np.log(_TRUST / (_TRUST + mean))
    likely = likely + found * np.log(mean / (_TRUST + mean))
    return float(_TRUST[int(np.argmax(likely.sum(axis=0)))])


def factors(events: Floats, expected: Floats) -> Floats:
    """By what each cell's rate differs from the expected one, leaning on 1 where little was seen."""
    weight = trust(events, expected)
    return np.asarray((events + weight) / (expected + weight))


@dataclass(frozen=True)
class Exposure:
    """What was seen of deals at risk: how many stood open by (day of birth, age), and where deals were decided.

    `first_birth` is the day of row 0, `origin` the first day on which a decision was recorded: before it nothing is
    known of deals that were decided. `cell` (births, ages) is band × season, -1 outside of what was seen. Of each
    stretch: `row` its day of birth's, `enters` and `leaves` its first and last age at risk, `inside` whether it was.
    """

    seen: Spells
    today: int
    origin: int
    first_birth: int
    bands: Days
    cell: Days
    at_risk: Floats
    row: Days
    enters: Days
    leaves: Days
    inside: npt.NDArray[np.bool_]
    year_starts_in: int

    @classmethod
    def of(cls, seen: Spells, today: int, year_starts_in: int = 1) -> Exposure | None:
        """None where no decided deal was seen in the last years."""
        age = seen.ends - seen.born
        decided = (seen.outcome != 0) & (seen.ends >= today - _MOST_DAYS) & (age < _MOST_DAYS)
        if not decided.any():
            return None
        origin = int(seen.ends[decided].min())
        bands = _bands(np.maximum(age[decided], 0))
        ages = int(bands[-1]) + 1
        first_birth = max(int(seen.born.min()), origin - ages)
        births = max(today - first_birth, 1)
        row = seen.born - first_birth
        enters = np.maximum(np.maximum(seen.begins, origin) - seen.born, 0)
        # A stretch that gave way to another ends before the day on which the other begins.
        gave_way = (seen.outcome == 0) & (seen.ends < today)
        leaves = np.minimum(np.minimum(seen.ends - gave_way, today - 1) - seen.born, ages - 1)
        inside = (row >= 0) & (row < births) & (enters <= leaves)
        cell = _cells(bands, origin, today, first_birth, year_starts_in)
        at_risk = _open_by_birth_and_age(row[inside], enters[inside], leaves[inside], (births, ages))
        return cls(
            seen, today, origin, first_birth, bands, cell, at_risk, row, enters, leaves, inside, year_starts_in
        )  # fmt: skip

    def recency(self, half_life: float) -> Floats:
        """(births, ages): what a day counts, half so much every `half_life` days back."""
        births, ages = self.cell.shape
        back = np.minimum(self.first_birth + np.arange(births + ages - 1) - self.today, 0)
        return np.asarray(_along_days(np.exp2(back / half_life), ages))


def _along_days(by_day: Floats, ages: int) -> Any:
    """(births, ages): a value of each day (births + ages - 1), where day = birth + age."""
    return np.lib.stride_tricks.sliding_window_view(by_day, ages)


def _cells(bands: Days, origin: int, today: int, first_birth: int, year_starts_in: int) -> Days:
    """(births, ages): band × season of the day; -1 before the origin and from today on."""
    ages = int(bands[-1]) + 1
    day = first_birth + np.arange(max(today - first_birth, 1) + ages - 1)
    season = np.where((day >= origin) & (day < today), month_of_quarter(day, year_starts_in), -len(bands) * SEASONS)
    band = np.searchsorted(bands, np.arange(ages), side="right") - 1
    return np.asarray(np.maximum(_along_days(season, ages) + band * SEASONS, -1))


def _bands(ages: Days) -> Days:
    """The ages at which bands begin: where equal shares of deals were decided, and beyond all of them."""
    edges = np.quantile(ages, _BAND_SHARES, method="higher")
    return np.unique(np.concatenate([[0], edges, [ages.max() + 1]]).astype(np.int64))


def _open_by_birth_and_age(row: Days, enters: Days, leaves: Days, shape: tuple[int, int]) -> Floats:
    """(births, ages): how many deals stood open on each day."""
    births, width = shape[0], shape[1] + 1
    change = np.bincount(row * width + enters, minlength=births * width)
    change = change - np.bincount(row * width + leaves + 1, minlength=births * width)
    return np.cumsum(change.reshape(births, width), axis=1)[:, :-1].astype(np.float64)


@dataclass(frozen=True)
class Hazards:
    """The chance per day of being won or lost: (bands × months of the quarter), times a factor per stage and team."""

    bands: Days
    won: Floats
    lost: Floats
    stage: Floats
    team: Floats
    year_starts_in: int

    @classmethod
    def of(cls, exposure: Exposure, half_life: float) -> Hazards:
        """What was seen, with recent days counting more; cells lean on their age's rate times their month's."""
        recency = exposure.recency(half_life)
        cells = len(exposure.bands) * SEASONS
        # What lies outside of what was seen is gathered in one cell more, and left out.
        days = _summed((exposure.cell % (cells + 1)).ravel(), (exposure.at_risk * recency).ravel(), cells + 1)[:cells]
        won, lost = (_smoothed(_events(exposure, recency, sign), days) for sign in (1, -1))
        stage, team = _group_factors(exposure, recency, won)
        return cls(exposure.bands, won, lost, stage, team, exposure.year_starts_in)

    def factor(self, stage: Days, team: Days) -> Floats:
        """(rows,): by what a deal's chance of being won differs, by its stage and its owner's team."""
        return np.asarray(self.stage[stage] * self.team[team])


def _events(exposure: Exposure, recency: Floats, sign: int) -> Floats:
    """(bands × seasons,): decisions of that outcome."""
    rows = np.flatnonzero((exposure.seen.outcome == sign) & exposure.inside)
    row, age = exposure.row[rows], exposure.leaves[rows]
    return _summed(exposure.cell[row, age], recency[row, age], len(exposure.bands) * SEASONS)


def _smoothed(events: Floats, days: Floats) -> Floats:
    """(bands × seasons,): events per day at risk."""
    found, at_risk = events.reshape(-1, SEASONS), days.reshape(-1, SEASONS)
    by_age = found.sum(axis=1) / np.maximum(at_risk.sum(axis=1), 1e-9)
    expected = at_risk * by_age[:, None]
    season = factors(found.sum(axis=0), expected.sum(axis=0))
    prior = by_age[:, None] * season
    return np.asarray(np.minimum(prior * factors(found, at_risk * prior), 1.0)).ravel()


def _group_factors(exposure: Exposure, recency: Floats, won: Floats) -> tuple[Floats, Floats]:
    """Per stage and per team: deals won against those expected by age and month, the team's after the stage's."""
    seen, rows = exposure.seen, np.flatnonzero(exposure.inside)
    chance = np.append(won, 0.0)[exposure.cell] * recency
    running = np.concatenate([np.zeros((len(chance), 1)), np.cumsum(chance, axis=1)], axis=1)
    row, leaves = exposure.row[rows], exposure.leaves[rows]
    expected = running[row, leaves + 1] - running[row, exposure.enters[rows]]
    came = np.where(seen.outcome[rows] == 1, recency[row, leaves], 0.0)
    stages, teams = (int(group.max(initial=0)) + 1 for group in (seen.stage, seen.team))
    stage = _by_group(seen.stage[rows], stages, came, expected)
    return stage, _by_group(seen.team[rows], teams, came, expected * stage[seen.stage[rows]])


def _by_group(group: Days, number: int, came: Floats, expected: Floats) -> Floats:
    return factors(_summed(group, came, number), _summed(group, expected, number))


def _summed(group: Days, values: Floats, number: int) -> Floats:
    """(number,): the sum of each group's values."""
    return np.bincount(group, weights=values, minlength=number).astype(np.float64)
