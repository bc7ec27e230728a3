"""Workbooks: the archive checked first, values as text without damage to ids, numbers and dates."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import fastexcel
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.land.archives import BROKEN, check_archive
from tasks.land.entities import plain_header
from tasks.land.faults import CellFault, Refused
from tasks.land.rows import keep_rows
from tasks.land.sheets import BLOCK_ROWS, HEAD_ROWS, Block, Header, HeadRow, Note, Opened, ReadOptions, Sheet
from tasks.land.xlsx_parts import MAX_MERGED_CELLS, Extent, SheetPart, column_letters, list_sheets, measure

_MIDNIGHT = " 00:00:00"
_WITH_FRACTION = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,9}$"
_IS_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")
# The day that stands for no day in a cell holding only a time.
_NO_DAY = {False: "1899-12-31 ", True: "1904-01-01 "}


def open_xlsx(raw: bytes, options: ReadOptions) -> Opened:
    """The sheets of a workbook. Raises Refused where it is damaged, a bomb, or beyond the limits."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        check_archive(archive, len(raw), options.limits)
        parts, is_1904 = list_sheets(archive, options.limits)
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    wanted = [part for part in parts if _is_wanted(part, options)]
    if options.sheets and not wanted:
        raise Refused("sheet_missing", wanted=", ".join(options.sheets), found=", ".join(part.name for part in parts))
    extents = {part.name: measure(archive, part.path, options.limits) for part in wanted}
    try:
        reader = fastexcel.read_excel(raw)
    except (fastexcel.FastExcelError, RuntimeError, ValueError) as error:
        raise Refused("bad_workbook", problem=_first_line(error)) from error
    unread = [part for part in parts if part.is_hidden and part not in wanted]
    notes = [Note("hidden_sheet", {"sheet": part.name, "count": _row_count(archive, part, options)}) for part in unread]
    if is_1904:
        notes.append(Note("days_from_1904", {}))
    sheets = [_sheet(reader, part, extents[part.name], is_1904, options) for part in wanted]
    return Opened("xlsx", [sheet for sheet in sheets if sheet.rows], notes=tuple(notes))


def _row_count(archive: zipfile.ZipFile, part: SheetPart, options: ReadOptions) -> str:
    """The rows of a sheet that is not read, its header among them; `?` where they are beyond counting."""
    try:
        return f"{measure(archive, part.path, options.limits).rows:,}"
    except Refused:
        return "?"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]


def _is_wanted(part: SheetPart, options: ReadOptions) -> bool:
    if options.sheets:
        return part.name in options.sheets
    return options.hidden_sheets or not part.is_hidden


def _sheet(reader: Any, part: SheetPart, extent: Extent, is_1904: bool, options: ReadOptions) -> Sheet:
    columns, errors = _values(reader, part, extent, is_1904)
    rows = len(columns[0]) if columns else 0
    head = [
        HeadRow(row + 1, row + 1, tuple(_cell(column[row].as_py()) for column in columns))
        for row in range(min(rows, HEAD_ROWS))
    ]
    merges = _merged_cells(extent, rows, len(columns))

    def read(header: Header) -> Iterator[Block]:
        filled = _fill_down(columns, merges, header, options.fill_down)
        done = {(cell.row, cell.column) for cell in filled}
        faults = [*errors, *_formulas(extent), *(cell for cell in merges if (cell.row, cell.column) not in done)]
        hidden = set() if options.hidden_rows else extent.hidden_rows
        for block in _blocks(columns if not filled else _filled(columns, filled), faults, header):
            yield _without(block, hidden)

    told = "hidden_rows" if options.hidden_rows else "hidden_rows_skipped"
    notes = [Note(told, {"sheet": part.name, "count": len(extent.hidden_rows)})] if extent.hidden_rows else []
    if extent.is_filtered:
        notes.append(Note("filtered", {"sheet": part.name}))
    if extent.hidden_columns:
        notes.append(Note("hidden_columns", {"sheet": part.name, "count": extent.hidden_columns}))
    return Sheet(part.name, head, read, rows, is_1904, notes=tuple(notes))


def _without(block: Block, hidden: set[int]) -> Block:
    """The block without the rows of those lines, which are counted as skipped."""
    keep = ~np.isin(block.lines, list(hidden)) if hidden else np.ones(len(block.lines), dtype=bool)
    if keep.all():
        return block
    kept = keep_rows(block, keep)
    kept.skipped["hidden_row"] += int((~keep).sum())
    return kept


def _cell(value: str | None) -> str | None:
    return value if value and value.strip() else None


def _values(reader: Any, part: SheetPart, extent: Extent, is_1904: bool) -> tuple[list[pa.Array], list[CellFault]]:
    """All cells as text columns from the sheet's first row and leftmost column on, and the error values in it."""
    try:
        sheet = reader.load_sheet(part.name, header_row=None, dtypes="string", skip_rows=0)
        if not sheet.width or not sheet.height:
            return [], []
        batch, found = sheet.to_arrow_with_errors()
    except (fastexcel.FastExcelError, RuntimeError, ValueError) as error:
        raise Refused("bad_workbook", problem=_first_line(error)) from error
    columns = [_tidy(pc.cast(column, pa.string()), is_1904) for column in batch.columns]
    columns = _exact_numbers(columns, extent)
    errors = [
        CellFault(error.position[0], error.position[1], "error_value", _error_name(error.detail))
        for error in (found.errors if found is not None else [])
    ]
    return columns, errors


def _error_name(detail: str) -> str:
    """`#N/A` for the reader's `Error(NA)`."""
    names = {
        "NA": "#N/A",
        "Ref": "#REF!",
        "Div0": "#DIV/0!",
        "Name": "#NAME?",
        "Null": "#NULL!",
        "Num": "#NUM!",
        "Value": "#VALUE!",
    }
    found = re.search(r"Error\((\w{1,20})\)", detail)
    return names.get(found.group(1), found.group(1)) if found else detail[:100]


def _tidy(column: pa.Array, is_1904: bool) -> pa.Array:
    """Days without a time, times without a day, seconds without the noise of a workbook's fractions."""
    if pc.any(pc.ends_with(column, _MIDNIGHT)).as_py():
        column = pc.replace_substring_regex(column, r"^(\d{4}-\d\d-\d\d) 00:00:00$", r"\1")
    if pc.any(pc.starts_with(column, _NO_DAY[is_1904])).as_py():
        column = pc.replace_substring_regex(column, f"^{_NO_DAY[is_1904]}", "")
    is_fraction = pc.fill_null(pc.match_substring_regex(column, _WITH_FRACTION), False)
    if pc.any(is_fraction).as_py():
        values = column.to_pylist()
        for row in np.flatnonzero(is_fraction.to_numpy(zero_copy_only=False)).tolist():
            values[row] = _rounded(values[row])
        column = pa.array(values, pa.string())
    return column


def _rounded(text: str) -> str:
    """A time to the second: a workbook keeps days as a double, whose last digits are noise."""
    whole, _, fraction = text.partition(".")
    moment = datetime.fromisoformat(whole) + timedelta(seconds=round(float(f"0.{fraction}")))
    return moment.isoformat(sep=" ")


def _exact_numbers(columns: list[pa.Array], extent: Extent) -> list[pa.Array]:
    """Long numbers by their shortest exact form: 914403007152673000, not the neighbour a double prints."""
    by_column: dict[int, dict[int, str]] = {}
    for (column, row), number in extent.long_numbers.items():
        by_column.setdefault(column - extent.first_column, {})[row - 1] = number
    exact = list(columns)
    for place, numbers in by_column.items():
        values = columns[place].to_pylist()
        for row, number in numbers.items():
            if row < len(values) and values[row] is not None and _IS_NUMBER.match(values[row]):
                values[row] = _shortest(number)
        exact[place] = pa.array(values, pa.string())
    return exact


def _shortest(number: str) -> str:
    """A double's shortest form; whole numbers in digits."""
    short = Decimal(repr(float(number)))
    if short == short.to_integral_value() and abs(short) < Decimal(10) ** 21:
        return str(int(short))
    return repr(float(number))


def _formulas(extent: Extent) -> list[CellFault]:
    return [
        CellFault(row - 1, column - extent.first_column, "formula_without_value")
        for column, row in extent.empty_formulas
    ]


def _merged_cells(extent: Extent, rows: int, width: int) -> list[CellFault]:
    """The cells that merging has emptied, each with the cell that has the value."""
    found: list[CellFault] = []
    for left, top, right, bottom in extent.merges:
        right, bottom = min(right, extent.first_column + width - 1), min(bottom, rows)
        if len(found) + (right - left + 1) * (bottom - top + 1) > MAX_MERGED_CELLS:
            raise Refused("too_many_merged", limit=MAX_MERGED_CELLS)
        fields = {"merged_with": f"{column_letters(left)}{top}", "top": top - 1, "left": left - extent.first_column}
        found += [
            CellFault(row - 1, column - extent.first_column, "merged_cell", None, fields)
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
            if (row, column) != (top, left)
        ]
    return found


def _fill_down(
    columns: list[pa.Array], merges: list[CellFault], header: Header, named: tuple[str, ...]
) -> list[CellFault]:
    """The emptied cells that the mapping wants filled from above."""
    wanted = {plain_header(name) for name in named}
    places = {place for place, name in enumerate(header.names) if name and plain_header(name) in wanted}
    return [cell for cell in merges if cell.column in places and cell.fields["left"] == cell.column]


def _filled(columns: list[pa.Array], cells: list[CellFault]) -> list[pa.Array]:
    values = {place: columns[place].to_pylist() for place in {cell.column for cell in cells}}
    for cell in cells:
        values[cell.column][cell.row] = values[cell.column][cell.fields["top"]]
    return [pa.array(values[place], pa.string()) if place in values else column for place, column in enumerate(columns)]


def _blocks(columns: list[pa.Array], cells: list[CellFault], header: Header) -> Iterator[Block]:
    """The rows below the header; the rows above it were counted by who looked for it."""
    begin, rows = header.last_line, len(columns[0])
    for start in range(begin, max(rows, begin + 1), BLOCK_ROWS):
        part = [column.slice(start, BLOCK_ROWS) for column in columns]
        lines = np.arange(start, start + len(part[0]), dtype=np.int64) + 1
        own = [replace(cell, row=cell.row - start) for cell in cells if start <= cell.row < start + len(part[0])]
        yield Block(part, lines, lines - begin, [], own, Counter())
