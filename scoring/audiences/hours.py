"""When somebody may be reached: by the clock where they are, on days that are worked there."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import timezone as number_zones

from abmloop.calendar import zone
from scoring.policies.consent import HoursRule
from scoring.policies.routing import WorkingTime
from scoring.working_time import is_working_day

MAINLAND = "Asia/Shanghai"
LOOK_AHEAD_DAYS = 21  # longer than any run of days off
Window = tuple[datetime, datetime]


@cache
def zones_of(number: str) -> tuple[str, ...]:
    """The time zones a number (E.164) may be in; empty where nobody can say. China has one."""
    if number.startswith("+86"):
        return (MAINLAND,)
    try:
        found = number_zones.time_zones_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(one for one in found if one != "Etc/Unknown")


def rule_for(rules: Sequence[HoursRule], region: str) -> HoursRule | None:
    """The first rule of a region; None where there is none, so that any hour is right."""
    return next((one for one in rules if region in one.regions or "*" in one.regions), None)


@lru_cache(maxsize=4096)
def contact_window(at: datetime, zones: tuple[str, ...], rule: HoursRule, region: str) -> Window | None:
    """The first period from `at` on in which the clock is right in all these zones, in UTC; None within three weeks.

    `at` is aware. Of a country whose holidays are not known only the weekends count as free.
    """
    first = at.astimezone(UTC).date() - timedelta(days=1)
    for offset in range(LOOK_AHEAD_DAYS):
        day = first + timedelta(days=offset)
        if rule.days == "working" and not _is_worked(day, region):
            continue
        starts = max(datetime.combine(day, rule.starts, zone(name)).astimezone(UTC) for name in zones)
        ends = min(datetime.combine(day, rule.ends, zone(name)).astimezone(UTC) for name in zones)
        starts = max(starts, at)
        if starts < ends:
            return starts, ends
    return None


@cache
def _is_worked(day: date, region: str) -> bool:
    try:
        return is_working_day(day, WorkingTime(country=region))
    except NotImplementedError:
        return day.isoweekday() <= 5
