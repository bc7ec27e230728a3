"""Boosted trees over a table's columns: numbers as they are, values by lift and frequency, blank as blank."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoring.policies.predict import Learning
from scoring.predict.columns import Column
from scoring.predict.measures import share_of

Numbers = Any  # a NumPy array
_FOLDS = 5
_PRIOR_ROWS = 10.0  # of the usual share, that hold a value's lift
_LEAST_LEVEL_ROWS = 2
_LEAST_LEAF = 5
# More values than that: how often one occurs is told beside its lift, that is how sure it is, and whether one of many.
_LONG_LIST = 12


@dataclass(frozen=True)
class Lifts:
    """How much more often than usual a column's values became, as log of the ratio; `other` for any not listed.

    `rows`: how many had each value, where the list is long; else nothing.
    """

    column: str
    lift: dict[str, float]
    blank: float
    other: float
    rows: dict[str, int] = field(default_factory=dict)

    def of(self, column: Column) -> Numbers:
        """The lift of every row's value."""
        return np.array([*(self.lift.get(key, self.other) for key in column.keys), self.blank])[column.codes]

    def frequency(self, column: Column) -> Numbers:
        """How often every row's value occurred, as a logarithm; 0 where blank."""
        return np.log1p(np.array([*(self.rows.get(key, 0) for key in column.keys), 0], float))[column.codes]


def learn_lifts(column: Column, outcome: Numbers, usual: Numbers) -> Lifts:
    """The lifts of a column's values; `usual` is the share that became around each row, so that drift is no lift."""
    size = len(column.keys) + 1  # the last is blank
    level = np.where(column.codes < 0, size - 1, column.codes)
    rows, came, due = (np.bincount(level, by, minlength=size) for by in (np.ones(len(level)), outcome, usual))
    hold = _PRIOR_ROWS * float(usual.mean())
    lift = np.log((came + hold) / (due + hold))
    rare = (rows < _LEAST_LEVEL_ROWS) & (np.arange(size) < size - 1)
    other = np.log((came[rare].sum() + hold) / (due[rare].sum() + hold))
    listed = {key: round(float(lift[at]), 6) for at, key in enumerate(column.keys) if not rare[at]}
    often = {key: int(rows[at]) for at, key in enumerate(column.keys)} if len(column.keys) > _LONG_LIST else {}
    return Lifts(column.name, listed, round(float(lift[-1]), 6), round(float(other), 6), often)


def cross_lifts(column: Column, outcome: Numbers, usual: Numbers) -> Numbers:
    """The lift of every row's value as the other rows have it: a row's own outcome is not in what it is told by."""
    fold = np.arange(len(outcome)) % _FOLDS
    found = np.empty(len(outcome))
    for number in range(_FOLDS):
        there, here = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        found[here] = learn_lifts(column.take(there), outcome[there], usual[there]).of(column.take(here))
    return found


def tree_matrix(columns: Sequence[Column], lifts: dict[str, Lifts]) -> Numbers:
    """One column of numbers a column of the table, then the frequencies of the long lists, as the trees want them."""
    return _matrix(columns, [lifts[one.name].of(one) if one.kind == "value" else one.numbers for one in columns], lifts)


def _matrix(columns: Sequence[Column], numbers: Sequence[Numbers], lifts: dict[str, Lifts]) -> Numbers:
    often = [lifts[columns[at].name].frequency(columns[at]) for at in _long_lists(columns, lifts)]
    return np.stack([*numbers, *often], axis=1)


def _long_lists(columns: Sequence[Column], lifts: dict[str, Lifts]) -> list[int]:
    return [at for at, one in enumerate(columns) if one.kind == "value" and lifts[one.name].rows]


def fit_trees(
    columns: Sequence[Column], outcome: Numbers, offset: Numbers, rules: Learning
) -> tuple[Any, dict[str, Lifts]]:
    """(the trees, the lifts that they are asked with); they say what to add to the base rate's log-odds `offset`."""
    import lightgbm

    usual = share_of(offset)
    valued = [column for column in columns if column.kind == "value"]
    lifts = {column.name: learn_lifts(column, outcome, usual) for column in valued}
    numbers = [cross_lifts(one, outcome, usual) if one.kind == "value" else one.numbers for one in columns]
    matrix = _matrix(columns, numbers, lifts)
    settings = {
        "objective": "binary", "num_leaves": rules.leaves, "learning_rate": rules.rate,
        "min_data_in_leaf": max(_LEAST_LEAF, min(rules.least_leaf, len(outcome) // 50)),
        "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5, "seed": 1,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
    }  # fmt: skip
    names = [f"column_{place}" for place in range(matrix.shape[1])]
    data = lightgbm.Dataset(matrix, outcome, init_score=offset, feature_name=names)
    return lightgbm.train(settings, data, rules.trees), lifts


def tree_added(trees: Any, columns: Sequence[Column], lifts: dict[str, Lifts]) -> Numbers:
    """Log-odds that each column adds to each row, by its lift and its frequency.

    Source: LightGBM's `pred_contrib`, the exact Shapley values of trees (Lundberg 2018).
    """
    matrix = tree_matrix(columns, lifts)
    if not len(matrix):  # LightGBM divides by the number of rows
        return np.zeros((0, len(columns)))
    given = np.asarray(trees.predict(matrix, pred_contrib=True, num_threads=1))
    summed = given[:, : len(columns)].copy()
    for place, at in enumerate(_long_lists(columns, lifts)):
        summed[:, at] += given[:, len(columns) + place]
    return summed


def tree_odds(trees: Any, matrix: Numbers, count: int) -> Numbers:
    """Log-odds that the first `count` trees add to each row."""
    if not len(matrix):
        return np.zeros(0)
    return np.asarray(trees.predict(matrix, raw_score=True, num_iteration=count, num_threads=1))
