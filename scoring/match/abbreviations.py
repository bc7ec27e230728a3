"""Abbreviations: short Chinese names whose characters stand in order in an account's name (江特电机, 江西特种电机)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cpdist

from scoring.match.grams import GramCounts, pair_grams
from scoring.match.hashing import Numbers, Rows
from scoring.match.keys import Keyed, join_keys
from scoring.match.sides import Column
from scoring.names.buffers import Flags, Texts
from scoring.names.text import is_han

_LENGTHS = (2, 6)  # characters of an abbreviation
_PART = 1_000_000  # pairs compared at a time
_REACH = 8  # characters from one of an abbreviation to the next in the whole name, at most
_CODE_BITS = 21
_CODE_MASK = (1 << _CODE_BITS) - 1
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class AbbreviationRule:
    """How far abbreviations are looked for; every figure has its `why` in match.yaml."""

    most_shared: int
    per_name: int
    accounts: int


@dataclass(frozen=True)
class WholeNames:
    """Accounts' whole names and stems (Arrow columns), and by which of equals the likelier is told, see `identity`."""

    keys: pa.Array
    stems: pa.Array
    identity: Numbers


def find_abbreviated(
    given: Column, names: WholeNames, characters: Numbers, grams: GramCounts, rule: AbbreviationRule
) -> tuple[Rows, Rows]:
    """(row of given, row of names): accounts in whose whole name the characters of a short name stand in order.

    They are found by those two neighbours of the short name that are rarest: that stand together in the fewest names
    (`grams`), or would by chance (`characters`: by code point, in the names of `rule.accounts` accounts). Two that more
    than `rule.most_shared` names hold find nobody. The `rule.per_name` likeliest are kept: first those that begin as
    the short name does, then those with the shorter names, then those whose `identity` is the smaller. The names given
    are distinct.
    """
    rows, one, other = find_holders(given, names.keys, characters, grams, rule)
    asked = Texts.of(pa.array(given[rows], pa.string()))
    is_inside = _in_order(given[rows], one, names.keys, other) == asked.lengths[one]
    one, other = one[is_inside], other[is_inside]
    stems, keys = (Texts.of(column.take(pa.array(other))) for column in (names.stems, names.keys))
    first = asked.codes[asked.starts[one]]
    begins = (first == _first_codes(keys)) | (first == _first_codes(stems))
    kept = _likeliest(one, begins, stems.lengths, names.identity[other], rule.per_name)
    return rows[one[kept]], other[kept]


def find_holders(
    given: Column, keys: pa.Array, characters: Numbers, grams: GramCounts, rule: AbbreviationRule
) -> tuple[Rows, Rows, Rows]:
    """(rows of given that may be abbreviations; place among these, row of keys): whole names that have in order, not
    far apart, the two rarest neighbours of a short name.
    """
    texts = Texts.of(pa.array(given, pa.string()))
    is_short = (texts.lengths >= _LENGTHS[0]) & (texts.lengths <= _LENGTHS[1])
    rows = np.flatnonzero(is_short & (texts.counts(is_han(texts.codes)) == texts.lengths))
    texts = texts.slices(texts.starts[rows], texts.ends[rows])
    asked, kept = _rarest_neighbours(texts, characters, grams, rule)
    one, other = join_keys((asked, np.arange(len(kept))), _ordered_pairs(Texts.of(keys), asked), None)
    return rows[kept], one, other


def _in_order(short: Column, one: Rows, keys: pa.Array, other: Rows) -> Numbers:
    """How many characters of each short name stand in order in the other, in parts that fit in little memory."""
    parts = [np.zeros(0, np.int32)]
    for start in range(0, len(one), _PART):
        here = slice(start, start + _PART)
        whole = np.asarray(keys.take(pa.array(other[here])).to_numpy(zero_copy_only=False), object)
        parts.append(np.asarray(cpdist(short[one[here]], whole, scorer=LCSseq.similarity), np.int32))
    return np.concatenate(parts)


def count_characters(keys: Column) -> Numbers:
    """How often each code point stands in these texts."""
    return np.bincount(Texts.of(pa.array(keys, pa.string())).codes, minlength=_CODE_POINTS)


def _first_codes(texts: Texts) -> Numbers:
    """The first character of each text, 0 of an empty one."""
    return np.where(texts.lengths > 0, np.append(texts.codes, 0)[texts.starts], 0)


def _rarest_neighbours(
    texts: Texts, characters: Numbers, grams: GramCounts, rule: AbbreviationRule
) -> tuple[Numbers, Rows]:
    """(the two neighbouring characters that are rarest, as one number; row of the text), but for those too common."""
    first = np.ones(len(texts.codes), bool)
    first[texts.ends - 1] = False  # a pair begins at every character but the last
    at = np.flatnonzero(first)
    row = np.repeat(np.arange(len(texts)), texts.lengths - 1)
    one, other = texts.codes[at], texts.codes[at + 1]
    chance = characters[one].astype(np.float64) * characters[other] / max(rule.accounts, 1)
    held = np.maximum(chance, grams.frequency[pair_grams(one, other, grams.bits)])
    order = np.lexsort((at, held, row))
    rarest = order[np.searchsorted(row[order], np.arange(len(texts)))]
    rarest = rarest[held[rarest] <= rule.most_shared]
    codes = texts.codes[at[rarest]].astype(np.int64) << _CODE_BITS | texts.codes[at[rarest] + 1]
    return codes, row[rarest]


def _ordered_pairs(texts: Texts, asked: Numbers) -> Keyed:
    """Where the two characters asked for stand in order, at most `_REACH` apart, as (number, row)."""
    one, first_of = np.unique(asked >> _CODE_BITS, return_inverse=True)
    two, second_of = np.unique(asked & _CODE_MASK, return_inverse=True)
    is_asked = np.zeros((len(one) + 1, len(two) + 1), bool)  # row and column 0: no character that is asked for
    is_asked[first_of + 1, second_of + 1] = True
    ranks = []
    for characters in (one, two):
        rank = np.zeros(_CODE_POINTS, np.int16)
        rank[characters] = np.arange(1, len(characters) + 1)
        ranks.append(rank[texts.codes])
    firsts = np.flatnonzero(ranks[0])
    lines = np.repeat(np.arange(len(texts), dtype=np.int32), texts.lengths)
    found = []
    for distance in range(1, _REACH + 1):
        firsts = firsts[: np.searchsorted(firsts, len(texts.codes) - distance)]
        at = firsts[is_asked[ranks[0][firsts], ranks[1][firsts + distance]]]
        at = at[lines[at] == lines[at + distance]]
        found.append((texts.codes[at].astype(np.int64) << _CODE_BITS | texts.codes[at + distance], lines[at]))
    return np.concatenate([numbers for numbers, _ in found]), np.concatenate([rows for _, rows in found])


def _likeliest(one: Rows, begins: Flags, length: Rows, identity: Numbers, most: int) -> Rows:
    """Positions of the pairs kept, in the order of the given rows."""
    order = np.lexsort((identity, length, ~begins, one))
    rank = np.arange(len(order)) - np.searchsorted(one[order], one[order])
    kept: Rows = order[rank < most]
    return kept
