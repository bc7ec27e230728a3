"""Predicting what is known as it had to be predicted then: each newer part from what is older, purged at the cut."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.policies.predict import PredictPolicy
from scoring.predict.calibration import Chosen, choose_shape
from scoring.predict.columns import Column
from scoring.predict.measures import log_loss, share_of
from scoring.predict.parts import MIXES, Mix, fit_parts

Numbers = Any  # a NumPy array


@dataclass(frozen=True)
class Known:
    """Rows of known outcome, the oldest first: outcome, the person or account of each row (-1 where none is known),
    and its day (NaN where unknown); `ripe_days`: so long an outcome may take."""

    outcome: Numbers
    group: Numbers
    day: Numbers
    ripe_days: float = 0.0


@dataclass(frozen=True)
class Rehearsed:
    """What was said out of time of the newer rows, in their order.

    `odds` uncalibrated, `honest` calibrated by what the other parts taught, `points` of the scorecard with
    `card_odds`; `base` the probability that the base rate alone gives. `purged` rows were left out near the cuts.
    """

    outcome: Numbers
    block: Numbers
    odds: Numbers
    points: Numbers
    card_odds: Numbers
    base: Numbers
    mix: Mix
    chosen: Chosen
    purged: int
    first: int


def rehearse(columns: Sequence[Column], known: Known, policy: PredictPolicy) -> Rehearsed:
    """Predict the newer rows part by part, choose how much trees count for, and the shape of the calibration."""
    outcome = known.outcome
    cuts = split(outcome, policy)
    said: list[dict[str, Any]] = []
    purged = 0
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        before, left_out = _before_cut(known, start, end)
        purged += left_out
        fitted = fit_parts([column.take(before) for column in columns], outcome[before], policy.learning)
        later = [column.take(np.arange(start, end)) for column in columns]
        odds, card = fitted.parts.odds(later, MIXES) + fitted.levels(MIXES), fitted.parts.card
        points = card.totals(later)
        said.append(
            {
                "block": np.full(end - start, number),
                "odds": odds,
                "points": points,
                "card": card.probability(points),
                "base": np.full(end - start, _end_rate(fitted.base.recent, outcome[before])),
            }
        )
    found = {name: np.concatenate([part[name] for part in said]) for name in said[0]}
    real = outcome[cuts[0] :]
    losses = [log_loss(real, share_of(found["odds"][:, at])) for at in range(len(MIXES))]
    best = int(np.argmin(np.round(losses, 4)))
    odds = found["odds"][:, best]
    chosen = choose_shape(odds, real, found["block"])
    return Rehearsed(
        real,
        found["block"],
        odds,
        found["points"],
        found["card"],
        found["base"],
        MIXES[best],
        chosen,
        purged,
        cuts[0],
    )


def split(outcome: Numbers, policy: PredictPolicy) -> list[int]:
    """Where the parts begin, and the end: as many parts as have enough outcomes of each kind."""
    count = len(outcome)
    first = int(policy.history.first_share * count)
    least = max(5, policy.history.least_outcomes // 3)
    for blocks in range(policy.history.blocks, 1, -1):
        cuts = [first + (count - first) * at // blocks for at in range(blocks + 1)]
        came = [outcome[a:b] for a, b in itertools.pairwise(cuts)]
        if all(min(part.sum(), len(part) - part.sum()) >= least for part in came):
            return cuts
    return [first, count]


def _before_cut(known: Known, start: int, end: int) -> tuple[Numbers, int]:
    """(rows to learn from before predicting start..end, how many were left out).

    Left out: rows of persons or accounts that stand on both sides, and rows whose outcome was not yet ripe then.
    """
    before = np.arange(start)
    both = np.isin(known.group[:start], known.group[start:end]) & (known.group[:start] >= 0)
    cut_day = known.day[start] if len(known.day) else np.nan
    unripe = np.nan_to_num(known.day[:start] - (cut_day - known.ripe_days), nan=-1.0) > 0
    out = both | (unripe if known.ripe_days else False)
    kept = before[~out]
    outcome = known.outcome[kept]
    if min(outcome.sum(), len(kept) - outcome.sum()) < 5:  # purging must not leave nothing to learn from
        return before, 0
    return kept, int(out.sum())


def _end_rate(recent: Numbers, outcome: Numbers) -> float:
    return float((recent * outcome).sum() / recent.sum())
