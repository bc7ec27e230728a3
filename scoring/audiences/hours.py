"""When somebody may be reached: by the clock where they are, on days that are worked there."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers
from phonenumbers import timezone as number_zones

from abmloop.calendar import zone
from scoring.policies.consent import HoursRule
from scoring.policies.routing import WorkingTime
from scoring.values.phones import country_of_number
from scoring.working_time import is_working_day

MAINLAND = "Asia/Shanghai"
LOOK_AHEAD_DAYS = 21  # longer than any run of days off
Window = tuple[datetime, datetime]
Asked = tuple[HoursRule, str]


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


@cache
def zones_of_country(country: str) -> tuple[str, ...]:
    """The time zones of a country (ISO 3166), by the zone database; empty where it has none. China has one."""
    if country == "CN":
        return (MAINLAND,)
    lines = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return tuple(sorted(row[2] for row in rows if row[0] == country))


def zones_of_person(number: str | None, regions: Sequence[str]) -> tuple[str, ...]:
    """The time zones in all of which it must be day: those of the number, and of every other region of the person.

    Empty where nobody can say of one of them.
    """
    others = [one for one in regions if number is None or one != country_of_number(number)]
    found = [zones_of_country(one) for one in others] + ([zones_of(number)] if number else [])
    return tuple(sorted(set().union(*found))) if all(found) else ()


def rule_for(rules: Sequence[HoursRule], region: str) -> HoursRule | None:
    """The first rule of a region; None where there is none, so that any hour is right."""
    return next((one for one in rules if region in one.regions or "*" in one.regions), None)


@lru_cache(maxsize=4096)
def contact_window(at: datetime, zones: tuple[str, ...], asked: tuple[Asked, ...]) -> Window | None:
    """The first period from `at` on in which the clock is right in all these zones, in UTC; None within three weeks.

    `at` is aware; `asked` are the rules with the regions they stand for, all of which hold at once. Of a country
    whose holidays are not known only the weekends count as free.
    """
    first = at.astimezone(UTC).date() - timedelta(days=1)
    for offset in range(LOOK_AHEAD_DAYS):
        day = first + timedelta(days=offset)
        if any(rule.days == "working" and not _is_worked(day, region) for rule, region in asked):
            continue
        opens, closes = max(rule.starts for rule, _ in asked), min(rule.ends for rule, _ in asked)
        starts = max(datetime.combine(day, opens, zone(name)).astimezone(UTC) for name in zones)
        ends = min(datetime.combine(day, closes, zone(name)).astimezone(UTC) for name in zones)
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
