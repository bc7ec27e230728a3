"""Pieces of many texts as 64-bit numbers, all at once: equal pieces have equal numbers, in whatever text they stand."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from scoring.names.buffers import Texts

Numbers = Any  # a NumPy array of uint64
Rows = Any  # a NumPy array of row numbers

_CODE_POINTS = 0x110000
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_MODULUS = 1 << 64


@dataclass(frozen=True)
class Alphabet:
    """What a character counts as: the number of its spelling, and the letters that has. None: itself, one letter."""

    numbers: Numbers
    widths: Any | None = None


class Hashes:
    """Running sums over the buffer of texts, from which the number of any piece is two look-ups away.

    A character at place p of its text adds its number times base^-p, so that a piece's number does not depend on where
    it stands. Sums are modulo 2^64.
    """

    def __init__(self, texts: Texts, alphabet: Alphabet | None = None) -> None:
        alphabet = alphabet or plain_alphabet()
        self.texts = texts
        self._places = _places(texts, None if alphabet.widths is None else alphabet.widths[texts.codes])
        longest = int(self._places.max(initial=0)) + 2
        self._powers = _powers(_BASE, longest)
        self._sums = np.zeros(len(texts.codes) + 1, np.uint64)
        np.cumsum(
            alphabet.numbers[texts.codes] * _powers(pow(_BASE, -1, _MODULUS), longest)[self._places[:-1]],
            out=self._sums[1:],
        )

    def total(self) -> int:
        """The sum over the whole buffer, before it is spread."""
        return int(self._sums[-1])

    def wholes(self) -> Numbers:
        """The number of each text; that of an empty text is 0."""
        return spread(self._sums[self.texts.ends] - self._sums[self.texts.starts])

    def pieces(self, starts: Any, ends: Any) -> Numbers:
        """The numbers of pieces of the buffer, each inside one text."""
        return spread((self._sums[ends] - self._sums[starts]) * self._powers[self._places[starts]])

    def without_one(self, rows: Rows) -> tuple[Rows, Numbers]:
        """(row, number of its text with one character left out), for every character of these rows."""
        starts, ends = self.texts.starts[rows], self.texts.ends[rows]
        lengths = ends - starts
        again = np.repeat(np.arange(len(rows)), lengths)
        at = np.arange(len(again)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + starts[again]
        behind = (self._sums[ends[again]] - self._sums[at + 1]) * np.uint64(_BASE)
        return rows[again], spread(self._sums[at] - self._sums[starts[again]] + behind)


def spread(numbers: Numbers) -> Numbers:
    """Numbers mixed so that any of their bits will do for a table; 0 stays 0."""
    mixed = numbers ^ (numbers >> np.uint64(30))
    mixed = mixed * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def distinct(numbers: Any) -> Any:
    """The distinct numbers in order. np.unique sorts them after a hash table that takes ten times as long."""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def joined(numbers: Numbers, others: Numbers) -> Numbers:
    """One number for two."""
    return spread(numbers * np.uint64(_BASE) + others)


@lru_cache(maxsize=1)
def plain_alphabet() -> Alphabet:
    """Every character counts as itself."""
    return Alphabet(spread(np.arange(1, _CODE_POINTS + 1, dtype=np.uint64) * np.uint64(_BASE)))


def _places(texts: Texts, widths: Any | None) -> Any:
    """Where each character stands in its text, in letters; one more entry, so that a piece may end the buffer."""
    if widths is None:
        before = np.arange(len(texts.codes) + 1, dtype=np.int32)
    else:
        before = np.zeros(len(texts.codes) + 1, np.int64)
        np.cumsum(widths, out=before[1:])
    before[:-1] -= np.repeat(before[texts.starts], texts.lengths)
    before[-1] = 0
    return before


@lru_cache(maxsize=8)
def _powers(base: int, count: int) -> Numbers:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    result: Numbers = np.multiply.accumulate(powers)
    return result
