"""The weights of bins: a logistic regression held by a ridge, on columns cut into bins, around a given base rate."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from scoring.predict.binning import Bins
from scoring.predict.measures import share_of

Numbers = Any  # a NumPy array
_ROUNDS, _CLOSE = 30, 1e-7


def fit_weights(
    places: Sequence[Numbers], bins: Sequence[Bins], rows: tuple[Numbers, Numbers], ridge: float
) -> list[Numbers]:
    """Log-odds that each bin of each column adds; within a column they average to 0 over the rows learnt from.

    `places`: bin of every row, a column each; `rows`: outcomes, and the log-odds of the base rate around each row.
    By Newton's method; `ridge` counts against a bin's weight as so many quarter rows of it.
    """
    outcome, offset = rows
    design = _design(places, bins)
    hold = np.append(1e-6, np.full(design.shape[1] - 1, ridge))
    weight = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        share = share_of(design @ weight + offset)
        gradient = design.T @ (outcome - share) - hold * weight
        spread = design.multiply((share * (1 - share))[:, None]).T @ design
        step = np.linalg.solve(spread.toarray() + np.diag(hold), gradient)
        weight = weight + step
        if np.abs(step).max() < _CLOSE:
            break
    starts = np.cumsum([1, *(each.count for each in bins)])
    found = [weight[start:end] for start, end in itertools.pairwise(starts)]
    return [values - values[place].mean() for values, place in zip(found, places, strict=True)]


def added(places: Sequence[Numbers], weights: Sequence[Numbers]) -> Numbers:
    """Log-odds that each column adds to each row: one column of the matrix a column of the table."""
    return np.stack([values[place] for values, place in zip(weights, places, strict=True)], axis=1)


def _design(places: Sequence[Numbers], bins: Sequence[Bins]) -> Any:
    """A column of ones, then one per bin, one row a row."""
    count = len(places[0])
    starts = np.cumsum([1, *(each.count for each in bins)])
    columns = [np.zeros(count, np.int64), *(place + start for place, start in zip(places, starts, strict=False))]
    row = np.tile(np.arange(count), len(columns))
    ones = np.ones(count * len(columns))
    return sparse.csr_matrix((ones, (row, np.concatenate(columns))), shape=(count, int(starts[-1])))
