"""Which touches stand before a deal, in which order: the rows among which its amount is shared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import DAY_US, SECOND_US, Flags, Ints, KeyIndex, codes, microseconds, ranges, ranks
from scoring.attribution.windows import (
    Moments,
    OrderedTouches,
    Told,
    Windows,
    first_of_each,
    run_numbers,
    still_inside,
)
from scoring.policies.attribution import AttributionPolicy

ANCHORS = ("first", "last", "lead", "opportunity", "close")
NO_ROW = -1


@dataclass(frozen=True)
class Journeys:
    """The eligible touches of every deal, one row per (deal, touch), sorted by deal, second, touch id.

    `deal`, `touch` are row numbers of the tables they came from; `occurred_at` in microseconds; `campaign`, `channel`
    number the entries of `campaigns`, `channels` (a touch without campaign counts under `(its channel)`);
    `lead_at`, `created_at`, `won_at` hold one time per deal, MISSING_TIME where there is none.
    """

    deal_count: int
    deal: Ints
    touch: Ints
    occurred_at: Ints
    campaign: Ints
    channel: Ints
    campaigns: list[str]
    channels: list[str]
    lead_at: Ints
    created_at: Ints
    won_at: Ints

    @cached_property
    def offsets(self) -> Ints:
        """(deals + 1,): where each deal's rows begin."""
        counts = np.bincount(self.deal, minlength=self.deal_count)
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])

    def of_deals(self, wanted: Flags) -> Journeys:
        """The rows of some deals ((deals,) flags); all deals keep their numbers."""
        rows = wanted[self.deal]
        columns = ("deal", "touch", "occurred_at", "campaign", "channel")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def last_row_where(self, condition: Flags) -> Ints:
        """(deals,): the last row of each deal for which the condition (one flag a row) holds, else NO_ROW."""
        rows = np.flatnonzero(condition)
        found = np.full(self.deal_count, NO_ROW, dtype=np.int64)
        found[self.deal[rows]] = rows
        return found

    def anchor(self, name: str) -> Ints:
        """(deals,): the row on which the anchor falls, NO_ROW where it is missing.

        first, last: of the journey; lead, opportunity, close: the last touch at or before the deal's first lead was
        created, the deal was created, the deal was won. Source: spec 07-attribution.
        """
        if name in {"first", "last"}:
            return self.position(1 if name == "first" else -1)
        moments = {"lead": self.lead_at, "opportunity": self.created_at, "close": self.won_at}[name]
        return self.last_row_where(self.occurred_at <= moments[self.deal])

    def position(self, number: int) -> Ints:
        """(deals,): the row of the first (1), second (2), last (-1) … touch, NO_ROW where the journey is shorter."""
        offsets = self.offsets
        row = offsets[:-1] + number - 1 if number > 0 else offsets[1:] + number
        return np.where((row >= offsets[:-1]) & (row < offsets[1:]), row, NO_ROW)


def build_journeys(
    touches: pa.Table, deals: pa.Table, policy: AttributionPolicy, as_of_end: int, people: pa.Table | None = None
) -> Journeys:
    """The eligible touches of each deal under the policy's window, types and repeats.

    `touches`: touch_id, party_id, campaign_id, channel, occurred_at, and optionally type, person_id, local_day.
    `deals`: party_id, status (won|lost|open), created_at, closed_at, optionally lead_created_at. `people`: deal (row
    number in `deals`), person_id: whose touches count; None = those of the deal's whole party. `as_of_end`, in
    microseconds, is where the window of an open deal ends; later touches never count. Both ends of the window count.
    """
    reach = Reach.of(touches, deals, policy, as_of_end, people)
    return reach.journeys(policy, as_of_end)


@dataclass(frozen=True)
class Reach:
    """The touches that any deal's window holds, in order, from which journeys under narrower windows are cut."""

    touches: pa.Table
    deals: pa.Table
    people: pa.Table | None
    windows: Windows
    ordered: OrderedTouches

    @classmethod
    def of(
        cls, touches: pa.Table, deals: pa.Table, policy: AttributionPolicy, as_of_end: int, people: pa.Table | None
    ) -> Reach:
        """What `policy`'s windows can hold; the others of it may be tried on the result."""
        windows = Windows.of(deals, Moments.of(deals, policy, as_of_end), people)
        key = windows.index.numbers(touches["party_id" if people is None else "person_id"])
        at = microseconds(touches["occurred_at"])
        row = windows.reachable(key, at)
        if policy.excluded_types and "type" in touches.column_names:
            excluded = pc.is_in(pc.take(touches["type"], pa.array(row)), value_set=pa.array(policy.excluded_types))
            row = row[~np.asarray(pc.fill_null(excluded, False).to_numpy())]
        if len(row) < len(key):
            key, at = key[row], at[row]
        ordered = OrderedTouches.of(key, at, row, Told(partial(_ids_of, touches), partial(all_but_ids, touches)))
        return cls(touches, deals, people, windows, ordered)

    @classmethod
    def inside(cls, touches: pa.Table, deals: pa.Table, windows: Windows, told: Told) -> Reach:
        """Of touches that were read as these windows reach: their `key` is a number of the windows' index."""
        key = touches["key"].to_numpy()
        ordered = OrderedTouches.of(key, microseconds(touches["occurred_at"]), np.arange(len(key)), told)
        # What has done its part would be as large as all that is still needed.
        windows = replace(windows, index=KeyIndex(windows.index.keys))
        rest = [name for name in touches.column_names if name not in ("key", "occurred_at", "file_row")]
        return cls(touches.select(rest), deals, None, windows, ordered)

    @cached_property
    def places(self) -> tuple[Ints, Ints, list[str], list[str]]:
        """Campaign and channel of each ordered touch as numbers, with their names."""
        channel, channels = self._named("channel")
        if not (channel >= 0).all():
            channels = [*channels, "unknown"] if "unknown" not in channels else channels
            channel = np.where(channel < 0, channels.index("unknown"), channel)
        own = [f"({name})" for name in channels]
        if "campaign_id" not in self.touches.column_names:
            return channel, channel, own, [str(name) for name in channels]
        campaign, campaigns = self._named("campaign_id")
        if not (campaign >= 0).all():
            known = {name: place for place, name in enumerate(campaigns)}
            new = [name for name in own if name not in known]
            known |= {name: len(campaigns) + place for place, name in enumerate(new)}
            campaigns = [*campaigns, *new]
            campaign = np.where(campaign < 0, np.array([known[name] for name in own])[channel], campaign)
        return campaign, channel, [str(name) for name in campaigns], [str(name) for name in channels]

    def _named(self, name: str) -> tuple[Ints, list[str | None]]:
        """The column's values of the ordered touches as numbers, and the names that occur among them."""
        column, row = self.touches[name], self.ordered.row
        if not pa.types.is_dictionary(column.type):
            (number,), names = codes(pc.take(column, pa.array(row)))
            return number, names
        (number,), names = codes(column)
        number = number[row]
        there = np.flatnonzero(np.bincount(number + 1, minlength=len(names) + 1)[1:])
        place = np.full(len(names) + 1, -1, dtype=np.int32)
        place[there] = np.arange(len(there))
        return place[number], [names[word] for word in there]

    def journeys(self, policy: AttributionPolicy, as_of_end: int) -> Journeys:
        """The deals' journeys under `policy`, which looks back no further than the one this was made with."""
        moments = Moments.of(self.deals, policy, as_of_end)
        windows = self.windows.at(moments)
        low, high = self.ordered.between(windows)
        window = np.repeat(np.arange(len(low), dtype=np.int32), high - low)
        row = ranges(low, high - low)
        # The search was by whole seconds; the window is exact.
        inside = still_inside(self.ordered.at[row], windows.start[window], windows.end[window])
        deal, row = windows.deal[_kept(window, inside)], _kept(row, inside)
        del window, inside
        if self.people is not None:  # else the rows come in order already
            touch_ids = pc.take(self.touches["touch_id"], pa.array(self.ordered.row[row]))
            order = np.lexsort((ranks(touch_ids), self.ordered.at[row] // SECOND_US, deal))
            deal, row = deal[order], row[order]
        keep = self._without_repeats(policy, deal, row)
        deal, row = _kept(deal, keep), _kept(row, keep)
        campaign, channel, campaigns, channels = self.places
        return Journeys(
            deal_count=self.deals.num_rows,
            deal=deal,
            touch=self.ordered.row[row],
            occurred_at=self.ordered.at[row],
            campaign=campaign[row],
            channel=channel[row],
            campaigns=campaigns,
            channels=channels,
            lead_at=moments.lead,
            created_at=moments.created,
            won_at=moments.won,
        )

    def _without_repeats(self, policy: AttributionPolicy, deal: Ints, row: Ints) -> Flags:
        """(rows,): which of the deals' touches stay: of several that are one, the first."""
        if policy.repeats == "every_touch":
            return np.ones(len(deal), dtype=np.bool_)
        campaign = self.places[0]
        if policy.repeats == "collapse_consecutive":
            keep = np.ones(len(deal), dtype=np.bool_)
            keep[1:] = (deal[1:] != deal[:-1]) | (campaign[row[1:]] != campaign[row[:-1]])
            return keep
        if policy.repeats == "first_per_campaign":
            return first_of_each(deal, lambda rows: (campaign[row[rows]],))
        days = run_numbers(deal, self._days[row])
        return first_of_each(days, lambda rows: (campaign[row[rows]], self._people_of(row[rows])))

    @cached_property
    def _days(self) -> Ints:
        """The calendar day of each ordered touch: `local_day` (a date) where given, else the day of `occurred_at`."""
        if "local_day" not in self.touches.column_names:
            return np.asarray(self.ordered.at // DAY_US)
        days = pc.take(self.touches["local_day"], pa.array(self.ordered.row))
        return np.asarray(pc.cast(pc.cast(days, pa.int32()), pa.int64()).to_numpy())

    def _people_of(self, row: Ints) -> Ints:
        """The person of each of these ordered touches as a number; unknown people are never taken to be the same."""
        nobody = -1 - np.arange(len(row))
        if "person_id" not in self.touches.column_names:
            return nobody
        people = pc.take(self.touches["person_id"], pa.array(self.ordered.row[row]))
        person = KeyIndex.of(people).numbers(people)
        return np.where(person < 0, nobody, person)


def _ids_of(touches: pa.Table, rows: Ints) -> Any:
    """What orders the touches of one second: `touch_order` where given, else their ids."""
    name = "touch_order" if "touch_order" in touches.column_names else "touch_id"
    return pc.take(touches[name], pa.array(rows))


def all_but_ids(touches: pa.Table, rows: Ints) -> list[Any]:
    """Whatever else these touches tell of themselves."""
    names = ("occurred_at", "channel", "campaign_id", "person_id", "type", "local_day")
    return [pc.take(touches[name], pa.array(rows)) for name in names if name in touches.column_names]


def _kept(column: Any, keep: Flags) -> Any:
    """The column's rows that stay; the column itself where all do."""
    return column if keep.all() else column[keep]


def local_days(occurred_at: Any, timezone: str) -> Any:
    """The calendar day, in that time zone, of UTC times."""
    aware = pc.assume_timezone(pc.cast(occurred_at, pa.timestamp("us")), "UTC")
    return pc.cast(pc.local_timestamp(pc.cast(aware, pa.timestamp("us", tz=timezone))), pa.date32())
