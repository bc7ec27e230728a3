"""Brackets in Chinese names: notes go, places are read, everything else is part of the name."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scoring.names.buffers import Codes, Flags, Positions, Texts, is_one_of, positions
from scoring.names.places import places_within
from scoring.names.text import is_han
from scoring.names.tries import Numbers, Trie
from scoring.names.words import load_words

_OPEN, _CLOSE = ord("("), ord(")")
_SHORTEST_PLACE, _LONGEST_PLACE = 2, 10  # characters


@dataclass(frozen=True)
class Pairs:
    """Brackets that hold no other: where the text inside begins and ends, and in which row it stands."""

    starts: Positions
    ends: Positions
    rows: Positions

    def only(self, chosen: Flags) -> "Pairs":
        return Pairs(self.starts[chosen], self.ends[chosen], self.rows[chosen])


@dataclass(frozen=True)
class Opened:
    """Names without notes and brackets, and where a place stood in brackets: nowhere if starts and ends are equal.

    `place` is the number of that place's code (-1: no place in brackets).
    """

    texts: Texts
    starts: Positions
    ends: Positions
    place: Numbers


def open_brackets(names: Texts) -> Opened:
    """Notes such as (筹) and (原宏达) taken out, the other brackets opened."""
    bracketed = _without_notes(names)
    pairs = _first_that_fits(bracketed)
    number = places_within(bracketed.codes, pairs.starts, pairs.ends)
    marks = np.flatnonzero(is_mark(bracketed.codes))
    texts = bracketed.without(marks)
    pairs = pairs.only(number >= 0)
    starts, ends, place = texts.starts.copy(), texts.starts.copy(), np.full(len(texts), -1, np.int64)
    starts[pairs.rows] = pairs.starts - np.searchsorted(marks, pairs.starts)
    ends[pairs.rows] = pairs.ends - np.searchsorted(marks, pairs.ends)
    place[pairs.rows] = number[number >= 0]
    return Opened(texts, starts, ends, place)


def is_mark(codes: Codes) -> Flags:
    """Characters that are no part of a comparison key."""
    return is_one_of(codes, "()&")


def _pairs(texts: Texts) -> Pairs:
    marks = np.flatnonzero(is_one_of(texts.codes, "()"))
    rows = texts.rows_of(marks)
    first, second = marks[:-1], marks[1:]
    is_pair = (texts.codes[first] == _OPEN) & (texts.codes[second] == _CLOSE) & (rows[:-1] == rows[1:])
    return Pairs(first[is_pair] + 1, second[is_pair], rows[:-1][is_pair])


def _without_notes(names: Texts) -> Texts:
    """A name that would be nothing without its notes keeps them."""
    pairs = _pairs(names)
    notes, beginnings = _notes()
    whole = notes.longest(names.codes, pairs.starts, pairs.ends)
    begun = beginnings.longest(names.codes, pairs.starts, pairs.ends)
    inside = names.slices(pairs.starts, pairs.ends)
    has_han = inside.counts(is_han(inside.codes)) > 0
    going = pairs.only((whole.length == pairs.ends - pairs.starts) | (begun.length > 0) | ~has_han)
    goes = positions(going.starts - 1, going.ends + 1)
    bare = names.without(goes)
    left = bare.lengths - bare.counts(is_mark(bare.codes))
    return names.without(goes[left[names.rows_of(goes)] > 0])


@lru_cache(maxsize=1)
def _notes() -> tuple[Trie, Trie]:
    words = load_words()
    return Trie.forward(dict.fromkeys(words.notes, 0)), Trie.forward(dict.fromkeys(words.note_beginnings, 0))


def _first_that_fits(texts: Texts) -> Pairs:
    """The first bracket of each row that can hold a place."""
    pairs = _pairs(texts)
    length = pairs.ends - pairs.starts
    fits = pairs.only((length >= _SHORTEST_PLACE) & (length <= _LONGEST_PLACE))
    _, first = np.unique(fits.rows, return_index=True)
    return Pairs(fits.starts[first], fits.ends[first], fits.rows[first])
