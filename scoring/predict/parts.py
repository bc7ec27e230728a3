"""The two parts of a predictive model, learnt from the same rows: trees that see everything, bins that can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scoring.policies.predict import Learning
from scoring.predict.base_rate import BaseRate, base_rate, level_for
from scoring.predict.binning import Bins, cut
from scoring.predict.columns import Column
from scoring.predict.lines import added, fit_weights
from scoring.predict.scorecard import Scorecard, make_scorecard
from scoring.predict.trees import Lifts, fit_trees, tree_added, tree_matrix, tree_odds

Numbers = Any  # a NumPy array
TREE_SHARES = (0.5, 0.25, 0.75, 0.0, 1.0)  # the first of equally good ones is taken


@dataclass(frozen=True)
class Parts:
    """Trees with the lifts they ask, bins with their weights, the scorecard made of them."""

    trees: Any
    lifts: dict[str, Lifts]
    bins: tuple[Bins, ...]
    weights: tuple[Numbers, ...]
    card: Scorecard

    def odds(self, columns: Sequence[Column]) -> Numbers:
        """What trees and bins say of each row, as log-odds around the base rate's: two columns."""
        by_bin = added([bins.place(column) for bins, column in zip(self.bins, columns, strict=True)], self.weights)
        return np.stack([tree_odds(self.trees, tree_matrix(columns, self.lifts)), by_bin.sum(axis=1)], axis=1)

    def added(self, columns: Sequence[Column], tree_share: float) -> Numbers:
        """Log-odds that each column adds to each row, the trees counting for that share: reasons."""
        by_bin = added([bins.place(column) for bins, column in zip(self.bins, columns, strict=True)], self.weights)
        if not tree_share:
            return by_bin
        by_tree = tree_added(self.trees, tree_matrix(columns, self.lifts))[:, :-1]
        return tree_share * by_tree + (1 - tree_share) * by_bin


@dataclass(frozen=True)
class Fitted:
    """Parts, the base rate of the rows they were learnt from, and those rows."""

    parts: Parts
    base: BaseRate
    outcome: Numbers
    columns: tuple[Column, ...]

    @cached_property
    def _own(self) -> Numbers:
        return self.parts.odds(self.columns)

    def level(self, tree_share: float) -> float:
        """What is added so that the newest rows are expected to become as often as they did."""
        return level_for(mixed(self._own, tree_share), self.outcome, self.base.recent)


def mixed(odds: Numbers, tree_share: float) -> Numbers:
    """One column of the two that `Parts.odds` gives."""
    return tree_share * odds[:, 0] + (1 - tree_share) * odds[:, 1]


def fit_parts(columns: Sequence[Column], outcome: Numbers, rules: Learning) -> Fitted:
    """Learn from rows of known outcome, the oldest first."""
    base = base_rate(outcome)
    bins = tuple(cut(column, outcome, rules) for column in columns)
    places = [each.place(column) for each, column in zip(bins, columns, strict=True)]
    weights = fit_weights(places, bins, (outcome, base.offset), rules.ridge)
    card = make_scorecard(bins, weights, places, (outcome, base.recent))
    trees, lifts = fit_trees(columns, outcome, base.offset, rules)
    return Fitted(Parts(trees, lifts, bins, tuple(weights), card), base, outcome, tuple(columns))
