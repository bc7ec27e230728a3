"""Parquet: typed columns become text, row group by row group, never leaving Arrow."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.land.faults import Refused
from tasks.land.sheets import BLOCK_ROWS, Block, Header, HeadRow, Opened, ReadOptions, Sheet


def open_parquet(raw: bytes, options: ReadOptions) -> Opened:
    """The one table of a Parquet file. Raises Refused where it is damaged or beyond the limits."""
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise Refused("bad_parquet", problem=_first_line(error)) from error
    _refuse_excess(file, options.limits)
    if not file.metadata.num_rows:
        raise Refused("no_rows")

    def read(header: Header) -> Iterator[Block]:
        at = 0
        try:
            for batch in file.iter_batches(batch_size=BLOCK_ROWS):
                lines = np.arange(at, at + batch.num_rows, dtype=np.int64) + 1
                yield Block([as_text(column) for column in batch.columns], lines, lines, [], [], Counter())
                at += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise Refused("bad_parquet", problem=_first_line(error)) from error

    head = HeadRow(0, 0, tuple(name or None for name in schema.names))
    return Opened("parquet", [Sheet(None, [head], read, file.metadata.num_rows, is_typed=True)])


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]


def _refuse_excess(file: pq.ParquetFile, limits: dict[str, Any]) -> None:
    about = file.metadata
    if len(file.schema_arrow) > limits["columns"]:
        raise Refused("too_many_columns", found=len(file.schema_arrow), limit=limits["columns"])
    if about.num_rows > limits["rows"]:
        raise Refused("too_many_rows", found=about.num_rows, limit=limits["rows"])
    unpacked = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
    if unpacked > limits["unpacked_mb"] * 1_000_000:
        raise Refused("bomb", limit=f"{limits['unpacked_mb'] * 1_000_000:,}")


def as_text(column: pa.Array) -> pa.Array:
    """A typed column as text: whole numbers without fraction, days and times as ISO 8601, nested values as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(column, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _binary_text(column)
    if pa.types.is_floating(kind):
        return _float_text(column)
    if pa.types.is_timestamp(kind):
        return _time_text(column)
    if pa.types.is_nested(kind):
        return pa.array([_json(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    return pc.cast(column, pa.string())


def _binary_text(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(pc.cast(column, pa.binary()), pa.string())
    except pa.ArrowInvalid as error:
        raise Refused("bad_parquet", problem=f"a binary column is no UTF-8 text: {_first_line(error)}") from error


def _float_text(column: pa.Array) -> pa.Array:
    """Shortest exact form; whole numbers in digits; NaN is a missing value."""
    values = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    numbers = pc.cast(values, pa.float64())
    is_whole = pc.and_(pc.equal(numbers, pc.round(numbers)), pc.less(pc.abs(numbers), 1e15))
    whole = pc.cast(pc.if_else(is_whole, numbers, None), pa.int64())
    return pc.if_else(pc.fill_null(is_whole, False), pc.cast(whole, pa.string()), pc.cast(values, pa.string()))


def _time_text(column: pa.Array) -> pa.Array:
    """`2024-01-02 03:04:05`, with its offset where the column has a time zone; fractions only where there are any."""
    text = pc.replace_substring_regex(pc.cast(column, pa.string()), r"\.0+(Z|[+-]\d{4})?$", r"\1")
    return pc.replace_substring_regex(text, r"([+-]\d\d)(\d\d)$", r"\1:\2") if column.type.tz else text


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)
