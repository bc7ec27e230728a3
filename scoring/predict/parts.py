"""The two parts of a predictive model, learnt from the same rows: trees that see everything, bins that can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
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
_SHARES, _TREES = (0.5, 0.25, 0.75, 1.0), (1.0, 0.4, 0.15)


@dataclass(frozen=True)
class Mix:
    """How much the trees count for beside the bins, and which share of them is asked, the first ones."""

    tree_share: float
    trees: float = 1.0


# The first of equally good ones is taken. Few rows carry few trees, or none.
MIXES = (*(Mix(share, trees) for trees in _TREES for share in _SHARES), Mix(0.0, _TREES[-1]))


@dataclass(frozen=True)
class Parts:
    """Trees with the lifts they ask, bins with their weights, the scorecard made of them."""

    trees: Any
    lifts: dict[str, Lifts]
    bins: tuple[Bins, ...]
    weights: tuple[Numbers, ...]
    card: Scorecard

    def odds(self, columns: Sequence[Column], mixes: Sequence[Mix]) -> Numbers:
        """What each mix of trees and bins says of each row, as log-odds around the base rate's: a column each."""
        by_bin = added([bins.place(column) for bins, column in zip(self.bins, columns, strict=True)], self.weights)
        matrix = tree_matrix(columns, self.lifts)
        counts = {mix.trees: self.count(mix) for mix in mixes if mix.tree_share}
        by_tree = {trees: tree_odds(self.trees, matrix, count) for trees, count in counts.items()}
        sums = by_bin.sum(axis=1)
        return np.stack(
            [mix.tree_share * by_tree.get(mix.trees, 0.0) + (1 - mix.tree_share) * sums for mix in mixes], axis=1
        )

    def count(self, mix: Mix) -> int:
        """How many trees that mix asks."""
        return max(1, round(mix.trees * int(self.trees.num_trees())))

    def added(self, columns: Sequence[Column], tree_share: float) -> Numbers:
        """Log-odds that each column adds to each row, the trees counting for that share: reasons."""
        by_bin = added([bins.place(column) for bins, column in zip(self.bins, columns, strict=True)], self.weights)
        if not tree_share:
            return by_bin
        by_tree = tree_added(self.trees, columns, self.lifts)
        return tree_share * by_tree + (1 - tree_share) * by_bin


@dataclass(frozen=True)
class Fitted:
    """Parts, the base rate of the rows they were learnt from, and those rows."""

    parts: Parts
    base: BaseRate
    outcome: Numbers
    columns: tuple[Column, ...]

    def levels(self, mixes: Sequence[Mix]) -> list[float]:
        """What is added to each mix so that the newest rows are expected to become as often as they did."""
        own = self.parts.odds(self.columns, mixes)
        return [level_for(own[:, at], self.outcome, self.base.recent) for at in range(len(mixes))]


def fit_parts(columns: Sequence[Column], outcome: Numbers, rules: Learning) -> Fitted:
    """Learn from rows of known outcome, the oldest first."""
    base = base_rate(outcome)
    bins = tuple(cut(column, outcome, rules) for column in columns)
    places = [each.place(column) for each, column in zip(bins, columns, strict=True)]
    weights = fit_weights(places, bins, (outcome, base.offset), rules.ridge)
    card = make_scorecard(bins, weights, places, (outcome, base.recent))
    trees, lifts = fit_trees(columns, outcome, base.offset, rules)
    return Fitted(Parts(trees, lifts, bins, tuple(weights), card), base, outcome, tuple(columns))
