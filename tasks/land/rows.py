"""From rows of a sheet to rows of raw: emptied blanks, skipped totals, required values, hash, extra; columnar."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.land.corrections import unmarked
from tasks.land.entities import ROW_COLUMNS
from tasks.land.faults import Action, CellFault, Refused, RowFault
from tasks.land.headers import Reading, Understood
from tasks.land.sheets import Block, Header
from tasks.land.units import with_offsets, with_serials_of_1904, with_units

# The row hash keeps 128 bits of SHA-256: among 10^9 rows a chance of 10^-21 that two share one.
HASH_CHARACTERS = 32
_TOTAL = (
    r"(?i)^\s*(合\s*计|总\s*计|小\s*计|汇\s*总|共\s*计|总\s*数|totals?|grand totals?|subtotals?|sum)\s*"
    r"([(（][^()（）]{0,30}[)）])?\s*([:：]\s*[\d,.，]*)?\s*$"
)
_NOTE = (
    r"(?i)^\s*(共\s*[\d,，]+\s*(条|行|个|家|项|笔|人).{0,40}"
    r"|(数据来源|资料来源|来源|数据更新时间|更新时间|导出时间|导出日期|导出人|查询时间|截止日期|制表(人|时间|日期)?|填表人|审核人?"
    r"|备注|注|说明|声明|免责声明|版权所有)\s*[:：©].*|(以上|以下)(数据|信息|内容|空白).{0,100}|[-—=*_\s]{3,}"
    r"|第\s*\d+\s*页.{0,20}|页码.{0,20}|本(报告|数据|表|名单)(由|来自|仅供).{0,100}"
    r"|(source|data source|exported|exported (on|by)|generated|generated (on|by)|as of|report"
    r"|filtered by|notes?|disclaimer)\s*[:：].*"
    r"|(exported|generated) (on|by|from) .{0,100}|page \d+( of \d+)?|end of (report|file|data)"
    r"|copyright .{0,100}|©.{0,100}"
    r"|confidential information.{0,100}|(total|number of) (rows|records)\s*[:：].*|\d+ (rows|records).{0,20})\s*$"
)
_TOTAL_ROW, _NOTE_ROW = re.compile(_TOTAL), re.compile(_NOTE)
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
MOJIBAKE = ("锟斤拷", "\ufffd", "Ã©", "Ã¤", "â€", "鐢佃瘽", "鍏徃", "鏈夐檺")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cleaned:
    """A block without what is no record; `dropped` are refused for a reason no entity can change."""

    block: Block
    dropped: list[RowFault]


@dataclass(frozen=True)
class Shaped:
    """Rows of one entity, and the faults found on the way."""

    rows: pa.Table
    faults: list[RowFault]


def is_footer(cells: Sequence[str | None]) -> bool:
    """Whether a row is a total or a note below the table, not a record."""
    filled = [cell for cell in cells if cell and cell.strip()]
    if not filled:
        return False
    return bool(_TOTAL_ROW.match(filled[0])) or (len(filled) <= 2 and bool(_NOTE_ROW.match(filled[0])))


def clean_block(block: Block, header: Header, cell_characters: int) -> Cleaned:
    """Empty cells become null; blank rows, totals, notes and repeated headers are skipped by rule and counted."""
    columns = [_emptied(column) for column in block.columns]
    if not len(block.lines):
        return Cleaned(block, [])
    first = pc.coalesce(*columns)
    is_blank = pc.is_null(first).to_numpy(zero_copy_only=False)
    block = Block(columns, block.lines, block.records, block.faults, block.cells, block.skipped)
    skip = {
        "blank_row": is_blank,
        "footer_row": _footers(block, first),
        "repeated_header": _repeats(block, first, header),
    }
    left_out = np.zeros(len(block.lines), dtype=bool)
    skipped = Counter(block.skipped)
    for rule, mask in skip.items():
        skipped[rule] += int((mask & ~left_out).sum())
        left_out |= mask
    dropped = [] if left_out.all() else _unfit(block, header, cell_characters, left_out)
    refused = {fault.record for fault in dropped}
    if refused:
        left_out |= np.isin(block.records, list(refused))
    kept = keep_rows(Block(columns, block.lines, block.records, block.faults, block.cells, +skipped), ~left_out)
    return Cleaned(kept, dropped)


def _emptied(column: pa.Array) -> pa.Array:
    """The column with null for empty and for pure white space."""
    if not len(column):
        return column
    empty = pc.or_(pc.equal(pc.binary_length(column), 0), pc.utf8_is_space(column))
    if not pc.any(empty).as_py():
        return column
    return pc.if_else(empty, pa.scalar(None, column.type), column)


def _footers(block: Block, first: pa.Array) -> Mask:
    """Rows that `is_footer` knows; looked at one by one only where the first cell already fits."""
    either = pc.or_(pc.match_substring_regex(first, _TOTAL), pc.match_substring_regex(first, _NOTE))
    found = np.zeros(len(first), dtype=bool)
    for place in np.flatnonzero(pc.fill_null(either, False).to_numpy(zero_copy_only=False)).tolist():
        found[place] = is_footer([column[place].as_py() for column in block.columns])
    return found


def _repeats(block: Block, first: pa.Array, header: Header) -> Mask:
    """Rows that are the header once more, as concatenated files have."""
    found = np.zeros(len(first), dtype=bool)
    name = next((name for name in header.names if name), None)
    if name is None:
        return found
    alike = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(first), name), False).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(alike).tolist():
        cells = [column[place].as_py() for column in block.columns]
        found[place] = all(
            (cell or "").strip() == (name or "") for cell, name in zip(cells, header.names, strict=False)
        )
    return found


def _unfit(block: Block, header: Header, cell_characters: int, left_out: Mask) -> list[RowFault]:
    """Rows with a control character or a cell beyond the limit."""
    faults: dict[int, RowFault] = {}
    for place, column in enumerate(block.columns):
        too_long = (
            _where(pc.greater(pc.utf8_length(column), cell_characters)) if _holds(column, cell_characters) else []
        )
        control = _where(pc.match_substring_regex(column, _CONTROL)) if _has_control(column) else []
        for rule, rows in (("control_character", control), ("cell_too_long", too_long)):
            for row in rows:
                if not left_out[row] and row not in faults:
                    line, record = int(block.lines[row]), int(block.records[row])
                    faults[row] = RowFault(
                        "reject_row", rule, line, record, None, header.names[place], column[row].as_py(),
                        {"line": line, "limit": cell_characters}, raw_row(block, header, row),
                    )  # fmt: skip
    return list(faults.values())


def _where(mask: pa.Array) -> list[int]:
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False)).tolist()


def _text_bytes(column: pa.Array) -> NDArray[np.uint8]:
    """The bytes of all values of a string array, without copying."""
    offsets, data = column.buffers()[1], column.buffers()[2]
    if data is None or not len(column):
        return np.zeros(0, dtype=np.uint8)
    places = np.frombuffer(offsets, dtype=np.int32, count=len(column) + 1, offset=column.offset * 4)
    return np.frombuffer(data, dtype=np.uint8)[places[0] : places[-1]]


def _has_control(column: pa.Array) -> bool:
    found = _text_bytes(column)
    low = found[found < 32]
    return bool(((low != 9) & (low != 10) & (low != 13)).any())


def _holds(column: pa.Array, cell_characters: int) -> bool:
    longest = pc.max(pc.binary_length(column)).as_py()
    return longest is not None and longest > cell_characters


def raw_row(block: Block, header: Header, row: int) -> str:
    """A row as JSON, header → value, as received; doubled or blank headers get their position."""
    cells: dict[str, str] = {}
    for place, column in enumerate(block.columns):
        value = column[row].as_py()
        if value is not None:
            name = header.names[place] or f"({place + 1})"
            cells[name if name not in cells else f"{name} ({place + 1})"] = value
    return json.dumps(cells, ensure_ascii=False)


def keep_rows(block: Block, mask: Mask) -> Block:
    """Only those rows, the cells' places moved along."""
    if mask.all():
        return block
    moved = np.cumsum(mask) - 1
    cells = [
        CellFault(int(moved[cell.row]), cell.column, cell.rule, cell.value, cell.fields)
        for cell in block.cells
        if mask[cell.row]
    ]
    chosen = pa.array(mask)
    columns = [column.filter(chosen) for column in block.columns]
    return Block(columns, block.lines[mask], block.records[mask], block.faults, cells, block.skipped)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """A small engine for hashing and JSON: in memory, without access to files."""
    return duckdb.connect(config={"threads": 2, "enable_external_access": False})


class Shaper:
    """Makes rows of one entity from cleaned blocks of one sheet."""

    def __init__(
        self, header: Header, reading: Reading, understood: Understood, sheet: str | None, is_1904: bool = False
    ) -> None:  # fmt: skip
        self.header, self.reading, self.understood, self.sheet = header, reading, understood, sheet
        days = [column.name for column in reading.of.columns if column.type in ("date", "time")]
        self.zoned = [understood.columns[name] for name in days if reading.timezone and name in understood.columns]
        self.serials = [understood.columns[name] for name in days if is_1904 and name in understood.columns]
        self.sql = self._select()

    def shape(self, block: Block) -> Shaped:
        """Rows of raw (see ROW_COLUMNS) and the faults of the others, by the rules of the entity and the mapping."""
        self._refuse_blank_headers(block)
        received = unmarked(block.columns, self.understood.extra.values())
        columns = with_serials_of_1904(with_units(received, self.understood.units), self.serials)
        columns = with_offsets(columns, self.zoned, self.reading.timezone or "UTC")
        block = replace(block, columns=columns)
        rows = self._rows(block)
        faults: dict[int, RowFault] = {}
        self._find_missing(rows, faults)
        notes = self._judge_cells(block, rows, faults)
        notes += self._flag_mojibake(rows, faults)
        if faults:
            faults = {row: self._with_row(fault, block, rows, row) for row, fault in faults.items()}
            mask = np.ones(rows.num_rows, dtype=bool)
            mask[list(faults)] = False
            rows = rows.filter(pa.array(mask))
        return Shaped(rows, [*faults.values(), *notes])

    def _rows(self, block: Block) -> pa.Table:
        """The block under the registry's names, with what every row bears; columns that nothing fills are left out."""
        known, sequence = self.understood.columns, self.understood.sequence
        made = self._hashed(block)
        columns: dict[str, pa.Array] = {}
        for column in self.reading.of.column_names:
            if column in known:
                columns[column] = block.columns[known[column]]
            elif column in self.reading.constants:
                columns[column] = pa.repeat(self.reading.constants[column], len(block.lines))
        if self.understood.extra:
            columns["extra"] = made["extra"].combine_chunks()
        if self.sheet is not None:
            columns["sheet"] = pa.repeat(self.sheet, len(block.lines))
        columns |= {"line": pa.array(block.lines), "record": pa.array(block.records)}
        columns["row_hash"] = made["row_hash"].combine_chunks()
        if sequence is not None:
            columns["sequence"] = block.columns[sequence]
        return pa.table(columns)

    def _hashed(self, block: Block) -> pa.Table:
        """The columns that are made of the others, in the block's order: extra as JSON, the hash of the row."""
        named = {f"c{place}": column for place, column in enumerate(block.columns)}
        received = pa.table({**named, "place": pa.array(np.arange(len(block.lines)))})
        con = engine()
        con.register("received", received)
        made = con.sql(self.sql).to_arrow_table()
        con.unregister("received")
        if not made["place"].equals(pa.chunked_array([received["place"].combine_chunks()])):
            made = made.sort_by("place")
        return made

    def _select(self) -> str:
        """The SELECT of what is made of received values: extra as JSON, the hash of all that the registry names."""
        reading, known = self.reading, self.understood.columns
        used = [column for column in reading.of.column_names if column in known or column in reading.constants]
        extras = sorted(self.understood.extra.items(), key=lambda item: (item[1], item[0]))
        parts = [
            f"{_text(json.dumps(label, ensure_ascii=False) + ':')} || to_json(c{place})" for place, label in extras
        ]
        extra = f"nullif('{{' || concat_ws(',', {', '.join(parts)}) || '}}', '{{}}')" if parts else "null::varchar"
        named = [f"'{column}=' || {self._value(column)}" for column in used]
        hashed = ", ".join([f"'{reading.entity}'", *named, "'extra=' || extra"])
        return (
            f"with kept as (select *, {extra} as extra from received) "
            f"select place, extra, left(sha256(concat_ws(chr(31), {hashed})), {HASH_CHARACTERS}) as row_hash from kept"
        )

    def _value(self, column: str) -> str:
        if column in self.understood.columns:
            return f"c{self.understood.columns[column]}"
        return _text(self.reading.constants.get(column))

    def _refuse_blank_headers(self, block: Block) -> None:
        filled = [place for place in self.understood.blank if block.columns[place].null_count < len(block.lines)]
        if filled:
            positions = ", ".join(str(place + 1) for place in filled)
            raise Refused("blank_headers", positions=positions, line=self.header.last_line)

    def _find_missing(self, rows: pa.Table, faults: dict[int, RowFault]) -> None:
        """Rows without a value their entity cannot live without."""
        for column in self.reading.required:
            missing = pc.is_null(_column(rows, column))
            if pc.any(missing).as_py():
                for row in _where(missing):
                    faults.setdefault(
                        row, self._place(rows, row, "missing_value", self._name(column), {"column": column})
                    )
        for group in self.reading.of.one_of:
            missing = pc.is_null(pc.coalesce(*[_column(rows, column) for column in group]))
            if pc.any(missing).as_py():
                fields = {"columns": ", ".join(group)}
                for row in _where(missing):
                    faults.setdefault(row, self._place(rows, row, "missing_one_of", None, fields))

    def _judge_cells(self, block: Block, rows: pa.Table, faults: dict[int, RowFault]) -> list[RowFault]:
        """A cell at fault refuses its row where its column must be there; elsewhere it is empty and noted."""
        notes: list[RowFault] = []
        by_place = {place: column for column, place in self.understood.columns.items()}
        groups = {column for group in self.reading.of.one_of for column in group}
        for cell in block.cells:
            column = by_place.get(cell.column)
            name = self.header.names[cell.column] if cell.column < len(self.header.names) else None
            place = replace(self._place(rows, cell.row, cell.rule, name, cell.fields), value=cell.value)
            if column in self.reading.required or (cell.row in faults and column in groups):
                faults[cell.row] = place
            elif cell.row not in faults:
                notes.append(_noted(place, "null_value", rows["row_hash"][cell.row].as_py()))
        return [note for note in notes if note.record not in {fault.record for fault in faults.values()}]

    def _flag_mojibake(self, rows: pa.Table, faults: dict[int, RowFault]) -> list[RowFault]:
        """Values that were broken before they came to us: kept, but flagged, for no name of that kind may be a key."""
        notes: list[RowFault] = []
        for column in self.understood.columns:
            values = rows[column].combine_chunks()
            found = _text_bytes(values)
            if not len(found) or found.max() < 128:
                continue
            text = found.tobytes()
            marks = [mark for mark in MOJIBAKE if mark.encode() in text]
            hit = {row for mark in marks for row in _where(pc.match_substring(values, mark))} - set(faults)
            for row in sorted(hit):
                place = self._place(rows, row, "mojibake", self._name(column), {})
                notes.append(_noted(replace(place, value=values[row].as_py()), "flag", rows["row_hash"][row].as_py()))
        return notes

    def _place(self, rows: pa.Table, row: int, rule: str, column: str | None, fields: dict[str, Any]) -> RowFault:
        line, record = rows["line"][row].as_py(), rows["record"][row].as_py()
        return RowFault("reject_row", rule, line, record, self.sheet, column, fields={**fields, "line": line})

    def _with_row(self, fault: RowFault, block: Block, rows: pa.Table, row: int) -> RowFault:
        received, row_hash = raw_row(block, self.header, row), rows["row_hash"][row].as_py()
        return replace(fault, raw_row=received, row_hash=row_hash)

    def _name(self, column: str) -> str:
        """The header a canonical column was read from."""
        place = self.understood.columns.get(column)
        return str(self.header.names[place] or place + 1) if place is not None else column


def _noted(place: RowFault, action: Action, row_hash: str) -> RowFault:
    return replace(place, action=action, row_hash=row_hash)


def _text(value: str | None) -> str:
    """A SQL text literal."""
    return "null::varchar" if value is None else "'" + value.replace("'", "''") + "'"


def _column(rows: pa.Table, name: str) -> pa.Array:
    """A column's values; nulls where nothing fills it."""
    return rows[name].combine_chunks() if name in rows.column_names else pa.nulls(rows.num_rows, pa.string())


def raw_schema(reading: Reading, understood: Sequence[Understood], sheets: Sequence[str | None]) -> pa.Schema:
    """The columns of an entity's file in the raw store: those that one of its sheets fills."""
    filled = {"line", "record", "row_hash", *reading.constants, *(name for each in understood for name in each.columns)}
    filled |= {"extra"} if any(each.extra for each in understood) else set()
    filled |= {"sheet"} if any(sheets) else set()
    filled |= {"sequence"} if any(each.sequence is not None for each in understood) else set()
    names = [name for name in (*reading.of.column_names, *ROW_COLUMNS) if name in filled]
    return pa.schema([(name, pa.int64() if name in ("line", "record") else pa.string()) for name in names])
