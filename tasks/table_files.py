"""A table of results as a file that people open: CSV, XLSX or Parquet by its name."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.crm import FieldType
from tasks.outbound.csv_out import csv_bytes
from tasks.outbound.xlsx_out import write_workbook

ENDINGS = (".csv", ".xlsx", ".parquet")
_LIST_MARK = "; "


def refuse_other_endings(out: Path) -> None:
    """Raises BadUsage where the file's name does not say CSV, XLSX or Parquet."""
    if out.suffix.lower() not in ENDINGS:
        raise BadUsage(said("option_out_ending", out=out, known=", ".join(ENDINGS)))


def write_table(rows: pa.Table, out: Path) -> None:
    """Write the rows; in CSV and XLSX no cell is run as a formula, and lists are joined by '; '."""
    refuse_other_endings(out)
    if out.suffix.lower() == ".parquet":
        parquet.write_table(rows, out)
        return
    cells = list(zip(*([_cell(value) for value in column.to_pylist()] for column in rows.columns), strict=True))
    if out.suffix.lower() == ".csv":
        kinds = {field.name: _kind(field.type) for field in rows.schema}
        out.write_bytes(csv_bytes(kinds, cells, "human"))
        return
    texts = [["" if value is None else str(value) for value in row] for row in cells]
    write_workbook(out, out.stem[:31], [rows.column_names, *texts])


def _kind(kind: pa.DataType) -> FieldType:
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return "decimal"
    return "time" if pa.types.is_timestamp(kind) else "date" if pa.types.is_date(kind) else "text"


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return _LIST_MARK.join(str(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return round(value, 6) if isinstance(value, float) else value
