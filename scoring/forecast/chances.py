"""From chances per day to chances within a number of days: of deals that are open, and of deals still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.forecast.hazards import SEASONS, Hazards, factors, month_of_quarter
from scoring.forecast.spells import Days, Floats, Spells, usual_amount

_RECENT_DAYS = 90  # new deals come as they came in the last quarter
_RATE_DAYS = 182  # what was won a day is looked up over two quarters


@dataclass(frozen=True)
class Outlook:
    """What is said of the days ahead: the chance of each open deal, and the value of deals still to come."""

    open_chance: Floats
    from_open: float
    from_new: float

    @property
    def total(self) -> float:
        """Open and new together."""
        return self.from_open + self.from_new


def survive(ways: Sequence[Hazards], seen: Spells, today: int, days: tuple[int, ...]) -> list[list[Outlook]]:
    """(ways, horizons): the outlook by how long deals stay open, for each way to estimate that."""
    rows = seen.is_open
    amount, usual = open_amounts(seen), usual_amount(seen)
    # Deals of one age, stage and team share their chance.
    teams, stages = int(seen.team.max(initial=0)) + 1, int(seen.stage.max(initial=0)) + 1
    key = ((today - seen.born[rows]) * stages + seen.stage[rows]) * teams + seen.team[rows]
    keys, group = np.unique(key, return_inverse=True)
    age, stage, team = keys // teams // stages, keys // teams % stages, keys % teams
    unborn = -np.arange(max(days))
    arrivals = arrivals_a_day(seen, today)
    outlooks = []
    for hazards in ways:
        every = np.concatenate([hazards.factor(stage, team), np.ones(len(unborn))])
        chances = _won_by_day(hazards, np.concatenate([age, unborn]), every, today, days)
        of_way = []
        for horizon, chance in zip(days, chances, strict=True):
            new = arrivals * usual * float(chance[len(keys) :][:horizon].sum())
            of_deal = chance[group]
            of_way.append(Outlook(of_deal, float((amount * of_deal).sum()), new))
        outlooks.append(of_way)
    return outlooks


def open_amounts(seen: Spells) -> Floats:
    """The amounts of open deals; one that is not known counts as the usual won one."""
    return np.where(seen.amount_known, seen.amount, usual_amount(seen))[seen.is_open]


def _won_by_day(hazards: Hazards, age: Days, factor: Floats, today: int, days: tuple[int, ...]) -> list[Floats]:
    """Per horizon the chance to be won within it, of deals of that age today; a negative age is opened later."""
    alive, won = np.ones(len(age)), np.zeros(len(age))
    of_band_won, of_band_lost = hazards.won.reshape(-1, SEASONS), hazards.lost.reshape(-1, SEASONS)
    seasons = month_of_quarter(today + np.arange(max(days)), hazards.year_starts_in)
    at: dict[int, Floats] = {}
    for step in range(max(days)):
        band = np.searchsorted(hazards.bands, np.maximum(age + step, 0), side="right") - 1
        is_born = age + step >= 0
        win = np.minimum(of_band_won[band, seasons[step]] * factor, 1.0) * is_born
        lose = of_band_lost[band, seasons[step]] * is_born
        won = won + alive * win
        alive = alive * np.maximum(1 - win - lose, 0.0)
        at[step + 1] = won
    return [at[horizon] for horizon in days]


def arrivals_a_day(seen: Spells, today: int) -> float:
    """New deals a day, as in the last quarter of what is known."""
    since = max(today - _RECENT_DAYS, int(seen.born.min(initial=today)))
    return len(np.unique(seen.deal[seen.born >= since])) / max(today - since, 1)


def run_on(seen: Spells, today: int, origin: int, days: tuple[int, ...], year_starts_in: int = 1) -> list[float]:
    """Each horizon's value if deals go on being won as in the last two quarters, by the month of the quarter.

    A month of the quarter that has not been seen is like the others.
    """
    since = max(today - _RATE_DAYS, origin)
    won = (seen.outcome == 1) & (seen.ends >= since) & (seen.ends < today)
    past = month_of_quarter(np.arange(since, today), year_starts_in)
    number = np.bincount(month_of_quarter(seen.ends[won], year_starts_in), minlength=SEASONS).astype(np.float64)
    length = np.bincount(past, minlength=SEASONS)
    factor = factors(number, length * number.sum() / max(length.sum(), 1))
    value_a_day = float(np.nansum(np.where(won, seen.closing, 0.0))) / max(float(factor[past].sum()), 1e-9)
    ahead = factor[month_of_quarter(today + np.arange(max(days)), year_starts_in)]
    return [value_a_day * float(ahead[:horizon].sum()) for horizon in days]
