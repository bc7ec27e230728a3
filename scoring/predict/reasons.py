"""Why a row has its probability: the columns that moved it most, in words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from abmloop.messages import say
from scoring.predict.binning import shown
from scoring.predict.columns import Column

Numbers = Any  # a NumPy array
TOP = 3
_LEAST = 0.1  # log-odds; less moves no probability by more than 2.5 in a hundred
_LEAST_SHARE = 0.1  # of what the strongest column adds


def top_reasons(columns: Sequence[Column], added: Numbers, language: str, top: int = TOP) -> list[str]:
    """For each row the columns that moved it most, the strongest first: `raises it: Source = Reference; lowers it: …`.

    `added`: log-odds that each column adds, against the average row.
    """
    if not added.size:
        return ["" for _ in range(len(added))]
    strongest = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :top]
    least = np.maximum(_LEAST, _LEAST_SHARE * np.abs(added).max(axis=1))
    words = [_cells(column, language) for column in columns]
    texts = []
    for row, places in enumerate(strongest.tolist()):
        told = [
            say("predict.raises" if added[row, at] > 0 else "predict.lowers", language, what=words[at][row])
            for at in places
            if abs(added[row, at]) >= least[row]
        ]
        texts.append(say("predict.and", language).join(told))
    return texts


def _cells(column: Column, language: str) -> list[str]:
    """`Source = Reference` for every row, blank said as such."""
    blank = say("predict.is_blank", language, column=column.name)
    if column.kind == "value":
        by_code = [say("predict.is", language, column=column.name, value=level) for level in column.levels] + [blank]
        return [by_code[code] for code in column.codes.tolist()]
    distinct, place = np.unique(column.numbers, return_inverse=True)
    by_place = [
        blank if np.isnan(number) else say("predict.is", language, column=column.name, value=shown(number, column.kind))
        for number in distinct.tolist()
    ]
    return [by_place[at] for at in place.tolist()]
