"""What a model's log-odds are worth: a shape learnt out of time, the plainest that is not beaten."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from scoring.predict.base_rate import level_for
from scoring.predict.measures import log_loss, log_odds, share_of

Numbers = Any  # a NumPy array
ShapeKind = Literal["none", "platt", "beta", "isotonic"]
_ROUNDS = 40
_PRIOR_ROWS = 40.0  # that hold a shape to the identity
# Log loss that a shape must bring over a plainer one. A model learnt from fewer rows is surer than it should be: a
# shape learnt from such is too flat for the one that new rows meet, which has seen them all.
_LEAST_GAIN = 0.002
_BETA_OUTCOMES, _ISOTONIC_OUTCOMES = 150, 2000  # of the rarer kind; with fewer, the plainer shapes only
_ISOTONIC_BINS, _ISOTONIC_PRIOR = 25, 8.0


@dataclass(frozen=True)
class Shape:
    """Log-odds in, log-odds out, rising.

    `platt`: numbers = offset, slope. `beta`: offset, and a slope each for ln p and -ln(1-p). `isotonic`: the knots'
    log-odds in, then out; beyond the last knots it goes on in parallel to the identity.
    """

    kind: ShapeKind = "none"
    numbers: tuple[float, ...] = ()

    def of(self, odds: Numbers) -> Numbers:
        """The log-odds that these are worth."""
        if self.kind == "none":
            return odds
        if self.kind == "isotonic":
            half = len(self.numbers) // 2
            here, there = np.array(self.numbers[:half]), np.array(self.numbers[half:])
            beyond = np.minimum(odds - here[0], 0) + np.maximum(odds - here[-1], 0)
            return np.interp(odds, here, there) + beyond
        return _design(self.kind, odds) @ np.array(self.numbers)


@dataclass(frozen=True)
class Chosen:
    """The shape for new rows, and the odds of the rows it was learnt from as the other blocks' shape has them."""

    shape: Shape
    honest: Numbers
    losses: dict[str, float]


def choose_shape(odds: Numbers, outcome: Numbers, block: Numbers) -> Chosen:
    """The shape that, learnt from the other blocks of time, gives the lowest log loss; the plainest within a hair.

    Each block's log-odds are first moved to its own share of outcomes: a shape is not to learn a drift of the level.
    """
    moved = _moved(odds, outcome, block)
    rarer = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    kinds: list[ShapeKind] = ["none", "platt"]
    kinds += ["beta"] if rarer >= _BETA_OUTCOMES else []
    kinds += ["isotonic"] if rarer >= _ISOTONIC_OUTCOMES else []
    blocks = np.unique(block)
    losses: dict[str, float] = {}
    best: ShapeKind = "none" if len(blocks) > 1 else "platt"
    for kind in kinds if len(blocks) > 1 else ():
        worth = np.empty(len(odds))
        for number in blocks:
            here = block == number
            worth[here] = learn_shape(kind, moved[~here], outcome[~here]).of(moved[here])
        losses[kind] = log_loss(outcome, share_of(worth))
        if losses[kind] < losses[best] - _LEAST_GAIN:
            best = kind
    honest = odds.copy()
    for number in blocks if len(blocks) > 1 else ():
        here = block == number
        honest[here] = learn_shape(best, moved[~here], outcome[~here]).of(odds[here])
    return Chosen(learn_shape(best, moved, outcome), honest, losses)


def learn_shape(kind: ShapeKind, odds: Numbers, outcome: Numbers) -> Shape:
    """The likeliest shape of that kind, held to the identity by some rows."""
    if kind == "none" or not len(odds):
        return Shape()
    if kind == "isotonic":
        return _isotonic(odds, outcome)
    design = _design(kind, odds)
    identity = np.array([0.0, 1.0] if kind == "platt" else [0.0, 1.0, 1.0])
    hold = np.diag([_PRIOR_ROWS * 0.25] * len(identity))
    line = identity.copy()
    for _ in range(_ROUNDS):
        share = share_of(design @ line)
        gradient = design.T @ (outcome - share) - hold @ (line - identity)
        curvature = (design * (share * (1 - share))[:, None]).T @ design + hold
        line = line + np.linalg.solve(curvature, gradient)
    line[1:] = np.maximum(line[1:], 0.05)
    return Shape(kind, tuple(round(float(number), 6) for number in line))


def _moved(odds: Numbers, outcome: Numbers, block: Numbers) -> Numbers:
    moved = odds.copy()
    for number in np.unique(block):
        here = block == number
        if 0 < outcome[here].mean() < 1:
            moved[here] = odds[here] + level_for(odds[here], outcome[here], np.ones(int(here.sum())))
    return moved


def _design(kind: ShapeKind, odds: Numbers) -> Numbers:
    if kind == "platt":
        return np.stack([np.ones(len(odds)), odds], axis=1)
    probability = np.clip(share_of(odds), 1e-6, 1 - 1e-6)
    return np.stack([np.ones(len(odds)), np.log(probability), -np.log(1 - probability)], axis=1)


def _isotonic(odds: Numbers, outcome: Numbers) -> Shape:
    """Groups of equal count, their shares smoothed by what was said, made rising by joining those that fall."""
    order = np.argsort(odds, kind="stable")
    parts = [rows for rows in np.array_split(order, _ISOTONIC_BINS) if len(rows)]
    pools: list[tuple[float, float, float]] = []  # rows, came, sum of log-odds
    for rows in parts:
        said = float(share_of(odds[rows]).mean())
        weight = len(rows) + _ISOTONIC_PRIOR
        pools.append((weight, float(outcome[rows].sum()) + _ISOTONIC_PRIOR * said, float(odds[rows].mean()) * weight))
        while len(pools) > 1 and pools[-2][1] / pools[-2][0] >= pools[-1][1] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = tuple(a + b for a, b in zip(pools[-1], last, strict=True))  # type: ignore[assignment]
    here = [total / rows for rows, _, total in pools]
    there = log_odds(np.array([came / rows for rows, came, _ in pools]))
    return Shape("isotonic", tuple(round(float(number), 6) for number in (*here, *there)))
