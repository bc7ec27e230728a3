"""What every reader gives: sheets with a head to find the header in, and blocks of rows as text columns."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.land.faults import CellFault, RowFault

HEAD_ROWS = 40
BLOCK_ROWS = 200_000


@dataclass(frozen=True)
class HeadRow:
    """One of the first rows. `line` its first physical line, `last_line` its last, from 1."""

    line: int
    last_line: int
    cells: tuple[str | None, ...]


@dataclass(frozen=True)
class Header:
    """The header found: the names in order, and the physical lines it takes."""

    names: tuple[str | None, ...]
    first_line: int
    last_line: int


@dataclass(frozen=True)
class Block:
    """Rows of a sheet: one text column per header cell, null where empty; with what was left out of them.

    `lines` physical lines, `records` numbers below the header, both from 1. `faults` are records that could not be
    split into cells, `cells` the cells that cannot be taken, `skipped` counts records left out by rule.
    """

    columns: list[pa.Array]
    lines: NDArray[np.int64]
    records: NDArray[np.int64]
    faults: list[RowFault] = field(default_factory=list)
    cells: list[CellFault] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def records_in(self) -> int:
        """All records the block stands for."""
        return len(self.lines) + len(self.faults) + sum(self.skipped.values())


def merge_blocks(blocks: list[Block]) -> Block:
    """Blocks of one sheet, one after the other, as one."""
    if len(blocks) == 1:
        return blocks[0]
    starts = np.cumsum([0, *(len(block.lines) for block in blocks)])
    moved = [
        replace(cell, row=cell.row + int(start))
        for block, start in zip(blocks, starts, strict=False)
        for cell in block.cells
    ]
    return Block(
        columns=[pa.concat_arrays(column) for column in zip(*(block.columns for block in blocks), strict=True)],
        lines=np.concatenate([block.lines for block in blocks]),
        records=np.concatenate([block.records for block in blocks]),
        faults=[fault for block in blocks for fault in block.faults],
        cells=moved,
        skipped=sum((block.skipped for block in blocks), Counter()),
    )


@dataclass(frozen=True)
class Note:
    """Something worth telling about a file that was not refused: message `land_note_<code>`."""

    code: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """One table of a file. `read` gives the blocks below a header."""

    name: str | None
    head: list[HeadRow]
    read: Callable[[Header], Iterator[Block]]
    rows: int | None = None
    is_1904: bool = False  # days in it count from 1904, also where a cell shows only their number
    is_typed: bool = False  # JSON and Parquet: the names are keys, there is no header row to look for
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A file understood: its format and the sheets in it."""

    format: str
    sheets: list[Sheet]
    encoding: str | None = None
    confidence: float | None = None
    dialect: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """What config/sources.yaml and the registry say about reading a file.

    `known` tells how many cells of a row are headers that mean something; it decides between delimiters and rows.
    """

    known: Callable[[tuple[str | None, ...]], int]
    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    hidden_sheets: bool = False
    hidden_rows: bool = True
    header_row: int | None = None
    fill_down: tuple[str, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)


def with_title_rows(sheet: Sheet, header: Header) -> Iterator[Block]:
    """The blocks of a sheet, the rows above its header counted into the first as skipped by rule."""
    above = Counter(
        "title_row" if any(row.cells) else "blank_row"
        for row in sheet.head
        if row.last_line < header.first_line and not sheet.is_typed
    )
    for number, block in enumerate(sheet.read(header)):
        if number == 0:
            block.skipped.update(above)
        yield block
