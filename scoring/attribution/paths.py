"""Path models: what channels are worth by the paths that converted and those that did not. Descriptions, not causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.attribution.columns import Flags, Floats, Ints, steady_sums

MAX_SHAPLEY_SET = 12
_WORD = 63


@dataclass(frozen=True)
class Paths:
    """Paths as columns: (steps,) sorted `path` numbers and `channel`, the step's entry of `channels`; and (paths,)
    `conversions`, `value`, `nulls`: how often the path converted, for how much in all, how often it did not."""

    path: Ints
    channel: Ints
    conversions: Floats
    value: Floats
    nulls: Floats
    channels: list[str]

    @property
    def has_step(self) -> Flags:
        """(paths,): whether the path names any channel; what an empty one earned is nobody's."""
        return np.bincount(self.path, minlength=len(self.conversions)) > 0

    def weighed(self, share: Floats) -> Paths:
        """Each path counted for that share (paths,) of itself: the parts of a split deal are one deal together."""
        if (share == 1).all():
            return self
        return replace(self, conversions=self.conversions * share, value=self.value * share, nulls=self.nulls * share)


def shares_of(effects: Floats, total: float) -> Floats:
    """`total` in proportion to the effects."""
    whole = effects.sum()
    return np.asarray(effects / whole * total) if whole else np.zeros(len(effects))


def shapley_shares(paths: Paths, worth: Floats) -> Floats:
    """(channels,): the Shapley values of v(S) = worth of the paths whose channels all lie in S.

    Closed form: every path's worth is shared equally by its distinct channels.
    """
    size = max(len(paths.channels), 1)
    counted = (worth != 0)[paths.path]
    key = np.unique(paths.path[counted].astype(np.int64) * size + paths.channel[counted])
    path, channel = key // size, key % size
    distinct = np.bincount(path, minlength=len(worth))
    return steady_sums(channel, (worth / np.maximum(distinct, 1))[path], len(paths.channels))


def shapley_rate_shares(paths: Paths) -> Floats:
    """(channels,): conversions shared, inside each set of channels that converted, by the game of conversion rates.

    v(T) is the conversion rate of the paths whose set of channels is exactly T (0 where none was seen); each converting
    set shares its conversions by v's Shapley values. Sets of more than 12 channels are refused (BadUsage).
    """
    if not len(paths.path):
        return np.zeros(len(paths.channels))
    member, conversions, total = _sets(paths)
    rate = conversions / np.maximum(total, 1e-300)
    size = member.sum(axis=1).astype(np.int64)
    shares = np.zeros(len(paths.channels))
    for number in np.flatnonzero(conversions > 0):
        if size[number] > MAX_SHAPLEY_SET:
            raise BadUsage(said("attribute_shapley_path", found=size[number], limit=MAX_SHAPLEY_SET))
        inside = ~(member & ~member[number]).any(axis=1)
        players = int(size[number])
        with_it = np.array([0.0] + [_coalition(players, s - 1) for s in range(1, players + 1)])
        without = np.array([_coalition(players, s) for s in range(players)] + [0.0])
        subsets, subset_size = member[inside], size[inside]
        gain = np.where(subsets, with_it[subset_size][:, None], -without[subset_size][:, None])
        shares += np.where(member[number], rate[inside] @ gain, 0.0) * total[number]
    return shares


def _coalition(players: int, size: int) -> float:
    """The probability that exactly a given coalition of that size stands before a given player."""
    return factorial(size) * factorial(players - size - 1) / factorial(players)


def _sets(paths: Paths) -> tuple[Flags, Floats, Floats]:
    """The distinct sets of channels: (sets, channels) membership, conversions, and conversions with nulls."""
    used = np.flatnonzero(np.bincount(paths.path, minlength=len(paths.conversions)))
    starts = np.searchsorted(paths.path, used)
    words = []  # each path's channels as bits, 63 a word
    for begin in range(0, len(paths.channels), _WORD):
        inside = (paths.channel >= begin) & (paths.channel < begin + _WORD)
        bits = np.where(inside, np.int64(1) << np.clip(paths.channel - begin, 0, _WORD - 1), 0)
        words.append(np.bitwise_or.reduceat(bits, starts) if len(starts) else bits)
    sets, inverse = np.unique(np.column_stack(words), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    place = np.arange(len(paths.channels))
    member = (sets[:, place // _WORD] >> place % _WORD & 1).astype(np.bool_)
    conversions = steady_sums(inverse, paths.conversions[used], len(sets))
    nulls = steady_sums(inverse, paths.nulls[used], len(sets))
    return member, conversions, conversions + nulls


def shared_sums(paths: Paths, weight: Floats, worth: Floats) -> Floats:
    """(channels,): each path's worth by the weights of its steps, summed over all paths."""
    return steady_sums(paths.channel, weight * worth[paths.path], len(paths.channels))
