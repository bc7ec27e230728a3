"""A table of whatever columns: every cell as text under the headers as they stand, for judging rather than landing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.land.archives import suffix_of
from tasks.land.faults import Refused
from tasks.land.headers import Cells, find_header
from tasks.land.job import Job
from tasks.land.reading import open_file, options_of
from tasks.land.sheets import Block, Header, ReadOptions, Sheet

TABLE = "table.parquet"
_HEADER_SHARE = 0.5  # of the widest row: a title above the header fills fewer cells


def write_any_table(job: Job) -> dict[str, Any]:
    """Write the one table of a file to `<out>/table.parquet`; gives rows, and how many could not be split into cells.

    Of several sheets the one with the most rows is taken, and `left_out` names the others. Headers that stand twice get
    their place. Raises Refused where there is no table, or it is beyond the limits.
    """
    options = replace(options_of(job), known=_filled)
    opened = open_file(Path(job.path).read_bytes(), suffix_of(job.file_name), job, options)
    found = [(sheet, header) for _, file in opened for sheet in file.sheets if (header := _header(sheet, options))]
    if not found:
        raise Refused("no_rows")
    read = [(sheet, header, list(_blocks(sheet, header, job.limits["rows"]))) for sheet, header in found]
    sheet, header, blocks = max(read, key=lambda one: sum(len(block.lines) for block in one[2]))
    names = _names(header)
    kept = [place for place, name in enumerate(names) if name is not None]
    if len(kept) > job.limits["columns"]:
        raise Refused("too_many_columns", found=len(kept), limit=job.limits["columns"])
    schema = pa.schema([(str(names[place]), pa.string()) for place in kept])
    rows = 0
    with pq.ParquetWriter(Path(job.out) / TABLE, schema, compression="zstd") as writer:
        for block in blocks:
            writer.write_table(
                pa.Table.from_arrays([block.columns[place].cast(pa.string()) for place in kept], schema=schema)
            )
            rows += len(block.lines)
    if not rows:
        raise Refused("header_only")
    faults = sum(len(block.faults) for block in blocks)
    return {"rows": rows, "faults": faults, "left_out": [one.name for one, _ in found if one is not sheet]}


def _filled(cells: Cells) -> int:
    return sum(cell is not None for cell in cells)


def _header(sheet: Sheet, options: ReadOptions) -> Header | None:
    """The first row that fills half the cells of the widest; None for a sheet without rows."""
    rows = [row for row in sheet.head if any(row.cells)]
    if not rows:
        return None
    widest = max(_filled(row.cells) for row in rows)
    return find_header(sheet, replace(options, known=lambda cells: int(_filled(cells) > _HEADER_SHARE * widest)), ())


def _blocks(sheet: Sheet, header: Header, most: int) -> Iterator[Block]:
    rows = 0
    for block in sheet.read(header):
        rows += len(block.lines)
        if rows > most:
            raise Refused("too_many_rows", found=rows, limit=most)
        yield block


def _names(header: Header) -> list[str | None]:
    """The names of the columns; a doubled one with its place, none for a column without header."""
    seen: set[str] = set()
    found: list[str | None] = []
    for place, name in enumerate(header.names, start=1):
        own = f"{name} ({place})" if name in seen else name
        seen.add(str(own))
        found.append(own)
    return found
