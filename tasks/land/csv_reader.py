"""Delimited text: encoding, delimiter and quoting proven first, then read column by column."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from tasks.land.csv_index import MAX_RECORD_BYTES, Index, Mask, index_block
from tasks.land.encodings import BadLine, Decoded, decode
from tasks.land.faults import Refused, RowFault, text_row
from tasks.land.rows import is_footer
from tasks.land.sheets import HEAD_ROWS, Block, Header, HeadRow, Note, Opened, ReadOptions, Sheet, merge_blocks

DELIMITERS = (",", "\t", ";", "|", "，")
# A one-byte stand-in for delimiters that are several bytes in UTF-8; not allowed in cells (a control character).
STAND_IN = "\x1f"
HEAD_BYTES = 200_000
BLOCK_BYTES = 16_000_000
# After a broken quote the next block is small again, so that many broken lines cost little each.
RESUME_BYTES = 64_000
MERGED_ROWS = 100_000


def open_csv(raw: bytes, options: ReadOptions) -> Opened:
    """A delimited text. Raises Refused where it is empty or its encoding or delimiter cannot be told."""
    if not raw:
        raise Refused("empty_file")
    decoded = decode(raw, options.encoding)
    if not decoded.data.strip():
        raise Refused("blank_file")
    delimiter, head = _dialect(decoded.data, options)
    text = _TextFile(decoded, delimiter)
    notes = [Note("inner_bom", {"count": decoded.inner_boms})] if decoded.inner_boms else []
    return Opened(
        format="csv" if delimiter != "\t" else "tsv",
        sheets=[Sheet(None, head, text.blocks)],
        encoding=decoded.encoding,
        confidence=decoded.confidence,
        dialect={"delimiter": delimiter, "quote": '"'},
        notes=tuple(notes),
    )


def _dialect(data: bytes, options: ReadOptions) -> tuple[str, list[HeadRow]]:
    """The delimiter under which a row means most as a header; where none means anything, the one that splits most."""
    text = data[:HEAD_BYTES].decode("utf-8", errors="ignore")
    candidates = [options.delimiter] if options.delimiter else [each for each in DELIMITERS if each in text]
    heads = {each: _head(text, each) for each in candidates or [","]}
    best = max(heads, key=lambda each: _merit(heads[each], options))
    return best, heads[best]


def _merit(head: list[HeadRow], options: ReadOptions) -> tuple[int, int, int]:
    known = max((options.known(row.cells) for row in head), default=0)
    widths = Counter(len(row.cells) for row in head if any(row.cells))
    width, times = widths.most_common(1)[0] if widths else (1, 0)
    return known, times if width > 1 else 0, width


def _head(text: str, delimiter: str) -> list[HeadRow]:
    """The first rows, read leniently: only to find delimiter and header in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[HeadRow] = []
    line = 0
    try:
        for cells in reader:
            rows.append(HeadRow(line + 1, reader.line_num, tuple(cell if cell.strip() else None for cell in cells)))
            line = reader.line_num
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:  # a cell above the csv module's own limit: what was read until then will do
        return rows
    return rows


@dataclass(frozen=True)
class _Place:
    """Where the reading stands: offset, physical lines and records before it."""

    offset: int
    lines: int
    records: int


class _TextFile:
    """The records of a decoded text below its header."""

    def __init__(self, decoded: Decoded, delimiter: str) -> None:
        self.bad_lines = {bad.line: bad for bad in decoded.bad_lines}
        self.data = decoded.data
        if len(delimiter.encode("utf-8")) > 1:
            self.data, delimiter = _with_stand_in(decoded.data, delimiter), STAND_IN
        self.delimiter = delimiter

    def blocks(self, header: Header) -> Iterator[Block]:
        """The rows below the header, in blocks of some size: after broken quotes the pieces proven are small."""
        waiting: list[Block] = []
        for block in self._pieces(header):
            waiting.append(block)
            if sum(len(each.lines) for each in waiting) >= MERGED_ROWS:
                yield merge_blocks(waiting)
                waiting = []
        if waiting:
            yield merge_blocks(waiting)

    def _pieces(self, header: Header) -> Iterator[Block]:
        width = len(header.names)
        place = _Place(_offset_of_line(self.data, header.last_line), header.last_line, 0)
        size = BLOCK_BYTES
        while place.offset < len(self.data):
            index = index_block(self.data, place.offset, size, ord(self.delimiter), width)
            if not len(index.starts) and index.fault is None:
                size *= 2
                continue
            block = self._block(index, place, width)
            place = _Place(index.stop, place.lines + index.stop_lines, place.records + len(index.starts))
            if index.fault:
                block, place = self._past_fault(block, index.fault, place)
                size = RESUME_BYTES
            else:
                size = min(BLOCK_BYTES, size * 2)
            yield block

    def _past_fault(self, block: Block, rule: str, place: _Place) -> tuple[Block, _Place]:
        """The block with the line of the broken quote refused, and the place of the next line."""
        end = _line_end(self.data, place.offset)
        line = self.data[place.offset : end].decode("utf-8").rstrip("\r\n")
        fault = RowFault(
            "reject_row", rule, place.lines + 1, place.records + 1,
            value=line, fields={"line": place.lines + 1}, raw_row=text_row(self._shown(line)),
        )  # fmt: skip
        block.faults.append(fault)
        return block, _Place(end, place.lines + 1, place.records + 1)

    def _block(self, index: Index, place: _Place, width: int) -> Block:
        lines = index.lines + place.lines + 1
        records = np.arange(1, len(index.starts) + 1) + place.records
        is_blank = index.ends == index.starts
        is_good: Mask = (index.cells == width) & ~index.control & ~is_blank
        faults, skipped = self._left_out(index, place, np.flatnonzero(~is_good), width)
        columns = self._read(index, place, is_good, width)
        return Block(columns, lines[is_good], records[is_good], faults, [], skipped)

    def _left_out(
        self, index: Index, place: _Place, which: "np.ndarray", width: int
    ) -> tuple[list[RowFault], Counter[str]]:
        """The records that are no rows: refused with their reason, or skipped by rule."""
        faults: list[RowFault] = []
        skipped: Counter[str] = Counter()
        for number in which.tolist():
            line, record = int(index.lines[number]) + place.lines + 1, number + place.records + 1
            start, end = place.offset + int(index.starts[number]), place.offset + int(index.ends[number])
            text = self.data[start:end].decode("utf-8")
            bad = self.bad_lines.get(line)
            if bad is not None:
                faults.append(_bad_line(bad, record))
            elif index.control[number]:
                faults.append(self._fault("control_character", line, record, text, {"line": line}))
            elif not text.strip():
                skipped["blank_row"] += 1
            elif is_footer(next(csv.reader([text], delimiter=self.delimiter), [])):
                skipped["footer_row"] += 1
            else:
                found = int(index.cells[number])
                faults.append(
                    self._fault("ragged", line, record, text, {"line": line, "expected": width, "found": found})
                )
        return faults, skipped

    def _fault(self, rule: str, line: int, record: int, text: str, fields: dict[str, int]) -> RowFault:
        return RowFault(
            "reject_row", rule, line, record, value=text, fields=fields, raw_row=text_row(self._shown(text))
        )

    def _shown(self, text: str) -> str:
        return text.replace(STAND_IN, "，") if self.delimiter == STAND_IN else text

    def _read(self, index: Index, place: _Place, is_good: Mask, width: int) -> list[pa.Array]:
        """The good records' cells as columns. The index has proven their form, so that any reader reads the same."""
        data = _keep(self.data, place.offset, index, is_good)
        if not data:
            return [pa.array([], pa.string())] * width
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(column_names=[str(each) for each in range(width)], block_size=max(len(data) + 1, 1024)),
            pa_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=False),
            pa_csv.ConvertOptions(
                column_types={str(each): pa.string() for each in range(width)},
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        if table.num_rows != int(is_good.sum()):
            raise AssertionError(f"{table.num_rows} rows read of {int(is_good.sum())} records proven")
        return [column.combine_chunks() for column in table.columns]


def _keep(data: bytes, offset: int, index: Index, is_good: Mask) -> pa.Buffer:
    """The bytes of the good records, each with its line end."""
    stops = np.append(index.starts[1:], index.stop - offset) if len(index.starts) else index.starts
    if is_good.all():
        return pa.py_buffer(data)[offset : index.stop] if len(index.starts) else pa.py_buffer(b"")
    change = np.zeros(index.stop - offset + 1, dtype=np.int8)
    np.add.at(change, index.starts[is_good], 1)
    np.add.at(change, stops[is_good], -1)
    block = np.frombuffer(data, dtype=np.uint8, count=index.stop - offset, offset=offset)
    return pa.py_buffer(block[np.cumsum(change[:-1]).astype(bool)].tobytes())


def _bad_line(bad: BadLine, record: int) -> RowFault:
    fields = {"line": bad.line, "byte": bad.byte}
    return RowFault(
        "reject_row", "mixed_encoding", bad.line, record, value=bad.raw, fields=fields, raw_row=text_row(bad.raw)
    )


def _with_stand_in(data: bytes, delimiter: str) -> bytes:
    """The text with that delimiter outside quotes replaced by the stand-in."""
    if STAND_IN.encode() in data:
        raise Refused("control_in_file", character="U+001F")
    parts = data.split(b'"')
    wide, narrow = delimiter.encode("utf-8"), STAND_IN.encode("utf-8")
    return b'"'.join(part.replace(wide, narrow) if place % 2 == 0 else part for place, part in enumerate(parts))


def _line_end(data: bytes, offset: int) -> int:
    """The offset after the line that begins at `offset`; a line ends with CR, LF or both."""
    feed = data.find(b"\n", offset, offset + MAX_RECORD_BYTES)
    feed = feed if feed >= 0 else min(len(data), offset + MAX_RECORD_BYTES)
    turn = data.find(b"\r", offset, feed)
    if turn >= 0 and turn + 1 != feed:
        return turn + 1
    return min(feed + 1, len(data))


def _offset_of_line(data: bytes, lines: int) -> int:
    """The offset after that many lines."""
    offset = 0
    for _ in range(lines):
        offset = _line_end(data, offset)
    return offset
