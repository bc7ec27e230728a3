"""Cells that hold several values: taken apart into pieces, and put together again one row per cell."""

import pandas as pd
import pyarrow as pa


def split_cells(text: pa.Array, separators: str) -> pd.Series:
    """The pieces of each cell in order, indexed by the cell's row number; empty ones are left out."""
    pieces = pd.Series(text.to_pylist(), dtype=object).str.split(separators, regex=True).explode().dropna().str.strip()
    return pieces[pieces != ""]


def join_cells(parsed: pd.DataFrame, good: str, part_refused: str, rows: int) -> tuple[pd.DataFrame, pa.Array]:
    """One row per cell from its pieces: the first whose column `good` is filled, else the first; and all good values.

    `parsed` is indexed by the cell's row number and has a column `rule`. Where a cell has good and refused pieces, its
    rule is `part_refused`. Cells without pieces are rows of nulls.
    """
    kept = parsed[parsed[good].notna()]
    of_the_others = parsed[~parsed.index.isin(kept.index)]
    cells = pd.concat([frame[~frame.index.duplicated()] for frame in (kept, of_the_others)])
    mixed = cells.index.isin(kept.index) & cells.index.isin(parsed.index[parsed[good].isna()])
    cells.loc[mixed, "rule"] = part_refused
    lists = kept.groupby(level=0)[good].agg(lambda values: list(dict.fromkeys(values))).reindex(range(rows))
    lists = [values if isinstance(values, list) else [] for values in lists]
    return cells.reindex(range(rows)).astype(object), pa.array(lists, pa.list_(pa.string()))


def strings(cells: pd.DataFrame) -> dict[str, pa.Array]:
    """The columns of a frame as Arrow strings, missing ones null."""
    return {name: pa.array(cells[name].where(cells[name].notna(), None), pa.string()) for name in cells.columns}
