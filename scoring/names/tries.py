"""Longest words at the heads or tails of many texts at once: one step a character, all texts together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.buffers import Codes, Positions

_CODE_BITS = 21  # a code point fits in 21 bits
_NOTHING = -1
_ROOT = 0
Numbers = Any  # a NumPy array of numbers of words, -1 for none


@dataclass(frozen=True)
class Found:
    """For each text the length of the word found (0: none) and its number (-1: none)."""

    length: Positions
    number: Numbers


@dataclass(frozen=True)
class Trie:
    """Words with their numbers as a tree of characters: edge i leads from a state to state i + 1."""

    edges: pa.Array
    numbers: Numbers
    is_backward: bool

    @classmethod
    def forward(cls, words: Mapping[str, int]) -> "Trie":
        """For words at the head of texts."""
        return cls._of(words.items(), is_backward=False)

    @classmethod
    def backward(cls, words: Mapping[str, int]) -> "Trie":
        """For words at the tail of texts."""
        return cls._of(((word[::-1], number) for word, number in words.items()), is_backward=True)

    @classmethod
    def _of(cls, words: Iterable[tuple[str, int]], is_backward: bool) -> "Trie":
        edges: dict[int, int] = {}
        numbers = {}
        for word, number in words:
            state = _ROOT
            for char in word:
                state = edges.setdefault(state << _CODE_BITS | ord(char), len(edges) + 1)
            numbers[state] = number
        of_state = np.full(len(edges) + 1, _NOTHING, np.int32)
        of_state[list(numbers)] = list(numbers.values())
        return cls(pa.array(list(edges), pa.int64()), of_state, is_backward)

    def state(self, head: str) -> int:
        """Where a walk stands after these characters; -1 where no word begins so."""
        state = _ROOT
        for char in head:
            edge = pc.index(self.edges, state << _CODE_BITS | ord(char)).as_py()
            if edge == _NOTHING:
                return _NOTHING
            state = edge + 1
        return state

    def longest(self, codes: Codes, starts: Positions, ends: Positions, states: Numbers | None = None) -> Found:
        """The longest word within starts … ends, from its start on (or from its end back).

        `states` are where the walks begin; a text with -1 is left out.
        """
        length, number = np.zeros(len(starts), np.int64), np.full(len(starts), _NOTHING, np.int32)
        is_walking = ends > starts if states is None else (ends > starts) & (states != _NOTHING)
        rows = np.flatnonzero(is_walking)
        state = np.zeros(len(rows), np.int64) if states is None else states[rows].astype(np.int64)
        room = (ends - starts)[rows]
        at, step = (ends[rows] - 1, -1) if self.is_backward else (starts[rows], 1)
        steps = 0
        while len(rows):
            keys = state << _CODE_BITS | codes[at]
            edge = pc.fill_null(pc.index_in(pa.array(keys), self.edges), _NOTHING).to_numpy()
            goes_on = edge != _NOTHING
            rows, room, at, state = rows[goes_on], room[goes_on], at[goes_on], edge[goes_on].astype(np.int64) + 1
            steps += 1
            word = self.numbers[state]
            is_word = word != _NOTHING
            length[rows[is_word]], number[rows[is_word]] = steps, word[is_word]
            has_room = room > steps
            rows, room, at, state = rows[has_room], room[has_room], at[has_room] + step, state[has_room]
        return Found(length, number)
