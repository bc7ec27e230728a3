"""Why a row has its probability: the columns that moved it most, as data and in words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from abmloop.messages import say
from scoring.predict.binning import shown
from scoring.predict.columns import Column

Numbers = Any  # a NumPy array
Moved = list[tuple[str, str | None, bool]]
TOP = 3
_LEAST = 0.1  # log-odds; less moves no probability by more than 2.5 in a hundred
_LEAST_SHARE = 0.1  # of what the strongest column adds


def top_columns(columns: Sequence[Column], added: Numbers, top: int = TOP) -> list[Moved]:
    """For each row the columns that moved it most, the strongest first: column, its value (None: blank), raises it.

    `added`: log-odds that each column adds, against the average row.
    """
    if not added.size:
        return [[] for _ in range(len(added))]
    strongest = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :top]
    least = np.maximum(_LEAST, _LEAST_SHARE * np.abs(added).max(axis=1))
    cells = [_cells(column) for column in columns]
    return [
        [
            (columns[at].name, cells[at][row], bool(added[row, at] > 0))
            for at in places
            if abs(added[row, at]) >= least[row]
        ]
        for row, places in enumerate(strongest.tolist())
    ]


def tell_reasons(moved: Sequence[Sequence[Any]], language: str, name: Callable[[str], str] = str) -> str:
    """One row's columns in words: `raises it: Source = Reference; lowers it: City is blank`; `name` names a column."""
    told = []
    for column, value, raises in moved:
        what = (
            say("predict.is_blank", language, column=name(column))
            if value is None
            else say("predict.is", language, column=name(column), value=value)
        )
        told.append(say("predict.raises" if raises else "predict.lowers", language, what=what))
    return say("predict.and", language).join(told)


def top_reasons(columns: Sequence[Column], added: Numbers, language: str) -> list[str]:
    """`top_columns` of every row in words."""
    return [tell_reasons(moved, language) for moved in top_columns(columns, added)]


def _cells(column: Column) -> list[str | None]:
    """Every row's value as people write it, None where blank."""
    if column.kind == "value":
        by_code = [*column.levels, None]
        return [by_code[code] for code in column.codes.tolist()]
    distinct, place = np.unique(column.numbers, return_inverse=True)
    by_place = [None if np.isnan(number) else shown(number, column.kind) for number in distinct.tolist()]
    return [by_place[at] for at in place.tolist()]
