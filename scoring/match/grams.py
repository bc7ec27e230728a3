"""Candidates by rare grams: pairs of characters of a Chinese stem, triples of a Latin one, weighted by rarity."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from scoring.match.sides import Column

_HAN_FIRST, _HAN_LAST = 0x3400, 0x9FFF
_CODE_BITS = 21  # a code point fits in 21 bits
_NEWLINE = 10


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
    rows, grams = _grams(stems)
    given_rows, given_grams = _grams(given)
    names, columns = np.unique(grams, return_inverse=True)
    frequency = np.bincount(columns, minlength=len(names))
    weight = np.log1p(len(stems) / frequency)
    at = np.searchsorted(names, given_grams)
    known = (at < len(names)) & (names[np.minimum(at, len(names) - 1)] == given_grams)
    given_rows, given_columns = given_rows[known], at[known]
    chosen = _rarest(given_rows, frequency[given_columns], rule)
    directory = _unit_rows(rows, columns, weight, (len(stems), len(names)))
    wanted = _unit_rows(given_rows[chosen], given_columns[chosen], weight, (len(given), len(names)))
    used = np.zeros(len(names), bool)
    used[given_columns[chosen]] = True
    directory = directory[:, used].T.tocsr()
    best = sp_matmul_topn(wanted[:, used].tocsr(), directory, top_n=rule.candidates, sort=True).tocoo()
    return best.row.astype(np.int64), best.col.astype(np.int64), best.data


def _grams(texts: Column) -> tuple[np.ndarray, np.ndarray]:
    """(row, gram) of every text, each once: neighbours and next-but-one of Han, triples of other scripts."""
    codes = np.frombuffer(("\n" + "\n".join(f" {text} " for text in texts) + "\n").encode("utf-32-le"), np.uint32)
    codes = codes.astype(np.int64)
    lines = np.cumsum(codes == _NEWLINE) - 1
    is_han = (codes >= _HAN_FIRST) & (codes <= _HAN_LAST)
    found = []
    for step in (1, 2):
        first, second = codes[:-step], codes[step:]
        is_pair = is_han[:-step] & is_han[step:] & (lines[:-step] == lines[step:])
        found.append((lines[:-step][is_pair], (first << _CODE_BITS | second)[is_pair] * 4))
    inside = ~is_han & (codes != _NEWLINE)
    is_triple = inside[:-2] & inside[1:-1] & inside[2:] & (codes[1:-1] != ord(" "))
    triple = ((codes[:-2] & 0xFFFF) << 32 | (codes[1:-1] & 0xFFFF) << 16 | (codes[2:] & 0xFFFF)) * 4
    found.append((lines[:-2][is_triple], triple[is_triple]))
    rows = np.concatenate([row for row, _ in found])
    grams = np.concatenate([gram for _, gram in found])
    order = np.lexsort((grams, rows))
    rows, grams = rows[order], grams[order]
    is_first = np.r_[True, (rows[1:] != rows[:-1]) | (grams[1:] != grams[:-1])]
    return rows[is_first], grams[is_first]


def _rarest(rows: np.ndarray, frequency: np.ndarray, rule: GramRule) -> np.ndarray:
    """Positions of the grams each row keeps."""
    order = np.lexsort((np.arange(len(rows)), frequency, rows))
    rank = np.arange(len(rows)) - np.searchsorted(rows[order], rows[order])
    is_rare = frequency[order] <= rule.max_frequency
    return np.sort(order[(is_rare & (rank < rule.grams_per_name)) | (rank == 0)])


def _unit_rows(rows: np.ndarray, columns: np.ndarray, weight: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Rows of unit length with the weights of their grams."""
    matrix = sparse.csr_matrix((weight[columns], (rows, columns)), shape=shape)
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(length, 1e-12)).dot(matrix).tocsr()
