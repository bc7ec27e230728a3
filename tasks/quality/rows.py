"""Rows made in Python as tables of the declared shape."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from warehouse.tables import declared_tables

_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "varchar[]": pa.list_(pa.string()),
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}


def typed_rows(table: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows with the declared columns of `table`, typed even where there is no row or no value."""
    columns = declared_tables()[table].columns
    schema = pa.schema([(name, _TYPES[kind]) for name, (kind, _) in columns.items()])
    return pa.Table.from_pylist(list(rows), schema)
