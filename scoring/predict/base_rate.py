"""The share that becomes, as it changes with time: in stretches, the last of which says where it stands now."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.predict.measures import log_odds, share_of

Numbers = Any  # a NumPy array
_LEAST_GAIN = 6.0  # log likelihood of a change: three and a half standard errors, for the place is chosen as well
_LEAST_ROWS = 200
_LEAST_OUTCOMES = 100  # of the rarer kind in the last stretch; with fewer where it stands is a matter of luck
_MEMORY_ROWS = 300.0  # of the stretch before: half of what a change says is believed once it has lasted so long
_ROUNDS = 60


@dataclass(frozen=True)
class BaseRate:
    """`offset`: log-odds of the share that became in each row's stretch; `since`: the first row of the last stretch.

    `recent`: how much each row counts for where the share stands now: the last stretch in full, the one before it as so
    many rows in all, for what has just risen often falls back.
    """

    offset: Numbers
    recent: Numbers
    since: int


def base_rate(outcome: Numbers) -> BaseRate:
    """The stretches in which the share that became is steady; `outcome` from the oldest to the newest.

    Source: binary segmentation (Scott and Knott 1974) by the likelihood of the outcomes.
    """
    came = np.append(0.0, np.cumsum(outcome))
    starts = sorted(_changes(came, 0, len(outcome)))
    bounds = [0, *starts, len(outcome)]
    offset = np.empty(len(outcome))
    for start, end in itertools.pairwise(bounds):
        share = (came[end] - came[start] + 0.5) / (end - start + 1)
        offset[start:end] = log_odds(np.array([share]))[0]
    recent = np.zeros(len(outcome))
    recent[bounds[-2] :] = 1.0
    if len(bounds) > 2:
        recent[bounds[-3] : bounds[-2]] = min(1.0, _MEMORY_ROWS / (bounds[-2] - bounds[-3]))
    return BaseRate(offset, recent, bounds[-2])


def level_for(odds: Numbers, outcome: Numbers, weight: Numbers) -> float:
    """What must be added to log-odds so that, by weight, as many are expected as became."""
    target = float((weight * outcome).sum() / weight.sum())
    low, high = -20.0, 20.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        said = float((weight * share_of(odds + middle)).sum() / weight.sum())
        low, high = (middle, high) if said < target else (low, middle)
    return (low + high) / 2


def _changes(came: Numbers, start: int, end: int) -> list[int]:
    """Rows at which the share changes between start and end."""
    at = np.arange(start + _LEAST_ROWS, end - _LEAST_ROWS + 1)
    if end == len(came) - 1 and len(at):
        later, rows = came[end] - came[at], end - at
        at = at[np.minimum(later, rows - later) >= _LEAST_OUTCOMES]
    if not len(at):
        return []
    whole = _likelihood(came[end] - came[start], end - start)
    gains = _likelihood(came[at] - came[start], at - start) + _likelihood(came[end] - came[at], end - at) - whole
    best = int(at[int(np.argmax(gains))])
    if gains.max() < _LEAST_GAIN:
        return []
    return [*_changes(came, start, best), best, *_changes(came, best, end)]


def _likelihood(came: Numbers, rows: Numbers) -> Numbers:
    share = np.clip(came / rows, 1e-9, 1 - 1e-9)
    return came * np.log(share) + (rows - came) * np.log(1 - share)
