"""Any table's text columns as what they are: numbers, days or values of a list; blank in whatever writing is blank."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.day_order import year_first
from scoring.values.text import PLACEHOLDERS, clean_text, squeezed
from scoring.values.times import parse_times

Numbers = Any  # a NumPy array
Kind = Literal["number", "day", "value"]
# Shares of the filled cells that must read as such; the rest counts as blank.
_NUMBER_SHARE, _DAY_SHARE = 0.97, 0.9
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$"
_NOT_DIGITS = r"[,'_ ￥¥$€£%元]"
_DAY = r"^\d{4}[-/.年]\s?\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|^\d{1,2}[- ][a-z]{3}|^[a-z]{3,9} \d{1,2},|^\d{8}$"
_SLASHED = r"^(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-]\d{2,4}"
_MICROSECONDS_A_DAY = 86_400_000_000
_MOST_MONTHS = 12


@dataclass(frozen=True)
class Column:
    """A column of a table, one entry a row.

    `number` and `day` (days since 1970, UTC) have `numbers`, NaN where blank; `value` has `codes` into `levels` (the
    most usual writing of each value) and `keys` (how values are compared), -1 where blank. `markers`: blank writings
    found, with their rows.
    """

    name: str
    kind: Kind
    numbers: Numbers = None
    codes: Numbers = None
    levels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    markers: tuple[tuple[str, int], ...] = ()

    @property
    def is_blank(self) -> Numbers:
        """True where the cell says nothing."""
        return self.codes < 0 if self.kind == "value" else np.isnan(self.numbers)

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(self.keys) if self.kind == "value" else len(np.unique(self.numbers[~self.is_blank]))

    def take(self, rows: Numbers) -> "Column":
        """The column of these rows."""
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        return Column(self.name, self.kind, numbers, codes, self.levels, self.keys, self.markers)


@dataclass(frozen=True)
class _Text:
    """Distinct cells of a column, cleaned, and where each row's is; null where blank."""

    cells: pa.Array
    place: Numbers
    rows: Numbers
    markers: tuple[tuple[str, int], ...]


def blank_words(extra: Iterable[str]) -> frozenset[str]:
    """All writings of nothing, in lower case without spaces; numbers and test words may be values here."""
    known = {word for word in PLACEHOLDERS if not any(mark.isdigit() for mark in word) and "test" not in word}
    return frozenset(known | {word.lower().replace(" ", "") for word in extra})


def read_column(name: str, cells: pa.ChunkedArray, blanks: frozenset[str], kind: Kind | None = None) -> Column:
    """The column as what most of its cells are, or as the `kind` given; what does not fit it is blank."""
    text = _cleaned(cells, blanks)
    filled = int(text.rows[np.asarray(pc.is_valid(text.cells))].sum())
    if kind in (None, "number"):
        numbers = _numbers(text.cells)
        if kind or _share(numbers, text.rows, filled) >= _NUMBER_SHARE:
            return Column(name, "number", numbers[text.place], markers=text.markers)
    if kind == "day" or (kind is None and _looks_like_days(text, filled)):
        days = _days(text.cells)
        if kind or _share(days, text.rows, filled) >= _DAY_SHARE:
            return Column(name, "day", days[text.place], markers=text.markers)
    return _values(name, text)


def _cleaned(cells: pa.ChunkedArray, blanks: frozenset[str]) -> _Text:
    column = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    coded = column.cast(pa.string()).dictionary_encode(null_encoding="encode")
    place = np.asarray(coded.indices)
    rows = np.bincount(place, minlength=len(coded.dictionary))
    clean = clean_text(coded.dictionary)
    is_marker = pc.fill_null(pc.is_in(squeezed(clean), pa.array(sorted(blanks), pa.string())), False)
    found = np.flatnonzero(np.asarray(is_marker))
    markers = sorted(((clean[int(at)].as_py(), int(rows[at])) for at in found), key=lambda one: (-one[1], one[0]))
    return _Text(pc.if_else(is_marker, pa.scalar(None, pa.string()), clean), place, rows, tuple(markers))


def _share(read: Numbers, rows: Numbers, filled: int) -> float:
    return float(rows[~np.isnan(read)].sum()) / filled if filled else 0.0


def _numbers(cells: pa.Array) -> Numbers:
    """Cells as numbers, whatever marks thousands, money or shares; NaN for others."""
    plain = pc.replace_substring_regex(pc.utf8_lower(cells), _NOT_DIGITS, "")
    is_number = pc.fill_null(pc.match_substring_regex(plain, _NUMBER), False)
    read = pc.cast(pc.if_else(is_number, plain, pa.scalar(None, pa.string())), pa.float64())
    numbers = read.to_numpy(zero_copy_only=False).astype(float)
    return np.where(np.abs(numbers) < 1e15, numbers, np.nan)


def _looks_like_days(text: _Text, filled: int) -> bool:
    shaped = np.asarray(pc.fill_null(pc.match_substring_regex(pc.utf8_lower(text.cells), _DAY), False))
    return filled > 0 and float(text.rows[shaped].sum()) / filled >= _DAY_SHARE


def _days(cells: pa.Array) -> Numbers:
    """Cells as days since 1970; the order of day and month is the one in which most of them can be dates."""
    part = pc.extract_regex(cells, _SLASHED)
    first, second = (pc.fill_null(pc.cast(pc.struct_field(part, name), pa.int32()), 0) for name in ("a", "b"))
    beyond = [int(pc.sum(pc.greater(number, _MOST_MONTHS)).as_py() or 0) for number in (first, second)]
    ordered = year_first(cells, is_day_first=beyond[0] > beyond[1])
    parsed = parse_times(ordered, "UTC")["occurred_at"]
    moments = pc.cast(parsed, pa.int64()).combine_chunks()
    return moments.to_numpy(zero_copy_only=False).astype(float) / _MICROSECONDS_A_DAY


def _values(name: str, text: _Text) -> Column:
    """Values of a list, most frequent first; case and spaces do not tell two apart."""
    keys = squeezed(text.cells).to_pylist()
    labels = text.cells.to_pylist()
    rows_of: dict[str, int] = {}
    best: dict[str, tuple[int, str]] = {}
    for key, label, rows in zip(keys, labels, text.rows.tolist(), strict=True):
        if key is None:
            continue
        rows_of[key] = rows_of.get(key, 0) + rows
        best[key] = min(best.get(key, (0, "")), (-rows, label))
    ordered = sorted(rows_of, key=lambda key: (-rows_of[key], key))
    number = {key: place for place, key in enumerate(ordered)}
    codes = np.array([-1 if key is None else number[key] for key in keys], np.int64)
    levels = tuple(best[key][1] for key in ordered)
    return Column(name, "value", codes=codes[text.place], levels=levels, keys=tuple(ordered), markers=text.markers)
