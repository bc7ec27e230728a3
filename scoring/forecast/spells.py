"""Deals as stretches of days in one stage, and what of them was known on a day."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Spells:
    """Stretches of deals in one stage, as days since 1970: one row per deal and stretch.

    `born` is the day the deal was opened; `begins`, `ends` the stretch's first and last day (NEVER: it lasts); `told`,
    `ended_told` the days on which its begin and its end came to be known; `outcome` 1 won, -1 lost, 0 neither at its
    end; `undone` the day on which it became known that the outcome does not stand (NEVER: it stands); `stage` and
    `team` number its stage and its owner's team; `amount` the deal's while the stretch lasted, `closing` the one it was
    closed for; NaN where unknown.
    """

    deal: Days
    born: Days
    begins: Days
    told: Days
    ends: Days
    ended_told: Days
    outcome: Days
    undone: Days
    stage: Days
    team: Days
    amount: Floats
    closing: Floats

    def of(self, rows: npt.NDArray[np.bool_]) -> Spells:
        """The rows that are picked."""
        return Spells(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def is_open(self) -> npt.NDArray[np.bool_]:
        """(rows,): whether the stretch lasts."""
        return np.asarray(self.ends == NEVER)

    @property
    def amount_known(self) -> npt.NDArray[np.bool_]:
        """(rows,): whether the deal has an amount."""
        return np.isfinite(self.amount)


def of_one_stage(born: Days, ends: Days, outcome: Days, amount: Floats, closing: Floats) -> Spells:
    """Deals of one stage and team, all known of at once."""
    number = np.arange(len(born))
    nothing, never = np.zeros(len(born), dtype=np.int64), np.full(len(born), NEVER)
    return Spells(number, born, born, born, ends, ends, outcome, never, nothing, nothing, amount, closing)


def seen_from(spells: Spells, today: int) -> Spells:
    """What was known in the morning of that day: later stages are not there, later ends have not come."""
    seen = spells.of(spells.told < today)
    still = seen.ended_told >= today
    stands = ~still & (seen.undone >= today)
    return Spells(
        seen.deal, seen.born, seen.begins, seen.told,
        np.where(still, NEVER, seen.ends), np.where(still, NEVER, seen.ended_told),
        np.where(stands, seen.outcome, 0), np.where(seen.undone < today, seen.undone, NEVER),
        seen.stage, seen.team, seen.amount, np.where(still, np.nan, seen.closing),
    )  # fmt: skip


def usual_amount(seen: Spells) -> float:
    """The mean amount of won deals, else of all; 0 where no amount is known."""
    won = seen.closing[(seen.outcome == 1) & np.isfinite(seen.closing)]
    amounts = won if len(won) else seen.amount[seen.amount_known]
    return float(amounts.mean()) if len(amounts) else 0.0


def last_period(seen: Spells, today: int, days: int) -> float:
    """Naive: what was won in the same number of days before, as known today."""
    return won_between(seen, today - days, days)


def pipeline_times_rate(seen: Spells) -> float:
    """Naive: the open pipeline times the share of decided deals that were won, as known."""
    won, lost = int((seen.outcome == 1).sum()), int((seen.outcome == -1).sum())
    amount = np.where(seen.amount_known, seen.amount, usual_amount(seen))[seen.is_open]
    return float(amount.sum()) * won / max(won + lost, 1)


def won_between(spells: Spells, today: int, days: int) -> float:
    """What was won from that day on, in so many days, and stayed won."""
    rows = (spells.outcome == 1) & (spells.undone == NEVER) & (spells.ends >= today) & (spells.ends < today + days)
    return float(np.nansum(spells.closing[rows]))
