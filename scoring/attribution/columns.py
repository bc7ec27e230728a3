"""Arrow columns as the NumPy arrays that the arithmetic of attribution needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MISSING_TIME: int = int(np.iinfo(np.int64).min)
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US  # a day is 24 hours (spec 07-attribution)


def microseconds(column: Any) -> Ints:
    """Times as microseconds since 1970 (UTC); a missing time is MISSING_TIME, which is earlier than any other."""
    naive = pc.cast(column, pa.timestamp("us"))
    whole = pc.fill_null(pc.cast(naive, pa.int64()), MISSING_TIME)
    return np.asarray(whole.to_numpy(zero_copy_only=False) if isinstance(whole, pa.Array) else whole.to_numpy())


def codes(*columns: Any) -> tuple[list[Ints], list[str | None]]:
    """The columns' values as whole numbers under one common dictionary (-1 = null), and the dictionary."""
    joined = pa.chunked_array([chunk for column in columns for chunk in chunks_of(column)], type=pa.string())
    encoded = pa.chunked_array(joined).combine_chunks().dictionary_encode() if len(joined) else None
    if encoded is None:
        return [np.zeros(0, dtype=np.int64) for _ in columns], []
    numbers = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return [np.asarray(part) for part in np.split(numbers, ends)], encoded.dictionary.to_pylist()


def chunks_of(column: Any) -> list[pa.Array]:
    """The chunks of a column as text."""
    text = pc.cast(column, pa.string())
    return list(text.chunks) if isinstance(text, pa.ChunkedArray) else [text]


def ranks(column: Any) -> Ints:
    """The place of each value in the column's order: numbers by size, text by code point; equal values share one."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = values if pa.types.is_integer(values.type) else pc.fill_null(pc.cast(values, pa.string()), "")
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    encoded = values.dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy().astype(np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.asarray(place[encoded.indices.to_numpy(zero_copy_only=False)])


def sums(group: Ints, amounts: Floats, size: int) -> Floats:
    """(size,): the sum of the amounts of each group 0, 1, …; 0 for a group without rows."""
    return np.asarray(np.bincount(group, weights=amounts, minlength=size), dtype=np.float64)


def ranges(starts: Ints, counts: Ints) -> Ints:
    """The numbers start, start+1, … of every (start, count), one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts) + np.repeat(starts, counts)


def decimal_cents(cents: Ints, known: Flags) -> pa.Array:
    """Whole cents as DECIMAL(18,2), null where not known, without passing through a float."""
    words = np.empty((len(cents), 2), dtype=np.int64)  # a decimal is 128 bits: the low word, then the sign's
    words[:, 0] = cents
    words[:, 1] = np.where(cents < 0, -1, 0)
    amounts = pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(words.tobytes())])
    return pc.if_else(pa.array(known), amounts, pa.scalar(None, pa.decimal128(18, 2)))
