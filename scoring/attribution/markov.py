"""Markov's model: what is lost without a channel, by the absorbing chain of all paths. A description, not a cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.attribution.columns import Floats, Ints, ranges, steady_sums, sums
from scoring.attribution.paths import Paths

if TYPE_CHECKING:
    from scipy import sparse

# What may be missing of the expected visits when a chain counts as solved: far below the 1e-9 of comparisons.
SOLVED = 1e-14
_ROUNDS = 100
# Numbers held at once for one of the vectors of a solution; channels are removed in so large blocks.
_BLOCK = 250_000
# Tables of so many cells are counted in place, larger ones by sorting.
_DENSE_CELLS = 4_000_000
_PATHS_AT_ONCE = 50_000


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
    if not (paths.conversions + paths.nulls)[paths.path].any():
        nothing = np.zeros(len(paths.channels))
        return RemovalEffects(nothing, nothing, 0.0)
    chain = _Chain.of(paths, order)
    reached = np.concatenate([chain.reached(alive, max_steps) for alive in chain.removals(len(paths.channels))])
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
    states: Ints  # (states, order): the channels of each, -1 beyond a short path's end

    @classmethod
    def of(cls, paths: Paths, order: int) -> _Chain:
        from scipy import sparse  # here: only Markov's model needs it

        walks = _Walks.of(paths, order)
        states = walks.numbered_states()
        size = len(states.codes)
        came, went, passed = walks.moves(states)
        head, tail = walks.ends(states)
        leaving = steady_sums(tail, walks.weight, size) + np.bincount(came, weights=passed, minlength=size)
        moves = sparse.csr_array((passed / leaving[came], (went, came)), shape=(size, size))
        converted = steady_sums(tail, paths.conversions[walks.used], size)
        earned = steady_sums(tail, paths.value[walks.used], size)
        return cls(
            start=steady_sums(head, walks.weight, size) / max(float(walks.weight.sum()), 1e-300),
            moves_back=moves,
            conversion=converted / leaving,
            unit_value=earned / np.where(converted > 0, converted, 1.0),
            states=states.channels(order),
        )

    def removals(self, channel_count: int) -> Iterator[Floats]:
        """Blocks (states, removals): 1 for a state that is left; first nothing is removed, then each channel."""
        block = max(_BLOCK // len(self.states), 1)
        for begin in range(-1, channel_count, block):
            end = min(begin + block, channel_count)
            alive = np.ones((len(self.states), end - begin))
            for channels in self.states.T:
                rows = np.flatnonzero((channels >= max(begin, 0)) & (channels < end))
                alive[rows, channels[rows] - begin] = 0.0
            yield alive

    def reached(self, alive: Floats, max_steps: int | None) -> Floats:
        """(removals, 2): the probability of conversion and the value to be expected, without the states not alive."""
        visits = self._solved(alive) if max_steps is None else self._walked(alive, max_steps)
        visits *= self.conversion[:, None]
        conversions = visits.sum(axis=0)
        visits *= self.unit_value[:, None]
        return np.column_stack([conversions, visits.sum(axis=0)])

    def _walked(self, alive: Floats, steps: int) -> Floats:
        """(states, removals): expected visits to every state within so many steps."""
        walk = alive * self.start[:, None]
        visits = np.zeros_like(alive)
        for _ in range(steps):
            if walk.sum() <= SOLVED:
                break
            visits += walk
            walk = (self.moves_back @ walk) * alive
        return visits

    def _solved(self, alive: Floats) -> Floats:
        """(states, removals): expected visits to every state: x = alive · (start + moves · x).

        Conjugate gradients (BiCGSTAB) for all removals at once come close in a few rounds; plain steps, which always
        converge, settle what is missing and are the proof.
        """
        source = alive * self.start[:, None]
        visits = self._near(alive, source)
        while True:
            step = (self.moves_back @ visits) * alive
            step += source
            missing = np.abs(step - visits).sum(axis=0).max()
            visits = np.asarray(step)
            if missing <= SOLVED * max(1.0, float(visits.sum(axis=0).max())):
                return visits

    def _near(self, alive: Floats, source: Floats) -> Floats:
        def applied(vector: Floats) -> Floats:
            moved = self.moves_back @ vector
            moved *= alive
            return np.asarray(np.subtract(vector, moved, out=moved))

        visits, rest = np.zeros_like(source), source.copy()
        shadow, search = source, source.copy()
        aligned = _dots(rest, shadow)
        for _ in range(_ROUNDS):
            if np.abs(rest).sum(axis=0).max() <= SOLVED:
                break
            turned = applied(search)
            pace = _ratio(aligned, _dots(turned, shadow))
            visits += search * pace
            rest -= turned * pace
            again = applied(rest)
            relax = _ratio(_dots(again, rest), _dots(again, again))
            visits += rest * relax
            rest -= again * relax
            now = _dots(rest, shadow)
            turn = _ratio(now, aligned) * _ratio(pace, relax)
            aligned = now
            search -= turned * relax
            search *= turn
            search += rest
        return visits if np.isfinite(visits).all() and visits.min() > -1 else source.copy()


def _dots(left: Floats, right: Floats) -> Floats:
    return np.asarray((left * right).sum(axis=0))


def _ratio(above: Floats, below: Floats) -> Floats:
    """above / below, 0 where there is nothing left to divide by: that column is solved."""
    return np.where(np.abs(below) > 1e-280, above / np.where(below == 0, 1.0, below), 0.0)


@dataclass(frozen=True)
class _States:
    """The distinct states by their codes, in order: channels + 1 as the digits of a number of that base."""

    codes: Ints
    base: int

    def numbers(self, codes: Ints) -> Ints:
        """The place of each code."""
        return np.searchsorted(self.codes, codes).astype(np.int32)

    def channels(self, order: int) -> Ints:
        """(states, order): the channels of each, -1 beyond a short path's end."""
        return np.asarray(self.codes[:, None] // self.base ** np.arange(order - 1, -1, -1) % self.base - 1)


@dataclass(frozen=True)
class _Walks:
    """The paths that happened at all: where each begins, how long it is, how often; `used` are their numbers."""

    paths: Paths
    order: int
    used: Ints
    first: Ints
    length: Ints
    weight: Floats

    @classmethod
    def of(cls, paths: Paths, order: int) -> _Walks:
        base = len(paths.channels) + 1
        if base**order > np.iinfo(np.int64).max:
            raise BadUsage(said("attribute_too_many_states", order=order, channels=base - 1))
        weight = paths.conversions + paths.nulls
        length = np.bincount(paths.path, minlength=len(weight)).astype(np.int32)
        used = np.flatnonzero((weight > 0) & (length > 0)).astype(np.int32)
        first = (np.cumsum(length, dtype=np.int64) - length)[used]
        weight, length = weight[used], length[used]
        if not (weight == np.rint(weight)).all():  # so that every sum is exact, whatever the order of the rows
            scale = 2.0 ** (52 - np.ceil(np.log2(weight.sum()) - 1e-9))
            weight = np.rint(weight * scale) / scale
        return cls(paths, order, used, first, length, weight)

    @property
    def base(self) -> int:
        """Channels, and one for what lies beyond a short path's end."""
        return len(self.paths.channels) + 1

    def _blocks(self) -> Iterator[tuple[slice, Ints, Ints]]:
        """Some paths at a time: which, how many states each has, and the codes of all of them in order."""
        for begin in range(0, len(self.used), _PATHS_AT_ONCE):
            some = slice(begin, begin + _PATHS_AT_ONCE)
            first, length = self.first[some], self.length[some]
            count = np.maximum(length - self.order + 1, 1)
            place = ranges(first, count)
            end = np.repeat(first + length, count)
            code = np.zeros(len(place), dtype=np.int64)
            for step in range(self.order):
                held = self.paths.channel[np.minimum(place + step, len(self.paths.channel) - 1)]
                code *= self.base
                code += np.where(place + step < end, held + 1, 0)
            yield some, count, code

    def numbered_states(self) -> _States:
        """The states of all paths."""
        cells = self.base**self.order
        if cells <= _DENSE_CELLS:
            seen = np.zeros(cells, dtype=np.bool_)
            for _, _, code in self._blocks():
                seen[code] = True
            return _States(np.flatnonzero(seen), self.base)
        found = [np.unique(code) for _, _, code in self._blocks()]
        return _States(np.unique(np.concatenate(found)), self.base)

    def ends(self, states: _States) -> tuple[Ints, Ints]:
        """(paths,) twice: the state in which each begins, and the one in which it ends."""
        heads, tails = [], []
        for _, count, code in self._blocks():
            last = np.cumsum(count) - 1
            heads.append(states.numbers(code[last - count + 1]))
            tails.append(states.numbers(code[last]))
        return np.concatenate(heads), np.concatenate(tails)

    def moves(self, states: _States) -> tuple[Ints, Ints, Floats]:
        """The moves between states: from, to, how often. One from a state to itself is no move: it changes no end."""
        cells = len(states.codes) * self.base  # a move is known by its state and the channel that follows
        tally = _Tally(cells)
        for some, count, code in self._blocks():
            is_move = np.ones(len(code), dtype=np.bool_)
            is_move[np.cumsum(count) - 1] = False
            is_move[:-1] &= code[1:] != code[:-1]
            here = np.flatnonzero(is_move)
            tally.add(
                states.numbers(code[here]).astype(np.int64) * self.base + code[here + 1] % self.base,
                np.repeat(self.weight[some], count)[here],
            )
        move, passed = tally.counted()
        came = move // self.base
        went = states.codes[came] % self.base ** (self.order - 1) * self.base + move % self.base
        return came, states.numbers(went), passed


class _Tally:
    """Sums by number, collected in parts: in one table where it is small enough, else by sorting."""

    def __init__(self, cells: int) -> None:
        self.table = np.zeros(cells) if cells <= _DENSE_CELLS else None
        self.parts: list[tuple[Ints, Floats]] = []

    def add(self, number: Ints, amount: Floats) -> None:
        """One amount a number."""
        if self.table is not None:
            self.table += np.bincount(number, weights=amount, minlength=len(self.table))
        else:
            self.parts.append(_summed(number, amount))

    def counted(self) -> tuple[Ints, Floats]:
        """The numbers that have a sum, in order, and their sums."""
        if self.table is not None:
            found = np.flatnonzero(self.table)
            return found, self.table[found]
        numbers, amounts = zip(*self.parts, strict=True)
        return _summed(np.concatenate(numbers), np.concatenate(amounts))


def _summed(number: Ints, amount: Floats) -> tuple[Ints, Floats]:
    distinct, place = np.unique(number, return_inverse=True)
    return distinct, sums(place, amount, len(distinct))
