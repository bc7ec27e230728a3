"""Columns cut into bins that can be read aloud: blank, lone values, ranges in which the outcome only rises or falls."""

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from scoring.policies.predict import Learning
from scoring.predict.columns import Column, Kind

Numbers = Any  # a NumPy array
_FINE_BINS = 20
_LONE_SHARE = 0.05  # a lowest or highest value as frequent as that (0 visits) is a bin of its own
_LEAST_SHARE = 0.03
_LEAST_ROWS = 20
# Two neighbours whose outcomes differ by less than chance would have them are one bin.
_LEAST_GAIN = 3.84 / 2
BLANK, OTHER = 0, 1

BinKind = Literal["blank", "other", "value", "range", "lone"]


@dataclass(frozen=True)
class Bins:
    """How a column's cells fall into bins: 0 is blank, 1 any value not seen often enough, then the rest in order.

    Of values: `keys` (compared) and `labels` (shown), a bin each from 2 on. Of numbers and days: `lone` values, a bin
    each from 2 on, then ranges up to each of `edges` and beyond.
    """

    column: str
    kind: Kind
    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    lone: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """How many bins there are."""
        return 2 + (len(self.keys) if self.kind == "value" else len(self.lone) + len(self.edges) + 1)

    def place(self, column: Column) -> Numbers:
        """The bin of every row of a column, of this or another table."""
        if self.kind == "value":
            number = {key: place + 2 for place, key in enumerate(self.keys)}
            return np.array([*(number.get(key, OTHER) for key in column.keys), BLANK])[column.codes]
        first_range = 2 + len(self.lone)
        numbers = np.nan_to_num(column.numbers)
        place = first_range + np.searchsorted(np.array(self.edges), numbers, side="left")
        for at, value in enumerate(self.lone):
            place = np.where(numbers == value, 2 + at, place)
        return np.where(column.is_blank, BLANK, place)

    def told(self, place: int) -> tuple[BinKind, str, str]:
        """(kind, from, to) of a bin: a value stands in `from`; open ends are empty."""
        if place in (BLANK, OTHER):
            return ("blank" if place == BLANK else "other"), "", ""
        if self.kind == "value":
            return "value", self.labels[place - 2], ""
        if place < 2 + len(self.lone):
            return "lone", shown(self.lone[place - 2], self.kind), ""
        at = place - 2 - len(self.lone)
        low = shown(self.edges[at - 1], self.kind) if at else ""
        return "range", low, shown(self.edges[at], self.kind) if at < len(self.edges) else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Bins":
        """The inverse of `to_json`."""
        lists = {name: tuple(values[name]) for name in ("keys", "labels", "lone", "edges")}
        return cls(values["column"], values["kind"], **lists)


def shown(number: float, kind: Kind) -> str:
    """A number or day as people write it."""
    if kind == "day":
        return str(np.datetime64(int(np.floor(number)), "D"))
    return f"{number:,.6g}" if abs(number) < 1e6 else f"{number:,.0f}"


def cut(column: Column, outcome: Numbers, rules: Learning) -> Bins:
    """The bins of a column, learnt from rows of known outcome."""
    if column.kind == "value":
        rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.keys))
        kept = [place for place in range(len(column.keys)) if rows[place] >= rules.level_rows][: rules.most_levels]
        keys, labels = (tuple(names[place] for place in kept) for names in (column.keys, column.levels))
        return Bins(column.name, "value", keys=keys, labels=labels)
    filled = ~column.is_blank
    numbers, came = column.numbers[filled], outcome[filled]
    lone = _lone_values(numbers)
    is_lone = np.isin(numbers, lone)
    edges = _monotone_edges(numbers[~is_lone], came[~is_lone], rules.most_bins)
    return Bins(column.name, column.kind, lone=tuple(lone), edges=tuple(edges))


def _lone_values(numbers: Numbers) -> list[float]:
    """The lowest and the highest value where so many rows have just it."""
    if len(numbers) < _LEAST_ROWS:
        return []
    ends = sorted({float(numbers.min()), float(numbers.max())})
    found = [value for value in ends if (numbers == value).mean() >= _LONE_SHARE]
    return found if len(found) < len(np.unique(numbers)) else []


def _monotone_edges(numbers: Numbers, came: Numbers, most: int) -> list[float]:
    """Upper edges (all but the last) of ranges along which the share that became only rises, or only falls."""
    if len(numbers) < 2 * _LEAST_ROWS:
        return []
    fine = np.unique(np.quantile(numbers, np.linspace(0, 1, _FINE_BINS + 1)[1:-1], method="lower"))
    fine = fine[fine < numbers.max()]
    place = np.searchsorted(fine, numbers, side="left")
    rows = np.bincount(place, minlength=len(fine) + 1).astype(float)
    sums = np.bincount(place, came, minlength=len(fine) + 1)
    rises = np.corrcoef(place, came)[0, 1] >= 0 if came.std() and place.std() else True
    groups = [[rows[at], sums[at], at] for at in range(len(rows))]
    least = max(_LEAST_ROWS, _LEAST_SHARE * len(numbers))
    while len(groups) > 1:
        at = _to_merge(groups, bool(rises), least, most)
        if at is None:
            break
        groups[at] = [groups[at][0] + groups[at + 1][0], groups[at][1] + groups[at + 1][1], groups[at + 1][2]]
        del groups[at + 1]
    return [float(fine[int(group[2])]) for group in groups[:-1]]


def _to_merge(groups: list[list[float]], rises: bool, least: float, most: int) -> int | None:
    """The first of two neighbours to be made one: against the direction, too small, or the least different."""
    share = np.array([group[1] / group[0] for group in groups])
    steps = np.diff(share) if rises else -np.diff(share)
    gains = np.array([_gain(one, other) for one, other in itertools.pairwise(groups)])
    if (steps < 0).any():
        return int(np.argmin(steps))
    small = [at for at, group in enumerate(groups) if group[0] < least]
    if small:
        at = small[0]
        beside = [pair for pair in (at - 1, at) if 0 <= pair < len(gains)]
        return min(beside, key=lambda pair: float(gains[pair]))
    if len(groups) > most or gains.min() < _LEAST_GAIN:
        return int(np.argmin(gains))
    return None


def _gain(one: list[float], other: list[float]) -> float:
    """Log likelihood that two groups apart have over the two as one."""
    return (
        _likelihood(one[0], one[1])
        + _likelihood(other[0], other[1])
        - _likelihood(one[0] + other[0], one[1] + other[1])
    )


def _likelihood(rows: float, came: float) -> float:
    share = min(max(came / rows, 1e-9), 1 - 1e-9)
    return float(came * np.log(share) + (rows - came) * np.log(1 - share))
