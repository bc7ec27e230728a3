"""Which touches stand before a deal, in which order: the rows among which its amount is shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import DAY_US, MISSING_TIME, SECOND_US, Flags, Ints, codes, microseconds, ranges, ranks
from scoring.policies.attribution import AttributionPolicy

ANCHORS = ("first", "last", "lead", "opportunity", "close")
NO_ROW = -1
_SECONDS_BITS = 36  # two thousand years of seconds beside a key of 27 bits


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

    @property
    def offsets(self) -> Ints:
        """(deals + 1,): where each deal's rows begin."""
        return np.searchsorted(self.deal, np.arange(self.deal_count + 1)).astype(np.int64)

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
        everything = np.ones(len(self.deal), dtype=np.bool_)
        if name == "last":
            return self.last_row_where(everything)
        if name == "first":
            offsets = self.offsets
            return np.where(offsets[1:] > offsets[:-1], offsets[:-1], NO_ROW)
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
    touches = touches.append_column("row", pa.array(np.arange(touches.num_rows)))
    if policy.excluded_types and "type" in touches.column_names:
        excluded = pc.is_in(touches["type"], value_set=pa.array(policy.excluded_types))
        touches = touches.filter(pc.invert(pc.fill_null(excluded, False)))
    touches = touches.filter(pc.is_valid(touches["occurred_at"]))
    moments = _moments(deals, policy, as_of_end)
    at = microseconds(touches["occurred_at"])
    deal, row = _pairs(touches, at, deals, people, moments)
    campaign, channel, campaigns, channels = _places(touches)
    if people is not None:  # else the rows come in order already
        order = np.lexsort((ranks(touches["touch_id"])[row], at[row] // SECOND_US, deal))
        deal, row = deal[order], row[order]
    keep = _repeats(touches, deal, row, campaign, policy)
    deal, row = deal[keep], row[keep]
    return Journeys(
        deal_count=deals.num_rows,
        deal=deal,
        touch=touches["row"].to_numpy()[row],
        occurred_at=at[row],
        campaign=campaign[row],
        channel=channel[row],
        campaigns=campaigns,
        channels=channels,
        lead_at=moments.lead,
        created_at=moments.created,
        won_at=moments.won,
    )


@dataclass(frozen=True)
class _Moments:
    """The times of each deal, and the window (start, end) in which its touches count; both ends included."""

    created: Ints
    lead: Ints
    won: Ints
    start: Ints
    end: Ints


def _moments(deals: pa.Table, policy: AttributionPolicy, as_of_end: int) -> _Moments:
    """A closed deal without a time of closing counts as closed on the day of the run, one never created, as closed."""
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
    return _Moments(created, lead, np.where(is_won, closed, MISSING_TIME), start, end)


def _pairs(
    touches: pa.Table, at: Ints, deals: pa.Table, people: pa.Table | None, moments: _Moments
) -> tuple[Ints, Ints]:
    """(deal, touch) of every touch inside the window of a deal of the same party, or of one of the deal's people.

    Sorted by deal, then by person if people are given, then by second and touch id.
    """
    if people is None:
        deal = np.arange(deals.num_rows)
        (touch_key, deal_key), _ = codes(touches["party_id"], deals["party_id"])
    else:
        deal = people["deal"].to_numpy().astype(np.int64)
        (touch_key, deal_key), _ = codes(touches["person_id"], people["person_id"])
    deal, deal_key = deal[deal_key >= 0], deal_key[deal_key >= 0]
    second = at // SECOND_US
    origin = int(second.min()) if len(second) else 0

    def place(key: Ints, moment: Ints) -> Ints:
        within = np.clip(moment // SECOND_US - origin, 0, (1 << _SECONDS_BITS) - 1)
        return np.asarray((key << _SECONDS_BITS) + within)

    key_and_second = place(touch_key, at)
    order = np.lexsort((ranks(touches["touch_id"]), key_and_second))
    ordered = key_and_second[order]
    low = np.searchsorted(ordered, place(deal_key, moments.start[deal]), side="left")
    high = np.searchsorted(ordered, place(deal_key, moments.end[deal]), side="right")
    counts = np.maximum(high - low, 0)
    deal = np.repeat(deal, counts)
    row = order[ranges(low, counts)]
    # The search was by whole seconds; the window is exact.
    inside = (at[row] >= moments.start[deal]) & (at[row] <= moments.end[deal]) & (touch_key[row] >= 0)
    return deal[inside], row[inside]


def _places(touches: pa.Table) -> tuple[Ints, Ints, list[str], list[str]]:
    """Campaign and channel of each touch as numbers, with their names."""
    channel_names = pc.fill_null(pc.cast(touches["channel"], pa.string()), "unknown")
    own = pc.binary_join_element_wise("(", channel_names, ")", "")
    campaign_names = pc.coalesce(pc.cast(touches["campaign_id"], pa.string()), own)
    (campaign,), campaigns = codes(campaign_names)
    (channel,), channels = codes(channel_names)
    return campaign, channel, [str(name) for name in campaigns], [str(name) for name in channels]


def _repeats(touches: pa.Table, deal: Ints, row: Ints, campaign: Ints, policy: AttributionPolicy) -> Flags:
    """(rows,): which of the deals' touches stay: of several that are one, the first. `campaign`: one entry a touch."""
    if policy.repeats == "every_touch" or not len(deal):
        return np.ones(len(deal), dtype=np.bool_)
    if policy.repeats == "collapse_consecutive":
        same = (deal[1:] == deal[:-1]) & (campaign[row[1:]] == campaign[row[:-1]])
        return np.concatenate([np.ones(1, dtype=np.bool_), ~same])
    group = campaign
    if policy.repeats == "one_per_campaign_person_day":
        group = _numbered(_numbered(_people_of(touches), _days_of(touches)), campaign)
    # Rows are in order, so the first of each (deal, group) is the earliest touch.
    _, first = np.unique(deal * (int(group.max()) + 1) + group[row], return_index=True)
    keep = np.zeros(len(deal), dtype=np.bool_)
    keep[first] = True
    return keep


def _numbered(left: Ints, right: Ints) -> Ints:
    """One number from 0 on for each distinct pair."""
    span = int(right.max()) - int(right.min()) + 1
    _, left_number = np.unique(left, return_inverse=True)
    _, pair = np.unique(left_number * span + (right - right.min()), return_inverse=True)
    return np.asarray(pair)


def _people_of(touches: pa.Table) -> Ints:
    """The person of each touch as a number; unknown people are never taken to be the same."""
    nobody = -1 - np.arange(touches.num_rows)
    if "person_id" not in touches.column_names:
        return nobody
    (person,), _ = codes(touches["person_id"])
    return np.where(person < 0, nobody, person)


def _days_of(touches: pa.Table) -> Ints:
    """The calendar day of each touch: `local_day` (a date) where given, else the day of `occurred_at`."""
    if "local_day" in touches.column_names:
        return np.asarray(pc.cast(pc.cast(touches["local_day"], pa.int32()), pa.int64()).to_numpy())
    return np.asarray(microseconds(touches["occurred_at"]) // DAY_US)


def local_days(occurred_at: Any, timezone: str) -> Any:
    """The calendar day, in that time zone, of UTC times."""
    aware = pc.assume_timezone(pc.cast(occurred_at, pa.timestamp("us")), "UTC")
    return pc.cast(pc.local_timestamp(pc.cast(aware, pa.timestamp("us", tz=timezone))), pa.date32())
