"""Days and instants: a day belongs to the workspace's time zone, an instant is UTC."""

from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from abmloop.errors import BadPolicy
from abmloop.messages import said


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises BadPolicy where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadPolicy(said("workspace_time_zone", zone=name)) from error


def end_of_local_day(day: date, timezone: str) -> datetime:
    """The last second of `day` in `timezone`, as an aware UTC instant. Source: spec 00-loop (`at` from `as_of`)."""
    midnight = datetime.combine(day + timedelta(days=1), clock_time(), zone(timezone))
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def local_day(instant: datetime, timezone: str) -> date:
    """The day of an aware instant in `timezone`."""
    return instant.astimezone(zone(timezone)).date()


def month_of(day: date) -> tuple[date, date]:
    """First and last day of the day's month."""
    return _months_from(day.replace(day=1), 1)


def quarter_of(day: date, year_starts_in: int = 1) -> tuple[date, date]:
    """First and last day of the day's quarter, of a year that starts with that month (1 to 12)."""
    months = day.year * 12 + day.month - 1
    first = months - (day.month - year_starts_in) % 3
    return _months_from(date(first // 12, first % 12 + 1, 1), 3)


def _months_from(first: date, months: int) -> tuple[date, date]:
    after = first.year * 12 + first.month - 1 + months
    return first, date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
