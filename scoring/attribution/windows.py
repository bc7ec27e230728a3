"""In which stretch of time whose touches count for which deal, and the touches of all of them in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import DAY_US, MISSING_TIME, SECOND_US, Flags, Ints, KeyIndex, microseconds, ranks
from scoring.policies.attribution import AttributionPolicy

_SECONDS_BITS = 36  # two thousand years of seconds beside a key of 27 bits
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Moments:
    """The times of each deal, and the window (start, end) in which its touches count; both ends included."""

    created: Ints
    lead: Ints
    won: Ints
    start: Ints
    end: Ints

    @classmethod
    def of(cls, deals: pa.Table, policy: AttributionPolicy, as_of_end: int) -> Moments:
        """A closed deal without a time of closing counts as closed on the day of the run; one never created, as closed.

        `deals`: status (won|lost|open), created_at, closed_at, optionally lead_created_at.
        """
        created = microseconds(deals["created_at"])
        closed = microseconds(deals["closed_at"])
        is_open = np.asarray(pc.fill_null(pc.equal(deals["status"], "open"), True).to_numpy(zero_copy_only=False))
        is_won = np.asarray(pc.fill_null(pc.equal(deals["status"], "won"), False).to_numpy(zero_copy_only=False))
        closed = np.where(is_open | (closed == MISSING_TIME), as_of_end, closed)
        anchor = closed if policy.anchor == "closed" else np.where(created == MISSING_TIME, closed, created)
        end = np.minimum(np.minimum(anchor, closed), as_of_end)
        if policy.until == "opened":
            end = np.where(created == MISSING_TIME, end, np.minimum(end, created))
        length = round(policy.lookback_days * DAY_US)
        start = anchor - length if length else np.full(len(anchor), MISSING_TIME + 1)
        lead = microseconds(deals["lead_created_at"]) if "lead_created_at" in deals.column_names else None
        if lead is None:
            lead = np.full(len(created), MISSING_TIME)
        return cls(created, lead, np.where(is_won, closed, MISSING_TIME), start, end)


@dataclass(frozen=True)
class Windows:
    """One row per deal and party (or person) whose touches count for it: `deal`, `key` (a number of `index`), times."""

    index: KeyIndex
    deal: Ints
    key: Ints
    start: Ints
    end: Ints

    @classmethod
    def of(cls, deals: pa.Table, moments: Moments, people: pa.Table | None = None) -> Windows:
        """The windows of the deals' parties, or with `people` (deal, person_id) of their people."""
        column = deals["party_id"] if people is None else people["person_id"]
        deal = np.arange(deals.num_rows) if people is None else people["deal"].to_numpy().astype(np.int64)
        index = KeyIndex.of(column)
        key = index.numbers(column).astype(np.int64)
        deal, key = deal[key >= 0], key[key >= 0]
        return cls(index, deal, key, moments.start[deal], moments.end[deal])

    def at(self, moments: Moments) -> Windows:
        """Those of the same deals and keys at other moments."""
        return replace(self, start=moments.start[self.deal], end=moments.end[self.deal])

    @cached_property
    def bounds(self) -> tuple[Ints, Ints]:
        """Per key the earliest start and the latest end; behind them, for unknown keys, a window that holds nothing."""
        first = np.full(len(self.index) + 1, _NEVER)
        last = np.full(len(self.index) + 1, MISSING_TIME)
        np.minimum.at(first, self.key, self.start)
        np.maximum.at(last, self.key, self.end)
        return first, last

    def reachable(self, key: Any, at: Ints) -> Ints:
        """The rows that lie between the earliest start and the latest end of their key's windows, in their order."""
        first, last = self.bounds
        return np.flatnonzero((at >= first[key]) & (at <= last[key]))


@dataclass(frozen=True)
class Told:
    """What touches tell of themselves by their rows: ids, and whatever else may differ where one is given twice."""

    ids: Callable[[Ints], Any]
    others: Callable[[Ints], Sequence[Any]]


@dataclass(frozen=True)
class OrderedTouches:
    """Touches by key, second and touch id: their row number in the table they came from, time, place in the order.

    A touch that is given twice (same key, second and id) stands here once, whichever of them tells the lesser values;
    `given_twice` counts those left out.
    """

    row: Ints
    at: Ints
    place: Ints
    origin: int
    given_twice: int = 0

    @classmethod
    def of(cls, key: Ints, at: Ints, row: Ints, told: Told) -> OrderedTouches:
        """The rows in order; `told` is asked about those that share their key and second with another."""
        place = at // SECOND_US
        origin = int(place.min()) if len(place) else 0
        place -= origin
        place += key.astype(np.int64) << _SECONDS_BITS
        order = np.argsort(place)
        place = place[order]
        settled, again = _settled(order, place, row, told)
        order = np.delete(settled, again).astype(np.int32) if len(again) else settled.astype(np.int32)
        place = np.delete(place, again) if len(again) else place
        return cls(row.astype(np.int32)[order], at[order], place, origin, len(again))

    def between(self, windows: Windows) -> tuple[Ints, Ints]:
        """(windows,) twice: the first row in each window and the one after its last, by whole seconds."""
        low = np.searchsorted(self.place, self._place(windows.key, windows.start), side="left")
        high = np.searchsorted(self.place, self._place(windows.key, windows.end), side="right")
        return low, np.maximum(high, low)

    def _place(self, key: Ints, moment: Ints) -> Ints:
        within = moment // SECOND_US - self.origin
        # A moment before all touches stands before the key's first second, not on it.
        before = within < 0
        return np.asarray((key << _SECONDS_BITS) + np.clip(within, 0, (1 << _SECONDS_BITS) - 1) - before)


def _settled(order: Ints, placed: Ints, row: Ints, told: Told) -> tuple[Ints, Ints]:
    """The order, with touches of one key and second by touch id; and the places that repeat a touch."""
    spots = _shared(placed)
    settled = order.copy()
    if not len(spots):
        return settled, spots
    rows = row[order[spots]]
    rank = ranks(told.ids(rows))
    by_id = np.lexsort((rank, placed[spots]))
    is_same = (np.diff(rank[by_id]) == 0) & (np.diff(placed[spots]) == 0)
    if is_same.any():  # which of them stays must not hang on the order of the rows
        by_id = np.lexsort((*(ranks(other) for other in reversed(told.others(rows))), rank, placed[spots]))
    settled[spots] = order[spots[by_id]]
    return settled, spots[1:][is_same]


def _shared(run: Ints) -> Ints:
    """The places whose value also stands just before or after them. `run` is sorted."""
    same = run[1:] == run[:-1]
    shared = np.zeros(len(run), dtype=np.bool_)
    shared[1:] = same
    shared[:-1] |= same
    return np.flatnonzero(shared)


def first_of_each(run: Ints, groups_of: Callable[[Ints], tuple[Ints, ...]]) -> Flags:
    """(rows,): whether no earlier row has the same run and groups. `run` is sorted.

    `groups_of` gives the groups of some rows; it is asked only about rows that share their run with another.
    """
    first = np.ones(len(run), dtype=np.bool_)
    rows = _shared(run)
    keys = (*groups_of(rows), run[rows])
    order = np.lexsort(keys)
    again = np.ones(max(len(rows) - 1, 0), dtype=np.bool_)
    for key in keys:
        again &= key[order[1:]] == key[order[:-1]]
    first[rows[order[1:][again]]] = False
    return first


def run_numbers(*columns: Any) -> Ints:
    """(rows,): 0 for the first row, one more wherever any of the columns changes."""
    changed = np.zeros(len(columns[0]), dtype=np.bool_)
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.cumsum(changed)


def still_inside(at: Ints, start: Ints, end: Ints) -> Flags:
    """Whether times lie in their windows, to the microsecond."""
    return np.asarray((at >= start) & (at <= end))
