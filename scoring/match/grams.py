"""Candidates by rare grams: pairs of characters of a Chinese stem, triples of a Latin one, weighted by rarity."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from scoring.match.hashing import distinct
from scoring.match.sides import Column
from scoring.names.buffers import Texts
from scoring.names.text import is_han

_CODE_BITS = 21  # a code point fits in 21 bits, three in 63
_SPACE = 32
# Hashed grams: four buckets a character of the directory, so that few rare grams share one (the features then tell the
# names apart), within bounds that keep small directories quick and large ones in memory.
_LEAST_BITS, _MOST_BITS = 16, 24


@dataclass(frozen=True)
class GramRule:
    """How far candidates are looked for; every figure has its `why` in match.yaml."""

    max_frequency: int
    grams_per_name: int
    candidates: int


def find_candidates(given: Column, stems: Column, rule: GramRule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row in given, row in stems, cosine of the weighted grams), the best `rule.candidates` of each given stem.

    Grams in more than `rule.max_frequency` stems are left out, except the rarest of a name that has no other, so that
    the cost grows no faster than the directory.
    """
    if not len(given) or not len(stems):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    characters = sum(map(len, stems))
    bits = int(np.clip(characters.bit_length() + 2, _LEAST_BITS, _MOST_BITS))
    rows, grams = _grams(stems, bits)
    given_rows, given_grams = _distinct(*_grams(given, bits))
    frequency = np.bincount(grams, minlength=1 << bits)
    weight = np.log1p(len(stems) / np.maximum(frequency, 1))
    length = np.sqrt(np.bincount(rows, weights=weight[grams] ** 2, minlength=len(stems)))
    known = frequency[given_grams] > 0
    given_rows, given_grams = given_rows[known], given_grams[known]
    chosen = _rarest(given_rows, frequency[given_grams], rule)
    given_rows, given_grams = given_rows[chosen], given_grams[chosen]
    given_length = np.sqrt(np.bincount(given_rows, weights=weight[given_grams] ** 2, minlength=len(given)))
    is_wanted = np.zeros(1 << bits, bool)
    is_wanted[given_grams] = True
    column = np.cumsum(is_wanted) - 1
    kept = is_wanted[grams]
    rows, grams = _distinct(rows[kept], grams[kept])
    size = int(column[-1]) + 1
    directory = _matrix(rows, column[grams], weight[grams] / length[rows], (len(stems), size))
    wanted = _matrix(
        given_rows, column[given_grams], weight[given_grams] / given_length[given_rows], (len(given), size)
    )
    best = sp_matmul_topn(wanted, directory.T.tocsr(), top_n=rule.candidates, sort=True).tocoo()
    return best.row.astype(np.int64), best.col.astype(np.int64), best.data


def _grams(texts: Column, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(row, hashed gram) of every text: neighbours and next-but-one of Han, triples of other scripts."""
    spaced = pc.binary_join_element_wise("", pa.array(texts, pa.string()), "", " ")
    buffer = Texts.of(spaced)
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


def _matrix(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)
