"""Pairs of directory rows as columns, and what is read off a name before pairs are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import OSA, LCSseq
from rapidfuzz.process import cpdist

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

# Kinds of keys that bring rows together, as bits of `kinds`. Source: resolved.row_keys.
KINDS = (
    "code",
    "organisation",
    "registration",
    "name",
    "parts",
    "english",
    "phone",
    "email",
    "domain",
    "address",
    "person",
)
BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
# A name is compared letter by letter only from this length on: shorter ones differ by one letter too easily.
LETTERS_FOR_SLIP = 6
_NUMERALS = "[^0-9一二三四五六七八九十百甲乙丙丁]"
_COMPASS = "[^东西南北]"
_ROMANS = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}


@dataclass(frozen=True)
class Pairs:
    """`rows`: one row per directory row (columns of resolved.judged_rows); `a`, `b`: positions in them; `kinds`: bits
    of the keys that both bear."""

    rows: pa.Table
    a: Ints
    b: Ints
    kinds: Ints

    def shares(self, kind: str) -> Bools:
        """Whether both bear a key of that kind."""
        return (self.kinds & BIT[kind]) > 0

    def texts(self, column: str) -> tuple[Texts, Texts]:
        """Both sides' texts, '' where unknown."""
        values = np.asarray(pc.fill_null(self.rows[column], "").to_pylist(), dtype=object)
        return values[self.a], values[self.b]

    def numbers(self, column: str) -> tuple[Ints, Ints]:
        """Both sides' values as numbers of equal texts, -1 where unknown."""
        encoded = self.rows[column].combine_chunks().dictionary_encode().indices
        values = np.asarray(pc.fill_null(encoded, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
        return values[self.a], values[self.b]

    def equal(self, column: str) -> Bools:
        """Known on both sides, and the same."""
        one, other = self.numbers(column)
        return np.asarray((one == other) & (one >= 0), dtype=np.bool_)

    def differ(self, column: str) -> Bools:
        """Known on both sides, and not the same."""
        one, other = self.numbers(column)
        return np.asarray((one != other) & (one >= 0) & (other >= 0), dtype=np.bool_)

    def one_missing(self, column: str) -> Bools:
        """Known on exactly one side."""
        one, other = self.numbers(column)
        return np.asarray((one >= 0) != (other >= 0), dtype=np.bool_)

    @cached_property
    def is_han(self) -> tuple[Bools, Bools]:
        """Whether each side's name is written in Chinese characters."""
        han = pc.fill_null(pc.match_substring_regex(self.rows["name_key"], r"\p{Han}"), False)
        values = np.asarray(han.to_pylist(), dtype=np.bool_)
        return values[self.a], values[self.b]

    @cached_property
    def one_script(self) -> Bools:
        """Both have a name, in the same kind of script."""
        one, other = self.numbers("name_key")
        return np.asarray((self.is_han[0] == self.is_han[1]) & (one >= 0) & (other >= 0), dtype=np.bool_)

    @cached_property
    def slips(self) -> Ints:
        """Letters that differ between the names (insert, delete, change, swap); 99 where not compared."""
        whole = self._compared(OSA.distance, "name_key", self.one_script & ~self.equal("name_key"), 99)
        bare = self._compared(OSA.distance, "bare", self.one_script & self.one_missing("form"), 99)
        return np.minimum(whole, np.where(bare > 0, bare, 99))

    @cached_property
    def lengths(self) -> tuple[Ints, Ints]:
        """Letters of each side's name."""
        values = np.asarray(pc.fill_null(pc.utf8_length(self.rows["name_key"]), 0).to_numpy(), dtype=np.int64)
        return values[self.a], values[self.b]

    def _compared(self, scorer: Callable[..., float], column: str, where: Bools, otherwise: int) -> Ints:
        one, other = self.texts(column)
        found = np.full(len(where), otherwise, dtype=np.int64)
        if where.any():
            found[where] = cpdist(one[where], other[where], scorer=scorer, dtype=np.int64)
        return found

    @cached_property
    def is_within(self) -> Bools:
        """The letters of the shorter name stand in the longer one, in their order, the first one first."""
        where = self.one_script & (np.minimum(*self.lengths) >= 3)
        common = self._compared(LCSseq.similarity, "name_key", where, 0)
        return np.asarray(where & (common == np.minimum(*self.lengths)) & ~self.equal("name_key"), dtype=np.bool_)


def letters_of(names: pa.Array) -> pa.Array:
    """The letters of each Chinese name in order of the alphabet, without words for places; null for short names."""
    bare = pc.replace_substring_regex(names, "[省市区县]", "").to_pylist()
    return pa.array(
        [
            None if not name or len(name) < LETTERS_FOR_SLIP or name.isascii() else "".join(sorted(name))
            for name in bare
        ],
        pa.string(),
    )


def numerals_of(names: pa.Array) -> pa.Array:
    """The numbers in each name, in order of size; null where it has none."""
    for roman, digit in _ROMANS.items():
        names = pc.replace_substring_regex(names, rf"\b{roman}\b", digit)
    found = pc.replace_substring_regex(names, _NUMERALS, "").to_pylist()
    return pa.array([None if not text else "".join(sorted(text)) for text in found], pa.string())


def compass_of(names: pa.Array) -> pa.Array:
    """The points of the compass in each name, in their order."""
    return pc.replace_substring_regex(names, _COMPASS, "")
