"""The scorecard: whole points per bin that a person can add up aloud, and the probability of each total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.predict.base_rate import level_for
from scoring.predict.binning import Bins
from scoring.predict.columns import Column
from scoring.predict.measures import log_odds, share_of

Numbers = Any  # a NumPy array
POINTS_TO_DOUBLE = 10  # so many more points double the odds
_FACTOR = POINTS_TO_DOUBLE / float(np.log(2))
_STEP = 10
_LEAST_SPREAD = 0.75  # standard deviation of a column's points over the rows


@dataclass(frozen=True)
class Scorecard:
    """Points of every bin of every column, none below 0, and `zero_odds`: the log-odds at 0 points."""

    bins: tuple[Bins, ...]
    points: tuple[tuple[int, ...], ...]
    zero_odds: float

    def totals(self, columns: Sequence[Column]) -> Numbers:
        """The points of every row; `columns` in the order of the bins."""
        given = [
            np.array(points)[bins.place(column)]
            for bins, points, column in zip(self.bins, self.points, columns, strict=True)
        ]
        return np.sum(given, axis=0) if given else np.zeros(0, np.int64)

    def probability(self, totals: Numbers) -> Numbers:
        """What totals are worth."""
        return share_of(self.zero_odds + totals / _FACTOR)

    def table(self) -> list[dict[str, float]]:
        """Totals in steps, from the lowest to the highest possible, with their probability."""
        most = sum(max(points) for points in self.points)
        steps = np.arange(0, most + _STEP, _STEP)
        return [
            {"points": int(total), "probability": round(float(worth), 4)}
            for total, worth in zip(steps, self.probability(steps), strict=True)
        ]

    def points_for(self, probability: float) -> int:
        """The fewest points from which on the probability is at least this."""
        odds = float(log_odds(np.array([probability]))[0])
        return max(0, int(np.ceil((odds - self.zero_odds) * _FACTOR)))


def make_scorecard(
    bins: Sequence[Bins], weights: Sequence[Numbers], places: Sequence[Numbers], rows: tuple[Numbers, Numbers]
) -> Scorecard:
    """The card of these bins' weights; `rows`: outcomes, and how much each counts for where the base rate stands."""
    points = [
        _whole(values, np.bincount(place, minlength=len(values))) for values, place in zip(weights, places, strict=True)
    ]
    totals = np.sum([given[place] for given, place in zip(points, places, strict=True)], axis=0)
    outcome, recent = rows
    zero_odds = level_for(totals / _FACTOR, outcome, recent)
    return Scorecard(tuple(bins), tuple(tuple(int(one) for one in given) for given in points), round(zero_odds, 6))


def _whole(weights: Numbers, rows: Numbers) -> Numbers:
    """Weights as whole points from 0 on; a bin that nobody fell into gets what an average row has.

    All 0 where they would hardly tell rows apart: nobody should add up such a column.
    """
    points = np.round((weights - weights[rows > 0].min()) * _FACTOR).astype(np.int64)
    mean = float((points * rows).sum()) / max(rows.sum(), 1)
    if float((rows * (points - mean) ** 2).sum()) / max(rows.sum(), 1) < _LEAST_SPREAD**2:
        return np.zeros(len(points), np.int64)
    return np.where(rows > 0, points, int(np.round(mean)))
