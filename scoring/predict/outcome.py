"""What is to be predicted, and in which order the rows came to be."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.predict import Outcomes
from scoring.predict.columns import Column, read_column
from scoring.values.text import clean_text

Numbers = Any  # a NumPy array
OrderBy = Literal["time", "found_time", "id", "found_id", "chance"]
_SHOWN_VALUES = 8


@dataclass(frozen=True)
class Outcome:
    """1 where it came, 0 where it did not, NaN where it is open; the writings taken for each."""

    values: Numbers
    came: tuple[str, ...]
    did_not: tuple[str, ...]
    still_open: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """`place`: rows from the oldest to the newest. `by`: what says so, in `column`; `days`: row times, where known."""

    place: Numbers
    by: OrderBy
    column: str | None = None
    days: Numbers = None


def read_outcome(name: str, cells: pa.ChunkedArray, words: Outcomes, came: str | None = None) -> Outcome:
    """The outcome of each row; `came` names the writing that means that it came, where it is none of the known words.

    Raises BadUsage where the column does not tell two outcomes apart.
    """
    coded = clean_text(cells).dictionary_encode(null_encoding="encode")
    writings = coded.dictionary.to_pylist()
    keys = [None if text is None else text.lower() for text in writings]
    yes, no = set(words.came), set(words.did_not)
    if came is not None:
        yes = {came.strip().lower()}
        no -= yes
    filled = sorted({key for key in keys if key is not None})
    if len(filled) == 2:  # two values of any writing: the other one of a known one is the opposite
        one, other = filled
        if (one in yes) != (other in yes):
            no |= {other} if one in yes else {one}
        elif (one in no) != (other in no):
            yes |= {other} if one in no else {one}
    told = np.array([np.nan if key is None else 1.0 if key in yes else 0.0 if key in no else np.nan for key in keys])
    is_told_apart = (told == 1).any() and (told == 0).any()
    if not is_told_apart and not set(filled) <= yes | no:
        shown = ", ".join(filled[:_SHOWN_VALUES])
        raise BadUsage(said("predict_two_outcomes", name=name, shown=shown, example=filled[0]))
    groups = [
        tuple(sorted({writings[at] for at in np.flatnonzero(rows) if writings[at] is not None}))
        for rows in (told == 1, told == 0, np.isnan(told))
    ]
    return Outcome(told[np.asarray(coded.indices)], *groups)


def read_order(
    columns: list[Column], raw: pa.Table, time: str | None, id_column: str | None, blanks: frozenset[str]
) -> Order:
    """The order of the rows: by the time column, else the only sure time there is, else ids that rise, else by chance.

    By chance is by a hash of the row's cells, so that neither the file's order nor a seed matters.
    """
    if time is not None:
        column = read_column(time, raw[time], blanks)
        if column.kind == "value":
            raise BadUsage(said("predict_no_time", time=time, example=column.levels[:3]))
        return _by(column, "time", raw)
    if id_column is not None:
        column = read_column(id_column, raw[id_column], blanks)
        if column.kind == "number" and not column.is_blank.any() and _is_own(column):
            return _by(column, "id", raw)
    days = [column for column in columns if column.kind == "day" and not column.is_blank.any() and column.distinct > 1]
    if days:
        earliest = min(days, key=lambda column: (float(np.median(column.numbers)), column.name))
        return _by(earliest, "found_time", raw)
    for column in columns:
        if (
            column.kind == "number"
            and not column.is_blank.any()
            and (np.abs(np.sign(np.diff(column.numbers)).sum()) == raw.num_rows - 1)
        ):
            return _by(column, "found_id", raw)
    return Order(np.argsort(row_hashes(raw), kind="stable"), "chance")


def row_hashes(raw: pa.Table) -> Numbers:
    """A number per row that only its cells decide."""
    total = np.zeros(raw.num_rows, np.uint64)
    for place, name in enumerate(raw.column_names):
        coded = raw[name].combine_chunks().cast(pa.string()).dictionary_encode(null_encoding="encode")
        hashes = np.array([_hash(text) for text in coded.dictionary.to_pylist()], np.uint64)
        mixed = hashes[np.asarray(coded.indices)] * np.uint64(2 * place + 1)
        total = (total ^ mixed) * np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    return total


def _hash(text: str | None) -> int:
    from hashlib import blake2b

    return int.from_bytes(blake2b((text or "").encode(), digest_size=8).digest(), "little")


def _is_own(column: Column) -> bool:
    """Whether every row has its own."""
    return column.distinct == len(column.numbers)


def _by(column: Column, by: OrderBy, raw: pa.Table) -> Order:
    """Blank times first: what is not dated cannot test what came later. Ties by the row's hash."""
    times = np.where(column.is_blank, -np.inf, column.numbers)
    tied = row_hashes(raw) if column.distinct < raw.num_rows else np.zeros(raw.num_rows, np.uint64)
    place = np.lexsort((tied, times))
    return Order(place, by, column.name, column.numbers if column.kind == "day" else None)
