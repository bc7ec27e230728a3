"""Path models: what channels are worth by the paths that converted and those that did not. Descriptions, not causes."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from abmloop.errors import BadUsage
from scoring.attribution.columns import Flags, Floats, Ints, ranges, sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.rules import Weights

if TYPE_CHECKING:
    from scipy import sparse

MAX_SHAPLEY_SET = 12
# The transient mass at which an absorbing chain counts as absorbed: far below the 1e-9 to which results are compared.
ABSORBED = 1e-15


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


@dataclass(frozen=True)
class RemovalEffects:
    """Per channel, the share of conversions (or value) lost without it; `p_conversion` of the whole chain."""

    conversions: Floats
    value: Floats
    p_conversion: float


def markov_removal_effects(paths: Paths, order: int, max_steps: int | None = None) -> RemovalEffects:
    """1 − P(conversion without any state that holds the channel) / P(conversion), exactly, for every channel.

    States are `order`-grams of channels; a path shorter than that is one shorter state. For `value`, a conversion is
    worth the mean unit value of the paths with the same last state. `max_steps` ends a walk after so many states;
    None lets it end by itself. Source: spec 07-attribution.
    """
    if not len(paths.path):
        nothing = np.zeros(len(paths.channels))
        return RemovalEffects(nothing, nothing, 0.0)
    chain = _Chain.of(paths, order)
    reach = np.where(chain.holds.T, 0.0, 1.0)
    alive = np.vstack([np.ones(reach.shape[1]), reach])  # first row: nothing removed
    walk = alive * chain.start
    reached = np.zeros((len(alive), 2))
    steps = 0
    while walk.sum() > ABSORBED and (max_steps is None or steps < max_steps):
        reached[:, 0] += walk @ chain.conversion
        reached[:, 1] += walk @ (chain.conversion * chain.unit_value)
        walk = (chain.moves_back @ walk.T).T * alive
        steps += 1
    whole = np.where(reached[0] != 0, reached[0], 1.0)
    effects = np.where(reached[0] != 0, 1 - reached[1:] / whole, 0.0)
    return RemovalEffects(effects[:, 0], effects[:, 1], float(reached[0, 0]))


@dataclass(frozen=True)
class _Chain:
    """The absorbing chain of a set of paths: probabilities from the start, between states, and into conversion."""

    start: Floats
    moves_back: sparse.csr_array  # transposed: row = to, column = from
    conversion: Floats
    unit_value: Floats
    holds: Flags  # (states, channels)

    @classmethod
    def of(cls, paths: Paths, order: int) -> _Chain:
        from scipy import sparse  # here: only Markov's model needs it

        weight = paths.conversions + paths.nulls
        length = np.bincount(paths.path, minlength=len(weight))
        used = (weight > 0) & (length > 0)
        first = np.cumsum(length) - length
        first, length, weight = first[used], length[used], weight[used]
        state_count = np.maximum(length - order + 1, 1)
        grams = _grams(paths.channel, ranges(first, state_count), np.repeat(first + length, state_count), order)
        first_seen, state = _numbered_rows(grams, len(paths.channels))
        states = grams[first_seen]
        heads = np.cumsum(state_count) - state_count
        tails = heads + state_count - 1
        # A step from a state to itself is no step: it changes no probability of the end, only the number of steps.
        stays = np.zeros(len(state), dtype=np.bool_)
        stays[:-1] = state[1:] == state[:-1]
        stays[tails] = False
        inner = ~stays
        inner[tails] = False
        size = len(states)
        passing = np.repeat(weight, state_count)
        leaving = sums(state[~stays], passing[~stays], size)
        here = np.flatnonzero(inner)
        moves = sparse.coo_array((passing[here], (state[here + 1], state[here])), shape=(size, size)).tocsr()
        converted = sums(state[tails], paths.conversions[used], size)
        earned = sums(state[tails], paths.value[used], size)
        began = sums(state[heads], weight, size)
        holds = np.zeros((size, len(paths.channels)), dtype=np.bool_)
        rows, columns = np.nonzero(states >= 0)
        holds[rows, states[rows, columns]] = True
        return cls(
            start=began / max(weight.sum(), 1e-300),
            moves_back=(moves @ sparse.diags_array(1 / leaving)).tocsr(),
            conversion=converted / leaving,
            unit_value=earned / np.where(converted > 0, converted, 1.0),
            holds=holds,
        )


def _grams(channel: Ints, begin: Ints, path_end: Ints, order: int) -> Ints:
    """(states, order): the channels from each beginning on; -1 beyond the path's end."""
    place = begin[:, None] + np.arange(order)[None, :]
    inside = place < path_end[:, None]
    return np.where(inside, channel[np.minimum(place, len(channel) - 1)], -1)


def _numbered_rows(grams: Ints, channel_count: int) -> tuple[Ints, Ints]:
    """Where each distinct row stands first, and every row's number among them. Cells are -1 to channel_count - 1."""
    code = np.zeros(len(grams), dtype=np.int64)
    bound = 1
    for column in grams.T:
        if bound > (1 << 62) // (channel_count + 1):
            distinct, code = np.unique(code, return_inverse=True)
            bound = len(distinct)
        code = code * (channel_count + 1) + column + 1
        bound *= channel_count + 1
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(first), np.asarray(number)


def shares_of(effects: Floats, total: float) -> Floats:
    """`total` in proportion to the effects."""
    whole = effects.sum()
    return np.asarray(effects / whole * total) if whole else np.zeros(len(effects))


def shapley_shares(paths: Paths, worth: Floats) -> Floats:
    """(channels,): the Shapley values of v(S) = worth of the paths whose channels all lie in S.

    Closed form: every path's worth is shared equally by its distinct channels.
    """
    key = np.unique(paths.path * max(len(paths.channels), 1) + paths.channel)
    path, channel = key // max(len(paths.channels), 1), key % max(len(paths.channels), 1)
    distinct = np.bincount(path, minlength=len(worth))
    return sums(channel, (worth / np.maximum(distinct, 1))[path], len(paths.channels))


def shapley_rate_shares(paths: Paths) -> Floats:
    """(channels,): conversions shared, inside each set of channels that converted, by the game of conversion rates.

    v(T) is the conversion rate of the paths whose set of channels is exactly T (0 where none was seen); each converting
    set shares its conversions by v's Shapley values. Sets of more than 12 channels are refused (BadUsage).
    """
    member, conversions, total = _sets(paths)
    rate = conversions / np.maximum(total, 1e-300)
    size = member.sum(axis=1).astype(np.int64)
    shares = np.zeros(len(paths.channels))
    for number in np.flatnonzero(conversions > 0):
        if size[number] > MAX_SHAPLEY_SET:
            raise BadUsage(
                f"shapley_rate: a path holds {size[number]} different channels; it is exact up to {MAX_SHAPLEY_SET}. "
                "Use shapley, or join channels."
            )
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
    member = np.zeros((len(paths.conversions), len(paths.channels)), dtype=np.bool_)
    member[paths.path, paths.channel] = True
    sets, inverse = np.unique(member, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    conversions = sums(inverse, paths.conversions, len(sets))
    nulls = sums(inverse, paths.nulls, len(sets))
    return sets, conversions, conversions + nulls


def journey_paths(journeys: Journeys, won: Flags, lost: Flags, by: str) -> Paths:
    """Each won deal as a path that converted once, each lost one as a path that did not; open deals are left out."""
    step = won[journeys.deal] | lost[journeys.deal]
    group, names = places(journeys, by)
    return Paths(
        path=journeys.deal[step],
        channel=group[step],
        conversions=won.astype(np.float64),
        value=won.astype(np.float64),
        nulls=lost.astype(np.float64),
        channels=names,
    )


def places(journeys: Journeys, by: str) -> tuple[Ints, list[str]]:
    """The channel or the campaign of each row, and the names."""
    return (journeys.campaign, journeys.campaigns) if by == "campaign" else (journeys.channel, journeys.channels)


def weigh_paths(journeys: Journeys, paths: Paths, model: str, order: int, by: str) -> Weights:
    """A path model's shares of channels (or campaigns), spread over each deal's own touches.

    A touch gets its channel's share divided by that channel's touches in the deal, normalised to 1 per deal; a deal
    whose channels are all worth nothing (or less) shares equally.
    """
    if model == "markov":
        shares = markov_removal_effects(paths, order).conversions
    elif model == "shapley":
        shares = shapley_shares(paths, paths.conversions)
    else:
        shares = shapley_rate_shares(paths)
    group, names = places(journeys, by)
    _, inverse, counts = np.unique(journeys.deal * max(len(names), 1) + group, return_inverse=True, return_counts=True)
    weight = np.maximum(shares, 0.0)[group] / counts[inverse] if len(group) else np.zeros(0)
    total = sums(journeys.deal, weight, journeys.deal_count)
    rows = np.bincount(journeys.deal, minlength=journeys.deal_count)
    equal = (1.0 / np.maximum(rows, 1))[journeys.deal]
    weight = np.where(total[journeys.deal] > 0, weight / np.where(total > 0, total, 1.0)[journeys.deal], equal)
    return Weights(weight, np.zeros(len(weight), dtype=np.bool_), model)
