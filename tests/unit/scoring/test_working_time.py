"""Working time with the public holidays and make-up days of China."""

from datetime import date, datetime

import numpy as np
import pytest

from abmloop.calendar import zone
from scoring.policies.routing import WorkingTime
from scoring.working_time import add_working_minutes, is_working_day

RULE = WorkingTime()


def _due(at: str, minutes: int, rule: WorkingTime = RULE, timezone: str = "Asia/Shanghai") -> str:
    local = zone(timezone)
    micros = round(datetime.fromisoformat(at).replace(tzinfo=local).timestamp() * 1_000_000)
    due = int(add_working_minutes(np.array([micros]), minutes, rule, timezone)[0])
    return datetime.fromtimestamp(due // 1_000_000, local).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("at", "minutes", "due"),
    [
        ("2026-03-03 10:00", 60, "2026-03-03 11:00"),
        ("2026-03-03 17:30", 60, "2026-03-04 09:30"),
        ("2026-03-03 06:00", 60, "2026-03-03 10:00"),
        ("2026-03-03 23:00", 60, "2026-03-04 10:00"),
        ("2026-03-03 09:00", 540, "2026-03-03 18:00"),  # due that evening, not next morning
        ("2026-03-06 17:00", 120, "2026-03-09 10:00"),  # over a weekend
        ("2026-02-13 17:30", 60, "2026-02-14 09:30"),  # 14 February 2026, a Saturday, is made up
        ("2026-02-14 17:30", 60, "2026-02-24 09:30"),  # Spring Festival
        ("2026-09-30 17:30", 60, "2026-10-08 09:30"),  # National Day
    ],
)
def test_due_times_skip_what_is_not_worked(at: str, minutes: int, due: str) -> None:
    assert _due(at, minutes) == due


def test_days_announced_later_can_be_added() -> None:
    rule = WorkingTime(more_holidays=(date(2026, 3, 4),), more_workdays=(date(2026, 3, 7),))
    assert _due("2026-03-03 17:30", 60, rule) == "2026-03-05 09:30"
    assert _due("2026-03-06 17:30", 60, rule) == "2026-03-07 09:30"


def test_a_year_whose_make_up_days_are_not_announced_has_its_public_holidays() -> None:
    assert not is_working_day(date(2031, 10, 1), RULE)


def test_one_working_day_a_week_and_a_hundred_hours_come_to_an_end() -> None:
    assert _due("2026-03-02 09:00", 6000, WorkingTime(weekdays=(1,)))[:4] == "2026"


def test_hours_across_a_clock_change_are_hours_on_the_clock() -> None:
    assert _due("2026-03-27 17:30", 60, WorkingTime(country="DE"), "Europe/Berlin") == "2026-03-30 09:30"
