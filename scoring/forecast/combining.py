"""The forecast: several ways to look ahead, each weighed by how it did at earlier months' starts, as known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.forecast.chances import Outlook, arrivals_a_day, open_amounts, run_on, survive
from scoring.forecast.hazards import Exposure, Hazards
from scoring.forecast.spells import Floats, Spells, seen_from, usual_amount, won_between

# Ways to look ahead: how long deals stay open, with so many days in which the past's weight halves; and going on as
# before.
_HALF_LIVES = (730.0, 120.0)
WAYS = (*(f"survival, half-life {half_life:.0f} days" for half_life in _HALF_LIVES), "going on as before")
_FIRST_WEIGHTS = np.array([1 / 4, 1 / 4, 1 / 2])
# Before anything was checked each way counts as if it had erred by a fifth, so many times.
_UNCHECKED_ERROR = 0.2
_UNCHECKED = 2.0
HORIZONS = (30, 90)  # days ahead at which the ways are checked
CHECKS = 12  # months' starts that are looked back on
_SPREAD_80 = 1.2816  # standard deviations that hold 80 per cent of a normal distribution
LEAST_DECIDED, LEAST_WON, LEAST_DAYS = 30, 10, 60


@dataclass(frozen=True)
class Forecast:
    """Value to be won within some days: of deals open that day, of deals not yet there, with an 80 % interval.

    `open_chance` is each open deal's chance and `open_amount` its amount, in the order of the open stretches as known
    that day; `weights` what each of WAYS counted.
    """

    day: int
    days: int
    from_open: float
    from_new: float
    low: float
    high: float
    open_chance: Floats
    open_amount: Floats
    weights: Floats

    @property
    def total(self) -> float:
        """Open and new together."""
        return self.from_open + self.from_new


@dataclass(frozen=True)
class Sayings:
    """What each way to look ahead said on one day: `totals` (ways, horizons), `outlooks` of all ways but the last."""

    day: int
    seen: Spells
    days: tuple[int, ...]
    totals: Floats
    outlooks: list[list[Outlook]]


def say(spells: Spells, day: int, days: tuple[int, ...], year_starts_in: int = 1) -> Sayings | None:
    """What each way says in the morning of that day; None where too few deals had been decided."""
    seen = seen_from(spells, day)
    exposure = Exposure.of(seen, day, year_starts_in) if History.of(seen, day).is_enough else None
    if exposure is None:
        return None
    outlooks = survive([Hazards.of(exposure, half_life) for half_life in _HALF_LIVES], seen, day, days)
    totals = [[outlook.total for outlook in way] for way in outlooks]
    totals.append(run_on(seen, day, exposure.origin, days, year_starts_in))
    return Sayings(day, seen, days, np.array(totals), outlooks)


@dataclass(frozen=True)
class History:
    """What there is to learn from: deals decided, deals won, and days since the first one was decided."""

    decided: int
    won: int
    days: int

    @classmethod
    def of(cls, seen: Spells, day: int) -> History:
        """The history known in the morning of that day."""
        decided = seen.outcome != 0
        first = int(seen.ends[decided].min()) if decided.any() else day
        return cls(int(decided.sum()), int((seen.outcome == 1).sum()), day - first)

    @property
    def is_enough(self) -> bool:
        """Whether anything may be said of the coming deals."""
        return self.decided >= LEAST_DECIDED and self.won >= LEAST_WON and self.days >= LEAST_DAYS


def month_starts(day: int, count: int) -> list[int]:
    """The first days of the last `count` months, not after that day, oldest first."""
    this = np.datetime64(day, "D").astype("datetime64[M]")
    return [int(month.astype("datetime64[D]").astype(np.int64)) for month in this - np.arange(count)[::-1]]


class Teller:
    """Tells forecasts of one set of deals; what was said at each month's start is kept for all that look back on it."""

    def __init__(self, spells: Spells, year_starts_in: int = 1) -> None:
        """`year_starts_in`: the month (1 to 12) with which the year of the quarters begins."""
        self.spells, self.year_starts_in = spells, year_starts_in
        self._checks: dict[int, Sayings | None] = {}

    def forecasts(
        self, day: int, days: tuple[int, ...] = HORIZONS, told_anew: Spells | None = None
    ) -> list[Forecast] | None:
        """What is said in the morning of the day for each horizon, by nothing that was not known then.

        None where too little was known. A horizon that is not checked takes the weights of the nearest one that is.
        `told_anew`: the same deals with amounts in the rates of the day; earlier days go by the rates of then.
        """
        is_a_check = told_anew is None and days == HORIZONS
        said = self._said(day) if is_a_check else say(told_anew or self.spells, day, days, self.year_starts_in)
        if said is None:
            return None
        earlier = [self._said(start) for start in month_starts(day - 1, CHECKS)]
        checks = [one for one in earlier if one is not None]
        return [_combined(said, place, checks) for place in range(len(days))]

    def _said(self, start: int) -> Sayings | None:
        if start not in self._checks:
            self._checks[start] = say(self.spells, start, HORIZONS, self.year_starts_in)
        return self._checks[start]


def _combined(said: Sayings, place: int, earlier: Sequence[Sayings]) -> Forecast:
    """One horizon's forecast, the ways weighed by how they did where that was known by the day."""
    horizon = _nearest(said.days[place])
    checks = [one for one in earlier if one.day + HORIZONS[horizon] <= said.day]
    shown = np.array([one.totals[:, horizon] for one in checks]).reshape(-1, len(_FIRST_WEIGHTS))
    came = np.array([won_between(said.seen, one.day, HORIZONS[horizon]) for one in checks])
    shown, came = shown[came > 0], came[came > 0]
    weights = _weights(shown, came)
    total = float(weights @ said.totals[:, place])
    ways = [way[place] for way in said.outlooks]
    of_ways = weights[: len(ways)] / weights[: len(ways)].sum()
    by_survival = float(of_ways @ [way.total for way in ways])
    factor = total / by_survival if by_survival > 0 else 1.0
    chance = np.minimum(sum(share * way.open_chance for share, way in zip(of_ways, ways, strict=True)) * factor, 1.0)
    amount = open_amounts(said.seen)
    from_open = min(float((amount * chance).sum()), total)
    spread = _spread(said, chance, total - from_open, _error(shown, came) * total)
    return Forecast(
        said.day, said.days[place], from_open, total - from_open, max(total - spread, 0.0), total + spread, chance,
        amount, weights,
    )  # fmt: skip


def _nearest(days: int) -> int:
    return int(np.argmin([abs(days - horizon) for horizon in HORIZONS]))


def _weights(shown: Floats, came: Floats) -> Floats:
    """(ways,): by the inverse of the squared mean squared relative error, which starts as `_UNCHECKED_ERROR`.

    Source: Bates and Granger, The Combination of Forecasts, 1969; squared once more, since ways that hang together
    gain little by being mixed (chosen on seeded worlds, benchmarks/forecast_worlds.py).
    """
    missed = ((shown - came[:, None]) / came[:, None]) ** 2
    error = (missed.sum(axis=0) + _UNCHECKED * _UNCHECKED_ERROR**2) / (len(missed) + _UNCHECKED)
    weight = _FIRST_WEIGHTS / error**2
    return np.asarray(weight / weight.sum())


def _error(shown: Floats, came: Floats) -> float:
    """The share by which the combination missed, each time weighed by what had been checked before."""
    missed = [
        (float(_weights(shown[:place], came[:place]) @ shown[place]) - came[place]) / came[place]
        for place in range(len(came))
    ]
    return float(np.sqrt((np.square(missed).sum() + _UNCHECKED * _UNCHECKED_ERROR**2) / (len(missed) + _UNCHECKED)))


def _spread(said: Sayings, chance: Floats, from_new: float, missed: float) -> float:
    """Half the width of the 80 % interval: the larger of what chance alone gives and what earlier ones missed."""
    amount = open_amounts(said.seen)
    won = said.seen.closing[said.seen.outcome == 1]
    square = float(np.nanmean(won**2)) if np.isfinite(won).any() else 0.0
    usual = usual_amount(said.seen)
    coming = from_new / usual if usual > 0 and arrivals_a_day(said.seen, said.day) > 0 else 0.0
    luck = float((amount**2 * chance * (1 - chance)).sum()) + coming * square
    return _SPREAD_80 * float(np.sqrt(max(luck, missed**2)))
