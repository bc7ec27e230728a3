"""What open and coming deals will bring: by how long deals like them stay open, in which month of the quarter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Ages in days at which a new band begins: fine where most deals are decided or forgotten.
AGE_BANDS = (0, 4, 8, 15, 30, 45, 60, 75, 90, 105, 120, 140)
_MOST_DAYS = 400  # ages beyond are one
# So many days of deals at risk, or wins, weigh as much as what age and season say apart: chosen by the back-test of
# benchmarks/forecast_bench.py, whose months therefore are no proof of it.
_PRIOR_DAYS = 1_500.0
_PRIOR_WINS = 50.0
# What earlier forecasts of open deals missed corrects today's: so many, a month each, after two months
# to learn from.
_CHECKS = 3
_CHECK_DAYS = 30
_LEARNING_DAYS = 60
_PRIOR_CHECKED = 20.0
_UNCHECKED_ERROR = 0.2  # of the open part, before any forecast could be checked
_RECENT_DAYS = 90  # new deals come as they came in the last quarter
_SPREAD_80 = 1.2816  # standard deviations that hold 80 per cent of a normal distribution


@dataclass(frozen=True)
class Spells:
    """Stretches of deals in one stage, as days since 1970: one row per deal and stage it was in.

    `born` is the day the deal was opened, `begins`, `ends` the spell's first and last day (NEVER: it lasts), `outcome`
    1 won, -1 lost, 0 neither at its end; `stage` numbers its stage; `amount` the deal's, NaN where unknown.
    """

    deal: Days
    born: Days
    begins: Days
    ends: Days
    outcome: Days
    stage: Days
    amount: Floats


NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Forecast:
    """Value to be won within some days: of deals open today, of deals not yet there, with an 80 % interval."""

    days: int
    from_open: float
    from_new: float
    low: float
    high: float

    @property
    def total(self) -> float:
        """Open and new together."""
        return self.from_open + self.from_new


def month_of_quarter(day: Days) -> Days:
    """0, 1, 2: the place of the day's month in its quarter."""
    return np.asarray(day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 3)


def seen_from(spells: Spells, today: int) -> Spells:
    """What was known in the morning of that day: later stages are not there, later ends have not come."""
    kept = spells.begins < today
    columns = {name: getattr(spells, name)[kept] for name in ("deal", "born", "begins", "stage", "amount")}
    ends, outcome = spells.ends[kept], spells.outcome[kept]
    still = ends >= today
    return Spells(ends=np.where(still, NEVER, ends), outcome=np.where(still, 0, outcome), **columns)


@dataclass(frozen=True)
class Hazards:
    """The chance per day of being won or lost: (bands, 3 months of the quarter), times a factor per stage."""

    won: Floats
    lost: Floats
    stage_factor: Floats

    @classmethod
    def of(cls, seen: Spells, today: int) -> Hazards:
        """From the days that deals were at risk since the first one was decided; before that nothing was recorded.

        A cell of few days leans on its age's rate times its season's; a season not seen yet is like the others.
        """
        decided = seen.outcome != 0
        if not decided.any():
            nothing = np.zeros((len(AGE_BANDS), 3))
            return cls(nothing, nothing, np.ones(_stages(seen)))
        origin = int(seen.ends[decided].min())
        day, row = _days_at_risk(seen, origin, today)
        cell = _cells(day - seen.born[row], day)
        at_risk = np.bincount(cell, minlength=len(AGE_BANDS) * 3).astype(np.float64)
        won, lost = (_smoothed(_events(seen, sign), at_risk) for sign in (1, -1))
        expected = np.bincount(seen.stage[row], weights=won.ravel()[cell], minlength=_stages(seen))
        found = np.bincount(seen.stage[seen.outcome == 1], minlength=_stages(seen))
        return cls(won, lost, (found + _PRIOR_CHECKED) / (expected + _PRIOR_CHECKED))


def _stages(spells: Spells) -> int:
    return int(spells.stage.max(initial=0)) + 1


def _days_at_risk(seen: Spells, origin: int, today: int) -> tuple[Days, Days]:
    """Every day on which a spell could have ended, and the spell's row."""
    first = np.maximum(seen.begins, origin)
    last = np.minimum(seen.ends, today - 1)
    counts = np.maximum(last - first + 1, 0)
    counts = np.minimum(counts, _MOST_DAYS)
    row = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first[row] + within, row


def _cells(age: Days, day: Days) -> Days:
    band = np.searchsorted(np.asarray(AGE_BANDS), np.maximum(age, 0), side="right") - 1
    return np.asarray(band * 3 + month_of_quarter(day))


def _events(seen: Spells, sign: int) -> Floats:
    rows = seen.outcome == sign
    cell = _cells(seen.ends[rows] - seen.born[rows], seen.ends[rows])
    return np.bincount(cell, minlength=len(AGE_BANDS) * 3).astype(np.float64)


def _smoothed(events: Floats, at_risk: Floats) -> Floats:
    """(bands, 3): events per day at risk, pulled towards age × season where there were few days."""
    found, days = events.reshape(-1, 3), at_risk.reshape(-1, 3)
    by_age = found.sum(axis=1) / np.maximum(days.sum(axis=1), 1)
    expected = (days * by_age[:, None]).sum(axis=0)
    season = (found.sum(axis=0) + _PRIOR_WINS) / (expected + _PRIOR_WINS)
    prior = by_age[:, None] * season
    return np.asarray((found + _PRIOR_DAYS * prior) / (days + _PRIOR_DAYS))


def forecast(spells: Spells, today: int, horizon_days: int) -> Forecast:
    """The value won on `today` and the days after it, so many in all, from what was known in its morning."""
    seen = seen_from(spells, today)
    hazards = Hazards.of(seen, today)
    usual = _usual_amount(seen)
    is_open = seen.ends == NEVER
    amount = np.where(np.isfinite(seen.amount), seen.amount, usual)[is_open]
    factor, error = _correction(seen, today)
    chance = np.minimum(_open_chances(hazards, seen, today, horizon_days) * factor, 1.0)
    coming = _arrivals(seen, today) * float(_new_chances(hazards, today, horizon_days).sum())
    from_open, from_new = float((amount * chance).sum()), coming * usual
    won_amounts = seen.amount[(seen.outcome == 1) & np.isfinite(seen.amount)]
    square = float((won_amounts**2).mean()) if len(won_amounts) else 0.0
    variance = float((amount**2 * chance * (1 - chance)).sum()) + coming * square + (error * from_open) ** 2
    margin = _SPREAD_80 * float(np.sqrt(variance))
    total = from_open + from_new
    return Forecast(horizon_days, from_open, from_new, max(total - margin, 0.0), total + margin)


def _correction(seen: Spells, today: int) -> tuple[float, float]:
    """By what to multiply the chances of open deals, and what share of them to expect as an error.

    Deals won out of those open at earlier dates, against what would have been said of them then.
    """
    decided = seen.ends[seen.outcome != 0]
    first = int(decided.min()) if len(decided) else today
    said, came = [], []
    for check in range(1, _CHECKS + 1):
        start = today - check * _CHECK_DAYS
        if start - first < _LEARNING_DAYS:
            break
        then = seen_from(seen, start)
        said.append(float(_open_chances(Hazards.of(then, start), then, start, _CHECK_DAYS).sum()))
        won = (seen.outcome == 1) & (seen.ends >= start) & (seen.ends < start + _CHECK_DAYS) & (seen.born < start)
        came.append(float(won.sum()))
    if not said:
        return 1.0, _UNCHECKED_ERROR
    factor = (sum(came) + _PRIOR_CHECKED) / (sum(said) + _PRIOR_CHECKED)
    missed = [(a - s * factor) / max(s, 1.0) for a, s in zip(came, said, strict=True)]
    return factor, float(np.sqrt((np.square(missed).sum() + _UNCHECKED_ERROR**2) / (len(missed) + 1)))


def _open_chances(hazards: Hazards, seen: Spells, today: int, days: int) -> Floats:
    """The chance of each deal that is open today to be won within the days."""
    rows = seen.ends == NEVER
    return _chances(hazards, today - seen.born[rows], seen.stage[rows], today, days)


def _usual_amount(seen: Spells) -> float:
    """The mean amount of won deals, else of all."""
    known = np.isfinite(seen.amount)
    won = known & (seen.outcome == 1)
    amounts = seen.amount[won if won.any() else known]
    return float(amounts.mean()) if len(amounts) else 0.0


def _chances(hazards: Hazards, age: Days, stage: Days, today: int, days: int) -> Floats:
    """(deals,): the chance of each open deal of that age to be won within the days."""
    alive, won = np.ones(len(age)), np.zeros(len(age))
    factor = hazards.stage_factor[stage]
    for step in range(days):
        day = np.full(len(age), today + step)
        cell = _cells(np.minimum(age + step, _MOST_DAYS), day)
        win = np.minimum(hazards.won.ravel()[cell] * factor, 1.0)
        won += alive * win
        alive *= np.maximum(1 - win - hazards.lost.ravel()[cell], 0.0)
    return won


def _new_chances(hazards: Hazards, today: int, days: int) -> Floats:
    """(days,): the chance that a deal opened on each of the coming days is won by the last of them."""
    chances = np.zeros(days)
    for born in range(days):
        ages = np.arange(days - born)
        cell = _cells(ages, today + born + ages)
        win, lose = hazards.won.ravel()[cell], hazards.lost.ravel()[cell]
        alive = np.cumprod(np.concatenate([[1.0], np.maximum(1 - win - lose, 0.0)]))[:-1]
        chances[born] = float((alive * win).sum())
    return chances


def _arrivals(seen: Spells, today: int) -> float:
    """New deals a day, as in the last quarter of what is known."""
    born = np.unique(np.column_stack([seen.deal, seen.born]), axis=0)[:, 1] if len(seen.deal) else seen.born
    since = max(today - _RECENT_DAYS, int(born.min(initial=today)))
    return float((born >= since).sum()) / max(today - since, 1)


def last_period(spells: Spells, today: int, days: int) -> float:
    """Naive: what was won in the same number of days before."""
    seen = seen_from(spells, today)
    rows = (seen.outcome == 1) & (seen.ends >= today - days)
    return float(np.nansum(seen.amount[rows]))


def pipeline_times_rate(spells: Spells, today: int) -> float:
    """Naive: the open pipeline times the share of decided deals that were won."""
    seen = seen_from(spells, today)
    won, lost = int((seen.outcome == 1).sum()), int((seen.outcome == -1).sum())
    usual = _usual_amount(seen)
    amount = np.where(np.isfinite(seen.amount), seen.amount, usual)[seen.ends == NEVER]
    return float(amount.sum()) * won / max(won + lost, 1)


def won_between(spells: Spells, today: int, days: int) -> float:
    """What was won from that day on, in so many days."""
    rows = (spells.outcome == 1) & (spells.ends >= today) & (spells.ends < today + days)
    return float(np.nansum(spells.amount[rows]))
