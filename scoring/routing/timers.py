"""When leads and customers go back to their pool, and when their holders are warned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from abmloop.calendar import end_of_local_day, local_day
from scoring.policies.routing import ReclaimRule

Days = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Timers:
    """When each claimed lead goes back, by which timer, and when its owner is warned; all ends of local days, UTC."""

    reclaim_at: pa.Array
    timer: pa.Array
    warn_at: pa.Array


def reclaim_at(claimed_at: pa.Array, activity_at: pa.ListArray, rule: ReclaimRule, timezone: str) -> pa.Array:
    """When each claimed lead returns to the pool: the end of a local day, as timestamp[us] in UTC; see `timers`."""
    return timers(claimed_at, activity_at, rule, timezone).reclaim_at


def timers(claimed_at: pa.Array, activity_at: pa.ListArray, rule: ReclaimRule, timezone: str) -> Timers:
    """When each claimed lead returns to the pool, by which timer (no_follow_up, no_deal), and when that is warned of.

    It starts `rule.default_days` after the claim; each activity moves it to `rule.extension_days` after that activity
    if that is later; never beyond `rule.max_days` after the claim, which is the timer of no deal, and never within
    `rule.protect_days`. Activities before the claim, or after the lead went back, move nothing. Days are calendar days
    of the workspace; a null claim gives null. A warning comes `warn_days` or `deal_warn_days` before, not before the
    claim.

    Source: spec 05-routing, worked case of 25 March.
    """
    claimed = local_days(claimed_at, timezone)
    activities = local_days(activity_at.flatten(), timezone)
    counts = activity_at.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    claim = np.repeat(np.arange(len(claimed)), counts)
    order = np.lexsort((activities, claim))
    claim, day = claim[order], activities[order]
    is_after = (day >= claimed[claim]) & ~np.isnan(day)
    claim, day = claim[is_after], day[is_after]
    first = np.r_[True, claim[1:] != claim[:-1]][: len(claim)]
    before = np.where(first, -np.inf, np.r_[-np.inf, day[:-1]][: len(day)])
    starts = claimed + max(rule.default_days, rule.protect_days)
    due_before = np.maximum(starts[claim], before + rule.extension_days)
    # An activity after the lead went back breaks the chain: it and all later ones count no more.
    broken = np.flatnonzero(day > np.minimum(due_before, claimed[claim] + rule.max_days))
    first_broken = np.full(len(claimed), len(day))
    np.minimum.at(first_broken, claim[broken], broken)
    counted = np.arange(len(day)) < first_broken[claim]
    latest = np.full(len(claimed), -np.inf)
    np.maximum.at(latest, claim[counted], day[counted])
    followed = np.maximum(starts, latest + rule.extension_days)
    due = np.minimum(claimed + rule.max_days, followed)
    is_deal = followed >= claimed + rule.max_days  # nothing sales does would move it any more
    warned = np.maximum(claimed, due - np.where(is_deal, rule.deal_warn_days, rule.warn_days))
    kind = pa.array(np.where(is_deal, "no_deal", "no_follow_up").tolist(), pa.string(), mask=np.isnan(due))
    return Timers(day_ends(due, timezone), kind, day_ends(warned, timezone))


def local_days(column: pa.Array, timezone: str) -> Days:
    """Local days since 1970; NaN for null."""
    whole = column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    quarters = np.floor(whole / 900_000_000)  # local midnight falls on a quarter of an hour everywhere
    unique, place = np.unique(quarters[~np.isnan(quarters)], return_inverse=True)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    days = [(local_day(start + timedelta(minutes=15 * n), timezone) - date(1970, 1, 1)).days for n in unique]
    found = np.full(len(whole), np.nan)
    found[~np.isnan(quarters)] = np.array(days, dtype=np.float64)[place] if len(unique) else []
    return found


def day_ends(days: Days, timezone: str) -> pa.Array:
    """The last second of each local day, in UTC without zone; null for NaN."""
    known = {
        day: end_of_local_day(date(1970, 1, 1) + timedelta(days=int(day)), timezone).replace(tzinfo=None)
        for day in np.unique(days[~np.isnan(days)])
    }
    return pa.array([known.get(day) for day in days.tolist()], pa.timestamp("us"))
