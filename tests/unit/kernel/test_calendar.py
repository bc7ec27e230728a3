"""Days belong to the workspace's zone."""

from datetime import UTC, date, datetime

import pytest

from abmloop.calendar import end_of_local_day, local_day
from abmloop.errors import BadPolicy


def test_a_day_in_shanghai_ends_before_the_same_day_in_utc() -> None:
    assert end_of_local_day(date(2026, 10, 31), "Asia/Shanghai") == datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC)


def test_the_long_day_of_the_clock_change_ends_an_hour_later() -> None:
    assert end_of_local_day(date(2026, 11, 1), "America/New_York") == datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)


def test_just_before_midnight_is_still_the_local_day() -> None:
    assert local_day(datetime(2026, 10, 31, 15, 59, tzinfo=UTC), "Asia/Shanghai") == date(2026, 10, 31)
    assert local_day(datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "Asia/Shanghai") == date(2026, 11, 1)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(BadPolicy, match="Mars/Olympus"):
        local_day(datetime(2026, 1, 1, tzinfo=UTC), "Mars/Olympus")
