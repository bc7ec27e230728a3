"""A second table below the first, under a title and header of its own: where it begins, the first has ended."""

import re
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.land.entities import plain_header
from tasks.land.rows import keep_rows
from tasks.land.sheets import Block

OTHER_TABLE = "other_table"
_FIRST_CELL = re.compile(r'^\s*"?([^,;\t|"]{1,100})"?\s*(?:[,;\t|].*)?$', re.DOTALL)


def other_table_line(block: Block, titles: Collection[str]) -> int | None:
    """The first line of a block that has one of these titles and nothing else; None where there is none.

    `titles` as `plain_header` spells them. In text such a line is too short to be a record and stands among the faults.
    """
    found = [fault.line for fault in block.faults if fault.rule == "ragged" and _is_title(fault.value, titles)]
    if len(block.lines) and len(block.columns) > 1:
        filled = [pc.fill_null(pc.greater(pc.utf8_length(column), 0), False) for column in block.columns[1:]]
        alone = ~np.logical_or.reduce([mask.to_numpy(zero_copy_only=False) for mask in filled])
        first = block.columns[0].filter(pa.array(alone)).to_pylist()
        lines = block.lines[alone].tolist()
        found += [line for line, cell in zip(lines, first, strict=True) if _is_title(cell, titles)]
    return min((line for line in found if line is not None), default=None)


def without_other_table(block: Block, begins: int) -> Block:
    """The block without what stands on that line and below it, which is counted as skipped by rule."""
    mask = block.lines < begins
    faults = [fault for fault in block.faults if fault.line is None or fault.line < begins]
    skipped = block.skipped.copy()
    skipped[OTHER_TABLE] += int((~mask).sum()) + len(block.faults) - len(faults)
    kept = keep_rows(block, mask)
    return Block(kept.columns, kept.lines, kept.records, faults, kept.cells, skipped)


def _is_title(text: str | None, titles: Collection[str]) -> bool:
    cell = _FIRST_CELL.match(text or "")
    return cell is not None and plain_header(cell[1]) in titles and not re.search(r"\w", (text or "")[cell.end(1) :])
