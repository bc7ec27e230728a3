"""Chances made into probabilities that hold in the directory at hand, and the threshold that keeps a promise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.match.sides import Side
from scoring.names.buffers import Texts
from scoring.names.text import is_han

KINDS = ("foreign", "short", "full")  # names in other scripts; Chinese ones without and with their legal form
_ROUNDS = 30
_LEAST_CHANCE, _MOST_CHANCE = 0.0005, 0.9995
# Contacts of known answer that weigh as much as what was known before.
_PRIOR_CONTACTS = 100
_ROUNDING = 1e-9
Numbers = Any  # a NumPy array


@dataclass(frozen=True)
class Line:
    """log-odds of being right = `offset` + `slope` x log-odds of the model's chance."""

    offset: float = 0.0
    slope: float = 1.0


@dataclass(frozen=True)
class Calibration:
    """A line per kind of name given."""

    lines: tuple[Line, ...] = (Line(),) * len(KINDS)

    def probability(self, chance: Numbers, kind: Numbers) -> Numbers:
        """What the model's chances are worth, given the kind of each name. Rising in the chance."""
        offsets = np.array([line.offset for line in self.lines])[kind]
        slopes = np.array([line.slope for line in self.lines])[kind]
        return _share(offsets + slopes * _log_odds(chance))

    def learnt_from(self, chance: Numbers, right: Numbers, kind: Numbers) -> "Calibration":
        """This calibration, corrected by contacts whose answers are known."""
        lines = [_fitted(chance[kind == number], right[kind == number], line) for number, line in enumerate(self.lines)]
        return Calibration(tuple(lines))


def kinds_of(given: Side) -> Numbers:
    """Number of the kind (of `KINDS`) of each name given."""
    texts = Texts.of(pa.array(given.stem, pa.string()))
    is_chinese = texts.counts(is_han(texts.codes)) > 0
    return np.where(is_chinese, np.where(given.form != "", 2, 1), 0)


def threshold_for(confidence: Numbers, promise: float, least: float) -> tuple[float, float | None]:
    """(from which confidence on matches may be taken, the share of those that is expected to be right).

    The lowest threshold, not below `least`, at which the mean confidence of all above it keeps the promise; above 1 and
    null where none does.
    """
    falling = -np.sort(-confidence[confidence >= least])
    mean = np.cumsum(falling) / np.arange(1, len(falling) + 1)
    is_last = np.append(np.diff(falling) != 0, True)[: len(falling)]
    kept = np.flatnonzero((mean >= promise - _ROUNDING) & is_last)
    if not len(kept):
        return 1.01, None
    return float(falling[kept[-1]]), float(mean[kept[-1]])


def _fitted(chance: Numbers, right: Numbers, prior: Line) -> Line:
    """The likeliest line near the prior one, by Newton's method; the prior weighs as so many contacts."""
    odds = _log_odds(chance)
    design = np.stack([np.ones(len(odds)), odds], axis=1)
    before = np.array([prior.offset, prior.slope])
    hold = np.diag([_PRIOR_CONTACTS * 0.1, _PRIOR_CONTACTS * 0.2])
    line = before.copy()
    for _ in range(_ROUNDS):
        share = _share(design @ line)
        gradient = design.T @ (right - share) - hold @ (line - before)
        curvature = (design * (share * (1 - share))[:, None]).T @ design + hold
        line = line + np.linalg.solve(curvature, gradient)
    return Line(round(float(line[0]), 4), round(max(float(line[1]), 0.2), 4))


def _log_odds(chance: Numbers) -> Numbers:
    bounded = np.clip(chance, _LEAST_CHANCE, _MOST_CHANCE)
    return np.log(bounded / (1 - bounded))


def _share(odds: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-odds))
