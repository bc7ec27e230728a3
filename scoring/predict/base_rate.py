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
# A row counts half as much for where the share stands as one that is so much newer; so many rows, or that part of all.
_HALF_ROWS, _HALF_PART = 800.0, 8
_ANOTHER_TIME = 3.0  # odds so many times as high, or as low: no drift but a change
_MEMORY_ROWS = 300.0  # of the stretch before a change: half of what it says is believed once it has lasted so long
_UNRECORDED_SHARE = 0.25  # of what came later: a beginning with so few outcomes was not observed …
_UNRECORDED_OUTCOMES = 0.05  # … where leaving it out costs no more of the outcomes than that
_ROUNDS = 60


@dataclass(frozen=True)
class BaseRate:
    """`offset`: log-odds of the share that became in each row's stretch.

    `recent`: how much each row counts for where the share stands now: the less the older it is, and all that came
    before a change no more than some hundred rows, for what has just risen often falls back.
    """

    offset: Numbers
    recent: Numbers


def base_rate(outcome: Numbers) -> BaseRate:
    """The stretches in which the share that became is steady; `outcome` from the oldest to the newest.

    Source: binary segmentation (Scott and Knott 1974) by the likelihood of the outcomes.
    """
    count = len(outcome)
    bounds, shares = _stretches(outcome)
    offset = np.repeat(log_odds(shares), np.diff(bounds))
    recent = 0.5 ** ((count - 1 - np.arange(count)) / max(_HALF_ROWS, count / _HALF_PART))
    if len(shares) > 1 and abs(offset[-1] - offset[bounds[-2] - 1]) > np.log(_ANOTHER_TIME):
        recent[: bounds[-2]] *= min(1.0, _MEMORY_ROWS / bounds[-2])
    return BaseRate(offset, recent)


def recorded_from(outcome: Numbers) -> int:
    """The first row from which on outcomes were observed; `outcome` from the oldest to the newest.

    Where the first stretches hold next to no outcomes, those of later rows were recorded and theirs were not (a CRM in
    use since last winter, leads since the summer before). What they would teach is that nobody becomes.
    """
    bounds, shares = _stretches(outcome)
    for start, before in zip(bounds[-2:0:-1], range(len(shares) - 1, 0, -1), strict=True):
        later = float(outcome[start:].mean())
        if max(shares[:before]) < _UNRECORDED_SHARE * later and (
            outcome[:start].sum() <= _UNRECORDED_OUTCOMES * outcome.sum()
        ):
            return start
    return 0


def _stretches(outcome: Numbers) -> tuple[list[int], Numbers]:
    """(where each stretch of a steady share begins, and the end; the share of each)."""
    came = np.append(0.0, np.cumsum(outcome))
    bounds = [0, *sorted(_changes(came, 0, len(outcome))), len(outcome)]
    shares = [(came[end] - came[start] + 0.5) / (end - start + 1) for start, end in itertools.pairwise(bounds)]
    return bounds, np.array(shares)


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
