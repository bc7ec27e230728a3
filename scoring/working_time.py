"""Working time: when so many working minutes after an instant have passed, with public holidays and make-up days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from abmloop.calendar import zone
from scoring.policies.routing import WorkingTime

if TYPE_CHECKING:
    from holidays import HolidayBase

Ints = npt.NDArray[np.int64]

MINUTE_US = 60_000_000
SLACK_DAYS = 40  # longer than any run of days off


@dataclass(frozen=True)
class Shifts:
    """Working periods of consecutive local days, in microseconds UTC, and the working time before each."""

    starts: Ints
    ends: Ints
    before: Ints


@cache
def _public_holidays(country: str, year: int) -> HolidayBase:
    import holidays  # here: only a run with leads on their way needs it

    return holidays.country_holidays(country, years=year)


def is_working_day(day: date, rule: WorkingTime) -> bool:
    """Whether that local day is worked: the week, the country's holidays and make-up days, then the rule's own days.

    Where the library does not know a year's make-up days yet, its public holidays alone count.
    """
    if day in rule.more_workdays:
        return True
    if day in rule.more_holidays:
        return False
    calendar = _public_holidays(rule.country, day.year)
    if day in calendar.weekend_workdays:
        return True
    return day.isoweekday() in rule.weekdays and day not in calendar


def working_shifts(first: date, last: date, rule: WorkingTime, timezone: str) -> Shifts:
    """The working periods of the local days from `first` to `last`."""
    local = zone(timezone)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    worked = [day for day in days if is_working_day(day, rule)]

    def micros(day: date, clock: time) -> int:
        instant = datetime.combine(day, clock, local).astimezone(UTC)
        return round(instant.timestamp() * 1_000_000)

    starts = np.array([micros(day, rule.starts) for day in worked], dtype=np.int64)
    ends = np.array([micros(day, rule.ends) for day in worked], dtype=np.int64)
    return Shifts(starts, ends, np.cumsum(ends - starts) - (ends - starts))


def add_working_minutes(at: Ints, minutes: int, rule: WorkingTime, timezone: str) -> Ints:
    """The instants by which `minutes` of working time have passed since each of `at` (microseconds UTC).

    A shift's last instant belongs to it: what is due at 18:00 is due that day, not next morning at 09:00.
    """
    if not len(at):
        return at
    per_day = (rule.ends.hour - rule.starts.hour) * 60 + rule.ends.minute - rule.starts.minute
    span = (minutes // per_day + 1) * 14 // len(rule.weekdays) + SLACK_DAYS  # twice what the week alone would need
    first = datetime.fromtimestamp(int(at.min()) // 1_000_000, UTC).date() - timedelta(days=1)
    last = datetime.fromtimestamp(int(at.max()) // 1_000_000, UTC).date() + timedelta(days=span)
    shifts = working_shifts(first, last, rule, timezone)
    shift = np.searchsorted(shifts.ends, at, side="right")
    worked = shifts.before[shift] + np.maximum(at - shifts.starts[shift], 0) + minutes * MINUTE_US
    due = np.searchsorted(shifts.before, worked, side="left") - 1
    return np.asarray(shifts.starts[due] + worked - shifts.before[due])
