"""Cells that hold several values: taken apart into pieces, and put together again one row per cell."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]
# What stands between the pieces of a cell once the parsers have found the separators: no clean text holds it.
BREAK = "\n"


def split_cells(text: pa.Array) -> tuple[pa.Array, Rows]:
    """The pieces of each cell between its BREAKs, in order, and the row of each one's cell; empty ones are left out."""
    lists = pc.split_pattern(text, BREAK)
    pieces = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    rows = pc.list_parent_indices(lists)
    filled = pc.not_equal(pieces, "")
    return pieces.filter(filled), rows.filter(filled).to_numpy(zero_copy_only=False).astype(np.int64)


def join_cells(parsed: pa.Table, rows: Rows, good: str, part_refused: str, cells: int) -> tuple[pa.Table, pa.ListArray]:
    """One row per cell from its pieces: the first whose column `good` is filled, else the first; and all good values.

    `rows` gives the cell of each piece, ascending; `parsed` has a column `rule`. Where a cell has good and refused
    pieces, its rule is `part_refused`. Cells without pieces are rows of nulls.
    """
    values = parsed[good].combine_chunks()
    kept = values.is_valid().to_numpy(zero_copy_only=False)
    chosen = np.full(cells, -1, dtype=np.int64)
    _first_of(rows, np.arange(len(rows)), chosen)
    _first_of(rows[kept], np.flatnonzero(kept), chosen)
    joined = parsed.take(pa.array(chosen, mask=chosen < 0))
    has_good, has_refused = np.zeros(cells, dtype=bool), np.zeros(cells, dtype=bool)
    has_good[rows[kept]] = True
    has_refused[rows[~kept]] = True
    mixed = pa.array(has_good & has_refused)
    rule = pc.if_else(mixed, part_refused, joined["rule"].combine_chunks())
    joined = joined.set_column(joined.column_names.index("rule"), "rule", rule)
    return joined, _lists(values.filter(pa.array(kept)), rows[kept], cells)


def _first_of(rows: Rows, pieces: Rows, chosen: Rows) -> None:
    """Note for each cell the first of these pieces."""
    cells, places = np.unique(rows, return_index=True)
    chosen[cells] = pieces[places]


def _lists(values: pa.Array, rows: Rows, cells: int) -> pa.ListArray:
    """The distinct values of each cell in order."""
    codes = values.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    _, firsts = np.unique(rows * (codes.max(initial=0) + 1) + codes, return_index=True)
    firsts.sort()
    lengths = np.bincount(rows[firsts], minlength=cells)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, values.take(pa.array(firsts)))
