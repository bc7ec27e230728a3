"""Arrow columns as the NumPy arrays that the arithmetic of attribution needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MISSING_TIME: int = int(np.iinfo(np.int64).min)
SECOND_US = 1_000_000
_HALF = float(1 << 29)
_EXACT = float(1 << 53)  # whole numbers up to here are added without rounding
# A table of numbers may hold so many places for one id that is there, or so many in all: 4 bytes each.
_SPARSE = 64
_SMALL_TABLE = 1 << 20
DAY_US = 86_400 * SECOND_US  # a day is 24 hours (spec 07-attribution)


def microseconds(column: Any) -> Ints:
    """Times as microseconds since 1970 (UTC); a missing time is MISSING_TIME, which is earlier than any other."""
    naive = pc.cast(column, pa.timestamp("us"))
    whole = pc.fill_null(pc.cast(naive, pa.int64()), MISSING_TIME)
    return np.asarray(whole.to_numpy(zero_copy_only=False) if isinstance(whole, pa.Array) else whole.to_numpy())


def codes(*columns: Any) -> tuple[list[Ints], list[str | None]]:
    """The columns' values as numbers under one common dictionary in the order of the texts (-1 = null), and that."""
    encoded = [_encoded(column) for column in columns]
    words = pa.concat_arrays([each.dictionary for each in encoded]).unique()
    place = pc.array_sort_indices(words).to_numpy().astype(np.int64)
    words = words.take(pa.array(place))
    numbers = []
    for each in encoded:
        number = np.append(pc.index_in(each.dictionary, value_set=words).to_numpy(), -1).astype(np.int32)
        numbers.append(number[_indices(each)])
    return numbers, words.to_pylist()


def _encoded(column: Any) -> pa.DictionaryArray:
    """The column as one dictionary of text."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(whole.type):
        whole = pc.cast(whole, pa.string()).dictionary_encode()
    if whole.dictionary.type != pa.string():
        whole = pa.DictionaryArray.from_arrays(whole.indices, pc.cast(whole.dictionary, pa.string()))
    return whole


def _indices(encoded: pa.DictionaryArray) -> Ints:
    """Where in its dictionary each value stands, -1 for null."""
    indices = encoded.indices if not encoded.null_count else pc.fill_null(encoded.indices, -1)
    return np.asarray(indices.to_numpy(zero_copy_only=False))


@dataclass(frozen=True)
class KeyIndex:
    """Distinct ids, and the number of each; ids that are not among them have the number -1."""

    keys: pa.Array
    lowest: int = 0
    table: Ints | None = None  # number of id `lowest` + n, for whole numbers that lie close enough

    @classmethod
    def of(cls, column: Any) -> KeyIndex:
        """The distinct ids of the column, null left out."""
        keys = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        keys = (pc.cast(keys, keys.type.value_type) if pa.types.is_dictionary(keys.type) else keys).drop_null()
        if not pa.types.is_integer(keys.type) or not len(keys):
            return cls(keys.unique())
        ids = keys.to_numpy().astype(np.int64)
        lowest, span = int(ids.min()), int(ids.max()) - int(ids.min()) + 1
        if span > max(_SPARSE * len(ids), _SMALL_TABLE):
            return cls(keys.unique())
        seen = np.zeros(span, dtype=np.bool_)
        seen[ids - lowest] = True
        there = np.flatnonzero(seen)
        table = np.full(span, -1, dtype=np.int32)
        table[there] = np.arange(len(there))
        return cls(pa.array(there + lowest).cast(keys.type), lowest, table)

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self, column: Any) -> Ints:
        """(rows,): the number of each row's id, -1 where it is null or not among the keys."""
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_dictionary(whole.type):
            of_word = np.append(self.numbers(whole.dictionary), -1)
            return np.asarray(of_word[_indices(whole)])
        if self.table is not None and pa.types.is_integer(whole.type) and not whole.null_count:
            ids = whole.to_numpy().astype(np.int64) - self.lowest
            if not len(ids) or (ids.min() >= 0 and ids.max() < len(self.table)):
                return np.asarray(self.table[ids])
            inside = (ids >= 0) & (ids < len(self.table))
            return np.where(inside, self.table[np.where(inside, ids, 0)], -1)
        if whole.type != self.keys.type:
            return self.numbers(pc.cast(whole, self.keys.type))
        found = pc.index_in(whole, value_set=self.keys, skip_nulls=True)
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False))


def ranks(column: Any) -> Ints:
    """The place of each value in the column's order: numbers by size, text by code point, null last; equal values
    share one."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = values if pa.types.is_integer(values.type) else pc.cast(values, pa.string())
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    encoded = values.dictionary_encode(null_encoding="encode")
    order = pc.array_sort_indices(encoded.dictionary).to_numpy().astype(np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.asarray(place[encoded.indices.to_numpy(zero_copy_only=False)])


def sums(group: Ints, amounts: Floats, size: int) -> Floats:
    """(size,): the sum of the amounts of each group 0, 1, …; 0 for a group without rows."""
    return np.asarray(np.bincount(group, weights=amounts, minlength=size), dtype=np.float64)


def steady_sums(group: Ints, amounts: Floats, size: int) -> Floats:
    """(size,): as `sums`, and the same to the last bit whatever the order of the rows.

    Amounts are rounded to 2^-58 of the sum of their sizes and added as whole numbers in two halves, exactly up to 16
    million rows in one group.
    """
    whole = float(np.abs(amounts).sum()) if len(amounts) else 0.0
    if whole == 0 or (whole < _EXACT and (amounts == np.rint(amounts)).all()):
        return sums(group, amounts, size)
    # Any order of adding `whole` up gives the same exponent.
    scale = 2.0 ** (58 - int(np.ceil(np.log2(whole) - 1e-9)))
    some = np.flatnonzero(amounts)
    group, steps = group[some], np.rint(amounts[some] * scale)
    high = np.floor(steps / _HALF)
    upper = sums(group, high, size)
    high *= _HALF
    steps -= high
    return np.asarray((upper * _HALF + sums(group, steps, size)) / scale)


def ranges(starts: Ints, counts: Ints) -> Ints:
    """The numbers start, start+1, … of every (start, count), one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - counts), counts))


def decimal_cents(cents: Ints, known: Flags) -> pa.Array:
    """Whole cents as DECIMAL(18,2), null where not known, without passing through a float."""
    words = np.empty((len(cents), 2), dtype=np.int64)  # a decimal is 128 bits: the low word, then the sign's
    words[:, 0] = cents
    words[:, 1] = np.where(cents < 0, -1, 0)
    amounts = pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(words.tobytes())])
    return pc.if_else(pa.array(known), amounts, pa.scalar(None, pa.decimal128(18, 2)))
