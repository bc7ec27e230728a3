"""Candidates by rare grams: pairs of characters of a Chinese stem, triples of a Latin one, weighted by rarity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.hashing import distinct
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


@dataclass(frozen=True)
class GramRule:
    """How far candidates are looked for; every figure has its `why` in match.yaml."""

    max_frequency: int
    grams_per_name: int
    candidates: int


def find_candidates(given: Column, names: Column, rule: GramRule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row in given, row in names, cosine of the weighted grams), the best `rule.candidates` of each given text.

    Grams in more than `rule.max_frequency` names are left out, except the rarest of a text that has no other, so that
    the cost grows no faster than the directory.
    """
    # Imported here: a run without new people does without SciPy.
    from sparse_dot_topn import sp_matmul_topn

    if not len(given) or not len(names):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    buffer = Texts.of(_spaced(names))
    bits = int(np.clip(len(buffer.codes).bit_length() + 1, _LEAST_BITS, _MOST_BITS))
    rows, grams = _grams(buffer, bits)
    frequency = np.bincount(grams, minlength=1 << bits).astype(np.int32)
    length = np.sqrt(np.bincount(rows, weights=_weight(frequency[grams], len(names)) ** 2, minlength=len(names)))
    asked = _asked(given, frequency, bits, rule)
    place = np.zeros(1 << bits, np.int32)
    chosen = distinct(asked[1])
    place[chosen] = np.arange(1, len(chosen) + 1)
    kept = np.flatnonzero(place[grams])
    rows, grams = _distinct(rows[kept], grams[kept])
    weight = _weight(frequency[chosen], len(names))
    directory = _matrix(rows, place[grams] - 1, weight[place[grams] - 1] / length[rows], (len(names), len(chosen)))
    wanted = _normal(asked[0], place[asked[1]] - 1, weight, len(given))
    best = sp_matmul_topn(wanted, directory.T.tocsr(), top_n=rule.candidates, sort=True).tocoo()
    return best.row.astype(np.int64), best.col.astype(np.int64), best.data


def _asked(given: Column, frequency: np.ndarray, bits: int, rule: GramRule) -> tuple[np.ndarray, np.ndarray]:
    """(row, gram) of the grams that each given text is looked for by."""
    rows, grams = _distinct(*_grams(Texts.of(_spaced(given)), bits))
    known = frequency[grams] > 0
    rows, grams = rows[known], grams[known]
    chosen = _rarest(rows, frequency[grams], rule)
    return rows[chosen], grams[chosen]


def _weight(frequency: np.ndarray, names: int) -> np.ndarray:
    """The rarer a gram, the more it says."""
    return np.log1p(np.float32(names) / frequency)


def _normal(rows: np.ndarray, columns: np.ndarray, weight: np.ndarray, size: int) -> "sparse.csr_matrix":
    length = np.sqrt(np.bincount(rows, weights=weight[columns] ** 2, minlength=size))
    return _matrix(rows, columns, weight[columns] / length[rows], (size, len(weight)))


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


def _matrix(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> "sparse.csr_matrix":
    from scipy import sparse

    return sparse.csr_matrix((values, (rows, columns)), shape=shape)
