"""Candidates by rare grams: pairs of characters of a Chinese name, triples of a Latin one, weighted by rarity."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.hashing import Numbers, Rows, distinct
from scoring.match.sides import Column
from scoring.names.buffers import Texts
from scoring.names.text import is_han

if TYPE_CHECKING:
    from scipy import sparse

_CODE_BITS = 21  # a code point fits in 21 bits, three in 63
_SPACE = 32
# Hashed grams: two buckets a character of the directory, so that few rare grams share one (the features then tell the
# names apart), within bounds that keep small directories quick and large ones in memory.
_LEAST_BITS, _MOST_BITS = 16, 24
_TIE = 1e-9  # of two names as near, the one whose account's number is the smaller counts as the nearer


@dataclass(frozen=True)
class GramRule:
    """How far candidates are looked for; every figure has its `why` in match.yaml."""

    max_frequency: int
    grams_per_name: int
    candidates: int
    least_cosine: float
    least_of_best: float


@dataclass(frozen=True)
class GramCounts:
    """How many of `names` names hold each gram, by its number of `bits` bits."""

    bits: int
    names: int
    frequency: Numbers

    def weight(self, grams: Numbers) -> Numbers:
        """The rarer a gram, the more it says; one that no name held counts as if one did."""
        return self._weights[self.frequency[grams]]

    @cached_property
    def _weights(self) -> Numbers:
        """By how many names hold a gram: there are far fewer such numbers than grams."""
        most = int(self.frequency.max(initial=0))
        return np.log1p(self.names / np.maximum(np.arange(most + 1), 1))


@dataclass(frozen=True)
class Grams:
    """The grams of texts, as (row, gram); a row may have one twice."""

    rows: Rows
    grams: Numbers
    size: int

    @classmethod
    def of(cls, texts: Column, bits: int) -> "Grams":
        """Neighbours and next-but-one of Chinese characters, triples of others, a word's edges among them."""
        return cls(*_grams(Texts.of(_spaced(texts)), bits), len(texts))

    def once(self, kept: Rows | None = None) -> "Grams":
        """Each gram once a row, in the order of rows; of those `kept`, or of all."""
        rows, grams = (self.rows, self.grams) if kept is None else (self.rows[kept], self.grams[kept])
        return Grams(*_distinct(rows, grams), self.size)

    def counts(self, bits: int) -> GramCounts:
        """How many of these texts hold each gram."""
        return GramCounts(bits, self.size, np.bincount(self.grams, minlength=1 << bits).astype(np.int32))

    def lengths(self, counts: GramCounts) -> np.ndarray:
        """The length of each text as a vector of weights."""
        squares = counts.weight(self.grams) ** 2
        lengths: np.ndarray = np.sqrt(np.bincount(self.rows, weights=squares, minlength=self.size))
        return lengths


def bits_for(texts: Column) -> int:
    """Bits of the grams' numbers, for as many characters as these texts have."""
    characters = int(np.sum(pc.utf8_length(pa.array(texts, pa.string())).to_numpy(zero_copy_only=False)))
    return int(np.clip(characters.bit_length() + 1, _LEAST_BITS, _MOST_BITS))


def asked_grams(texts: Column, counts: GramCounts, rule: GramRule) -> Grams:
    """The grams that each text is looked for by: its rarest, and those that no name held when they were counted.

    Grams in more than `rule.max_frequency` names are left out, except the rarest of a text that has no other, so that
    the cost grows no faster than the directory.
    """
    every = Grams.of(texts, counts.bits).once()
    frequency = counts.frequency[every.grams]
    is_new = frequency == 0
    chosen = np.flatnonzero(~is_new)
    chosen = chosen[_rarest(every.rows[chosen], frequency[chosen], rule)]
    kept = np.sort(np.concatenate([chosen, np.flatnonzero(is_new)]))
    return Grams(every.rows[kept], every.grams[kept], every.size)


def nearest(
    asked: Grams, held: Grams, lengths: np.ndarray, identity: Numbers, counts: GramCounts, rule: GramRule
) -> tuple[Rows, Rows, np.ndarray]:
    """(row in asked, row in held, cosine of the weighted grams), the best `rule.candidates` of each row asked for, but
    for those below `rule.least_cosine`.

    lengths: of the rows held, from all their grams; of `held` only the grams asked for are looked at. identity: a
    number below 1 for each row held, which decides between equals whatever order they come in.
    """
    # Imported here: a run without new people does without SciPy.
    from sparse_dot_topn import sp_matmul_topn

    chosen = distinct(asked.grams)
    place = np.zeros(1 << counts.bits, np.int32)
    place[chosen] = np.arange(1, len(chosen) + 1)
    weight = counts.weight(chosen)
    held = held.once(np.flatnonzero(place[held.grams]))
    rows, columns = held.rows, place[held.grams] - 1
    scale = (1 - _TIE * identity) / np.maximum(lengths, _TIE)
    directory = _matrix(rows, columns, weight[columns] * scale[rows], (held.size, len(chosen)))
    columns = place[asked.grams] - 1
    known = np.where(counts.frequency[asked.grams] > 0, weight[columns] ** 2, 0)
    length = np.sqrt(np.bincount(asked.rows, weights=known, minlength=asked.size))
    length = np.where(length > 0, length, 1)
    wanted = _matrix(asked.rows, columns, weight[columns] / length[asked.rows], (asked.size, len(chosen)))
    offered = directory.T.tocsr()
    best = sp_matmul_topn(wanted, offered, top_n=rule.candidates, sort=True, threshold=rule.least_cosine).tocoo()
    return best.row.astype(np.int64), best.col.astype(np.int64), best.data


def _spaced(texts: Column) -> pa.Array:
    """Texts with a space before and behind, so that words have beginnings and ends."""
    return pc.binary_join_element_wise("", pa.array(texts, pa.string()), "", " ")


def _grams(buffer: Texts, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(row, hashed gram) of every text: neighbours and next-but-one of Han, triples of other scripts."""
    lines = np.repeat(np.arange(len(buffer), dtype=np.int32), buffer.lengths)
    han = is_han(buffer.codes)
    codes = buffer.codes.astype(np.uint64)
    found = []
    for step in (1, 2):
        at = np.flatnonzero(han[:-step] & han[step:] & (lines[:-step] == lines[step:]))
        found.append((lines[at], _hashed(codes[at] << np.uint64(_CODE_BITS) | codes[at + step], bits)))
    inside = ~han & (codes != _SPACE)
    near = ~han[:-2] & inside[1:-1] & ~han[2:] & (lines[:-2] == lines[2:])
    at = np.flatnonzero(near)
    triples = codes[at] << np.uint64(2 * _CODE_BITS) | codes[at + 1] << np.uint64(_CODE_BITS) | codes[at + 2]
    found.append((lines[at], _hashed(triples, bits)))
    return np.concatenate([row for row, _ in found]), np.concatenate([gram for _, gram in found])


def pair_grams(one: Numbers, other: Numbers, bits: int) -> Numbers:
    """The grams of two Chinese characters each."""
    return _hashed(one.astype(np.uint64) << np.uint64(_CODE_BITS) | other.astype(np.uint64), bits)


def _hashed(grams: np.ndarray, bits: int) -> np.ndarray:
    """Grams as numbers of that many bits, by multiplication (Fibonacci hashing)."""
    mixed = (grams + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - bits)).astype(np.int32)


def _distinct(rows: np.ndarray, grams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each gram once a row, in the order of rows."""
    both = distinct(rows.astype(np.int64) << _MOST_BITS | grams)
    return both >> _MOST_BITS, both & ((1 << _MOST_BITS) - 1)


def _rarest(rows: np.ndarray, frequency: np.ndarray, rule: GramRule) -> np.ndarray:
    """Positions of the grams each row keeps."""
    order = np.lexsort((np.arange(len(rows)), frequency, rows))
    rank = np.arange(len(rows)) - np.searchsorted(rows[order], rows[order])
    is_rare = frequency[order] <= rule.max_frequency
    return np.sort(order[(is_rare & (rank < rule.grams_per_name)) | (rank == 0)])


def _matrix(rows: Rows, columns: Rows, values: np.ndarray, shape: tuple[int, int]) -> "sparse.csr_matrix":
    from scipy import sparse

    return sparse.csr_matrix((values, (rows, columns)), shape=shape)
