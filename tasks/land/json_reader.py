"""JSON arrays and NDJSON: every number as it was written, doubled keys and broken lines refused with their place."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tasks.land.encodings import decode
from tasks.land.faults import CellFault, Refused, RowFault, text_row
from tasks.land.sheets import BLOCK_ROWS, Block, Header, HeadRow, Opened, ReadOptions, Sheet

_SPACE = re.compile(r"[\s,]*")
_LIST_KEYS = ("data", "records", "rows", "items", "results", "list", "value")


class _Number(str):
    """A number as it was written: integers above 2^53 and trailing zeros stay what they are."""


class _NotANumber(str):
    """NaN or Infinity, which JSON has not."""


_TEXTS = {str, _Number, type(None)}


class _Record(dict[str, Any]):
    """An object; remembers a key that was given twice."""

    doubled: str | None = None


def _record(pairs: list[tuple[str, Any]]) -> _Record:
    record = _Record(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        record.doubled = next(key for key in keys if keys.count(key) > 1)
    return record


class _Placed(NamedTuple):
    """A record with its number and the physical line it begins on, both from 1."""

    number: int
    line: int
    record: _Record


_DECODER = json.JSONDecoder(
    object_pairs_hook=_record, parse_int=_Number, parse_float=_Number, parse_constant=_NotANumber
)


def open_json(raw: bytes, options: ReadOptions) -> Opened:
    """A JSON array of objects, an object holding one, or one object a line. Raises Refused for anything else."""
    if not raw:
        raise Refused("empty_file")
    decoded = decode(raw, options.encoding)
    text = decoded.data.decode("utf-8")
    if not text.strip():
        raise Refused("blank_file")
    is_lines = not text.lstrip().startswith("[") and _first_line_is_object(text)
    try:
        records, faults = _lines(text) if is_lines else (_array(text), [])
        _refuse_depth(records, options.limits["json_depth"])
    except RecursionError as error:
        raise Refused("json_too_deep", limit=options.limits["json_depth"]) from error
    if not records and not faults:
        raise Refused("no_rows")
    names = list(dict.fromkeys(key for _, _, record in records for key in record))
    if len(names) > options.limits["columns"]:
        raise Refused("too_many_columns", found=len(names), limit=options.limits["columns"])
    if len(records) > options.limits["rows"]:
        raise Refused("too_many_rows", found=len(records), limit=options.limits["rows"])

    def read(header: Header) -> Iterator[Block]:
        yield from _blocks(records, faults, [str(name) for name in names])

    return Opened(
        format="ndjson" if is_lines else "json",
        sheets=[Sheet(None, [HeadRow(0, 0, tuple(names))], read, is_typed=True)],
        encoding=decoded.encoding,
        confidence=decoded.confidence,
    )


def _refuse_depth(records: list[_Placed], limit: int) -> None:
    """Raises Refused for a value nested deeper than a table's may be; a record itself is depth 1."""
    level = [value for placed in records for value in placed.record.values() if isinstance(value, (dict, list))]
    depth = 1
    while level:
        depth += 1
        if depth > limit:
            raise Refused("json_too_deep", limit=limit)
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]


def _first_line_is_object(text: str) -> bool:
    """Whether the first line is a whole object with nothing that belongs to it below."""
    try:
        value, end = _DECODER.raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return "\n{" in text
    rest = text.lstrip()[end:]
    if not isinstance(value, dict):
        return False
    return bool(rest.strip()) or not any(isinstance(each, list) for each in value.values())


def _lines(text: str) -> tuple[list[_Placed], list[RowFault]]:
    """One object a line; a line that is none is refused, the others live."""
    records: list[_Placed] = []
    faults: list[RowFault] = []
    pieces = [(line, piece) for line, piece in enumerate(text.split("\n"), start=1) if piece.strip()]
    for number, (line, piece) in enumerate(pieces, start=1):
        try:
            value = _DECODER.decode(piece)
            problem = None if isinstance(value, _Record) else "not an object"
        except ValueError as error:
            value, problem = None, str(error)
        if problem is not None:
            fields = {"line": line, "problem": problem}
            faults.append(
                RowFault("reject_row", "bad_json", line, number, value=piece, fields=fields, raw_row=text_row(piece))
            )
        else:
            records.append(_Placed(number, line, value))
    return records, faults


def _array(text: str) -> list[_Placed]:
    """The objects of an array with the physical line each begins on."""
    begin = _begin_of_array(text)
    records: list[_Placed] = []
    at, line, counted = begin, 1, 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        line, counted = line + text.count("\n", counted, at), at
        if at >= len(text):
            raise Refused("bad_json_file", line=line, problem="the array is not closed")
        if text[at] == "]":
            return records
        try:
            value, at = _DECODER.raw_decode(text, at)
        except ValueError as error:
            raise Refused("bad_json_file", line=line, problem=str(error)) from error
        if not isinstance(value, _Record):
            raise Refused("bad_json_file", line=line, problem="an item of the array is not an object")
        records.append(_Placed(len(records) + 1, line, value))


def _begin_of_array(text: str) -> int:
    """The place after the `[` of the array of records: the file's own, or that of an object's one known list."""
    start = len(text) - len(text.lstrip())
    if text[start] == "[":
        return start + 1
    for key in _LIST_KEYS:
        found = re.search(rf'"{key}"\s{{0,20}}:\s{{0,20}}\[', text[:100_000])
        if found:
            return found.end()
    raise Refused("json_no_records", keys=", ".join(_LIST_KEYS))


def _blocks(records: list[_Placed], faults: list[RowFault], names: list[str]) -> Iterator[Block]:
    left = faults
    for begin in range(0, max(1, len(records)), BLOCK_ROWS):
        part = records[begin : begin + BLOCK_ROWS]
        good = [placed for placed in part if placed.record.doubled is None]
        cells: list[CellFault] = []
        columns = [
            _column([placed.record.get(name) for placed in good], place, cells) for place, name in enumerate(names)
        ]
        numbers = np.array([placed.number for placed in good], dtype=np.int64)
        lines = np.array([placed.line for placed in good], dtype=np.int64)
        doubled = [_doubled(placed) for placed in part if placed.record.doubled is not None]
        yield Block(columns, lines, numbers, [*left, *doubled], cells, Counter())
        left = []


def _column(values: list[Any], place: int, cells: list[CellFault]) -> pa.Array:
    """A column as text; value by value only where something else than texts and numbers is in it."""
    if not set(map(type, values)) <= _TEXTS:
        values = [_text(value, (row, place), cells) for row, value in enumerate(values)]
    return pa.array(values, pa.string())


def _doubled(placed: _Placed) -> RowFault:
    key = placed.record.doubled
    fields = {"line": placed.line, "key": key}
    shown = json.dumps(placed.record, ensure_ascii=False)
    return RowFault("reject_row", "duplicate_key", placed.line, placed.number, column=key, fields=fields, raw_row=shown)


def _text(value: Any, at: tuple[int, int], cells: list[CellFault]) -> str | None:
    """A value as text: strings and numbers as written, true and false, anything nested as JSON."""
    if value is None:
        return None
    if isinstance(value, _NotANumber):
        cells.append(CellFault(*at, "not_a_number", str(value)))
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
