"""Abbreviations: short Chinese names whose characters stand in order in an account's name (江特电机, 江西特种电机)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cpdist

from scoring.match.hashing import Numbers, Rows, distinct
from scoring.match.keys import Keyed, join_keys, keys_asked_for
from scoring.match.sides import Column, Side
from scoring.names.buffers import Texts
from scoring.names.text import is_han

_LENGTHS = (2, 6)  # characters of an abbreviation
_REACH = 8  # characters from one of an abbreviation to the next in the whole name, at most
_CODE_BITS = 21
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class AbbreviationRule:
    """How far abbreviations are looked for; every figure has its `why` in match.yaml."""

    most_shared: int
    per_name: int


def find_abbreviated(given: Column, accounts: Side, rule: AbbreviationRule) -> tuple[Rows, Rows]:
    """(row of given, row of account): accounts in whose whole name the characters of a short name stand in order.

    They are found by those two neighbours of the short name whose characters are rarest; where these stand in order in
    more than `rule.most_shared` names nobody is found. The `rule.per_name` likeliest are kept: first those that begin
    as the short name does, then those with the shorter names.
    """
    texts = Texts.of(pa.array(given, pa.string()))
    is_short = (texts.lengths >= _LENGTHS[0]) & (texts.lengths <= _LENGTHS[1])
    rows = np.flatnonzero(is_short & (texts.counts(is_han(texts.codes)) == texts.lengths))
    keys = Texts.of(pa.array(accounts.key, pa.string()))
    asked = _rarest_neighbours(texts.slices(texts.starts[rows], texts.ends[rows]), keys)
    one, other = join_keys((asked, np.arange(len(rows))), _ordered_pairs(keys, asked), rule.most_shared)
    one = rows[one]
    is_inside = cpdist(given[one], accounts.key[other], scorer=LCSseq.similarity) == texts.lengths[one]
    one, other = one[is_inside], other[is_inside]
    kept = _likeliest(given, one, accounts, other, rule.per_name)
    return one[kept], other[kept]


def _rarest_neighbours(texts: Texts, keys: Texts) -> Numbers:
    """For each text the two neighbouring characters that are rarest in the keys, as one number."""
    frequency = np.bincount(keys.codes, minlength=_CODE_POINTS).astype(np.float64)
    first = np.ones(len(texts.codes), bool)
    first[texts.ends - 1] = False  # a pair begins at every character but the last
    at = np.flatnonzero(first)
    row = np.repeat(np.arange(len(texts)), texts.lengths - 1)
    chance = frequency[texts.codes[at]] * frequency[texts.codes[at + 1]]
    order = np.lexsort((at, chance, row))
    rarest = at[order[np.searchsorted(row[order], np.arange(len(texts)))]]
    return texts.codes[rarest].astype(np.int64) << _CODE_BITS | texts.codes[rarest + 1]


def _ordered_pairs(texts: Texts, asked: Numbers) -> Keyed:
    """Where the two characters asked for stand in order, at most `_REACH` apart, as (number, row)."""
    is_first, is_second = np.zeros(_CODE_POINTS, bool), np.zeros(_CODE_POINTS, bool)
    is_first[asked >> _CODE_BITS], is_second[asked & ((1 << _CODE_BITS) - 1)] = True, True
    firsts, seconds = np.flatnonzero(is_first[texts.codes]), is_second[texts.codes]
    ends = np.repeat(texts.ends, texts.lengths)[firsts]
    known, found = distinct(asked), []
    for distance in range(1, _REACH + 1):
        at = firsts[firsts + distance < ends]
        at = at[seconds[at + distance]]
        numbers = texts.codes[at].astype(np.int64) << _CODE_BITS | texts.codes[at + distance]
        kept = keys_asked_for(known, numbers)
        found.append((numbers[kept], texts.rows_of(at[kept])))
    return np.concatenate([numbers for numbers, _ in found]), np.concatenate([rows for _, rows in found])


def _likeliest(given: Column, one: Rows, accounts: Side, other: Rows, most: int) -> Rows:
    """Positions of the pairs kept, in the order of the given rows."""
    begins = np.fromiter(
        (name[0] in (stem[:1], key[0]) for name, stem, key in zip(
            given[one], accounts.stem[other], accounts.key[other], strict=True)), bool, len(one),
    )  # fmt: skip
    length = np.fromiter(map(len, accounts.stem[other]), np.int64, len(one))
    order = np.lexsort((other, length, ~begins, one))
    rank = np.arange(len(order)) - np.searchsorted(one[order], one[order])
    return order[rank < most]
