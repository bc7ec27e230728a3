"""Why one character of two names differs: it sounds the same, looks alike, or neither, which tells a slip from another
name.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.match.sides import Column
from scoring.match.sounds import nearly_heard, same_sound
from scoring.names.buffers import Codes, Flags, Texts, is_one_of, positions

NO_SLIP, UNLIKE, SOMEWHAT_LIKE, NEARLY_HEARD, LIKE, HEARD = range(6)
NOWHERE, BEFORE_CORE, IN_CORE, AFTER_CORE = range(4)
_LONGEST_GIVEN, _LONGEST_ACCOUNT = 24, 48  # characters that are looked at
_MOST_SUBSTITUTED = 2
_BMP = 0x10000
_COUNTS = (
    "0123456789一二三四五六七八九十百千甲乙丙丁东南西北上中下"  # these tell branches and plants apart, however alike
)
_LIKE_LETTERS = ("0o", "1i", "1l", "il", "5s", "8b", "2z", "uv", "6b", "9g", "gq")
Numbers = Any  # a NumPy array


@dataclass(frozen=True)
class Slips:
    """Pair by pair: of what kind the one slip is (`NO_SLIP` where there is none or there are several), where in the
    account's name it stands, and the character given there (its code point; 0 for none).
    """

    kind: Numbers
    place: Numbers
    given: Numbers


@dataclass(frozen=True)
class Names:
    """Columns of equal length: what is given without region and form, the account's whole name, its proper name."""

    given: Column
    account: Column
    core: Column

    def taken(self, rows: Numbers) -> "Names":
        """Those rows."""
        return Names(self.given[rows], self.account[rows], self.core[rows])


@dataclass(frozen=True)
class SlipRows:
    """Which pairs to look at: by the order of the characters, by whole names of equal length, by bare ones."""

    in_order: Numbers
    whole: Numbers
    bare: Numbers


def slips_between(whole: Names, bare: Names, rows: SlipRows) -> Slips:
    """The slips of pairs, looked for in those rows; `whole` holds whole names, `bare` those without region and form."""
    kind, place, given = np.zeros((3, len(whole.given)), np.int64)
    parts = (
        (rows.in_order, slips_in_order(Names(bare.given, whole.account, whole.core).taken(rows.in_order))),
        (rows.whole, slips_in_place(whole.taken(rows.whole))),
        (rows.bare, slips_in_place(bare.taken(rows.bare))),
    )
    for at, found in parts:
        better = found.kind > kind[at]
        kind[at[better]], place[at[better]] = found.kind[better], found.place[better]
        given[at[better]] = found.given[better]
    return Slips(kind, place, given)


def slips_in_order(names: Names) -> Slips:
    """For names given of which all but one character stand in the account's name in their order: what stands there in
    place of that one. An abbreviation is compared so as well (威附高科, 无锡威孚高科技).
    """
    if not len(names.given):
        return Slips(*np.zeros((3, 0), np.int64))
    given, account = _padded(names.given, _LONGEST_GIVEN), _padded(names.account, _LONGEST_ACCOUNT)
    lengths, account_lengths = (given > 0).sum(axis=1), (account > 0).sum(axis=1)
    before = _matched(given, account, lengths)
    after = _matched(_reversed(given, lengths), _reversed(account, account_lengths), lengths)
    missing = np.arange(given.shape[1])
    behind = np.take_along_axis(after, np.maximum(lengths[:, None] - 1 - missing, 0), axis=1)
    ends = account_lengths[:, None] - behind
    row, at = np.nonzero((missing < lengths[:, None]) & (before[:, :-1] < ends))
    starts, ends = before[row, at], ends[row, at]
    there = positions(starts, ends)
    sizes = (ends - starts).astype(np.int64)
    row, at = np.repeat(row, sizes), np.repeat(at, sizes)
    return _likeliest(row, given[row, at], account[row, there], there, names)


def slips_in_place(names: Names) -> Slips:
    """For names of equal length, of which one or two characters differ: the least likely of those slips."""
    one, other = (Texts.of(pa.array(column, pa.string())) for column in (names.given, names.account))
    differs = np.flatnonzero(one.codes != other.codes)
    row = one.rows_of(differs)
    kind = kinds_of_slips(one.codes[differs], other.codes[differs])
    counts = np.bincount(row, minlength=len(one))
    least = np.full(len(one), HEARD)
    np.minimum.at(least, row, kind)
    is_slip = (counts > 0) & (counts <= _MOST_SUBSTITUTED)
    at, given = np.zeros((2, len(one)), np.int64)
    at[row], given[row] = differs - one.starts[row], one.codes[differs]
    kind, place = np.where(is_slip, least, NO_SLIP), np.where(is_slip, _places(at, names), NOWHERE)
    return Slips(kind, place, np.where(is_slip, given, 0))


def kinds_of_slips(one: Codes, other: Codes) -> Numbers:
    """Why the one character may stand for the other."""
    pairs = np.minimum(one, other).astype(np.uint64) * _BMP + np.maximum(one, other)
    close, loose = _shapes()
    is_count = is_one_of(one, _COUNTS) & is_one_of(other, _COUNTS)
    return np.select(
        [is_count, same_sound(one, other), _among(pairs, close), nearly_heard(one, other), _among(pairs, loose)],
        [UNLIKE, HEARD, LIKE, NEARLY_HEARD, SOMEWHAT_LIKE],
        UNLIKE,
    )


def _likeliest(row: Numbers, one: Codes, other: Codes, there: Numbers, names: Names) -> Slips:
    """The likeliest slip of each row, the earliest of equals; where nothing stands in the place, the character is one
    too many.
    """
    size, kind = len(names.given), kinds_of_slips(one, other)
    best, (at, given) = np.full(size, UNLIKE), np.zeros((2, size), np.int64)
    order = np.lexsort((there, -kind, row))
    first = order[np.append(True, np.diff(row[order]) != 0)[: len(order)]]
    best[row[first]], at[row[first]], given[row[first]] = kind[first], there[first], one[first]
    return Slips(best, np.where(best > UNLIKE, _places(at, names), NOWHERE), given)


def _places(at: Numbers, names: Names) -> Numbers:
    """Where a place of the account's name lies, as seen from its proper name."""
    core_at = np.array([name.find(core) for name, core in zip(names.account, names.core, strict=True)], np.int64)
    core_end = core_at + np.array([len(core) for core in names.core], np.int64)
    return np.select([at < core_at, at < core_end], [BEFORE_CORE, IN_CORE], AFTER_CORE)


def _matched(given: Numbers, account: Numbers, lengths: Numbers) -> Numbers:
    """How many characters of the account hold the first n given in order, by n; more than it has where none do."""
    rows, width = np.arange(len(given)), account.shape[1]
    ends = np.full((len(given), given.shape[1] + 1), width + 1)
    ends[:, 0] = 0
    done = np.zeros(len(given), np.int64)
    for place in range(width):
        found = (done < lengths) & (given[rows, np.minimum(done, given.shape[1] - 1)] == account[:, place])
        done += found
        ends[rows[found], done[found]] = place + 1
    return ends


def _reversed(codes: Numbers, lengths: Numbers) -> Numbers:
    """Each row from its last character to its first."""
    places = np.arange(codes.shape[1])
    turned = np.take_along_axis(codes, np.maximum(lengths[:, None] - 1 - places, 0), axis=1)
    return np.where(places < lengths[:, None], turned, 0)


def _padded(column: Column, most: int) -> Numbers:
    """One row of code points per text, up to `most` of them, then 0."""
    texts = Texts.of(pa.array(column, pa.string()))
    lengths = np.minimum(texts.lengths, most)
    width = int(lengths.max(initial=1))
    codes = np.zeros((len(texts), width), np.int64)
    codes[np.arange(width) < lengths[:, None]] = texts.codes[positions(texts.starts, texts.starts + lengths)]
    return codes


def _among(pairs: Numbers, known: Numbers) -> Flags:
    at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
    flags: Flags = known[at] == pairs
    return flags


@lru_cache(maxsize=1)
def _shapes() -> tuple[Numbers, Numbers]:
    """Pairs of characters that look alike, and of those that do somewhat, as sorted numbers."""
    close, loose = list(_LIKE_LETTERS), []
    for char, (near, far) in shapes().items():
        close += [char + other for other in near]
        loose += [char + other for other in far]
    return _sorted_pairs(close), _sorted_pairs(loose)


def _sorted_pairs(pairs: list[str]) -> Numbers:
    codes = np.array([[ord(char) for char in pair] for pair in pairs], np.uint64)
    return np.sort(codes.min(axis=1) * np.uint64(_BMP) + codes.max(axis=1))


@lru_cache(maxsize=1)
def shapes() -> dict[str, tuple[str, str]]:
    """For a character those that look like it and those that do somewhat, each pair once."""
    lines = (files("scoring.names") / "shapes.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines if not line.startswith("#"))
    return {char: (near, far) for char, (near, _, far) in ((char, rest.partition("|")) for char, rest in pairs)}
