"""Who is meant by a list, and when they may be reached."""

from datetime import UTC, date, datetime, time

import pyarrow as pa
import pytest

from scoring.audiences.choosing import choose
from scoring.audiences.hours import contact_window, rule_for, zones_of, zones_of_country, zones_of_person
from scoring.policies.audiences import ListRule, Message, Who, mark_faults
from scoring.policies.consent import HoursRule

AS_OF = date(2026, 10, 31)
PEOPLE = pa.table(
    {
        "stage": ["mql", "inquiry", None],
        "fit_grade": ["A", "C", "A"],
        "engagement_band": pa.array([3, 1, None], pa.int64()),
        "tier": ["1", None, "2"],
        "place_code": ["440300", "310000", None],
        "tags": [["automotive"], [], None],
        "campaigns": [["C1", "C2"], ["C2"], None],
        "is_customer": [True, False, None],
        "last_touch_on": [date(2026, 10, 1), date(2026, 1, 1), None],
        "country": ["CN", "US", None],
    }
)


@pytest.mark.parametrize(
    ("who", "chosen"),
    [
        ({}, [0, 1, 2]),
        ({"stages": ["mql", "sal"]}, [0]),
        ({"grades": ["A"], "customers": "none"}, [2]),
        ({"customers": "only"}, [0]),
        ({"tiers": ["any"]}, [0, 2]),
        ({"tiers": [2]}, [2]),
        ({"bands": [1]}, [1]),
        ({"provinces": ["44"]}, [0]),
        ({"provinces": ["440000", "310000"]}, [0, 1]),
        ({"tags": ["automotive"]}, [0]),
        ({"campaigns": ["C2"]}, [0, 1]),
        ({"touched_within_days": 30}, [0]),
        ({"untouched_for_days": 30}, [1, 2]),
        ({"countries": ["US"]}, [1]),
        ({"seniorities": ["vp"]}, []),
    ],
)
def test_a_list_holds_those_its_rule_asks_for(who: dict[str, object], chosen: list[int]) -> None:
    mask = choose(PEOPLE, Who.model_validate(who), AS_OF)
    assert [place for place, wanted in enumerate(mask.to_pylist()) if wanted] == chosen


HOURS = HoursRule.model_validate({"regions": ["*"], "starts": "09:00", "ends": "18:00", "days": "working", "why": "x"})
ALL_DAYS = HOURS.model_copy(update={"days": "all"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(when: str, zones: tuple[str, ...], rule: HoursRule = HOURS, region: str = "CN") -> tuple[str, str] | None:
    found = contact_window(at(when), zones, ((rule, region),))
    return found and (f"{found[0]:%m-%d %H:%M}", f"{found[1]:%m-%d %H:%M}")


def test_p13_nobody_is_called_in_the_night_of_where_they_are() -> None:
    assert window("2026-10-30 14:00", ("Asia/Shanghai",), ALL_DAYS) == ("10-31 01:00", "10-31 10:00")
    assert window("2026-10-30 03:00", ("Asia/Shanghai",), ALL_DAYS) == ("10-30 03:00", "10-30 10:00")
    assert window("2026-10-30 03:00", ("Europe/Berlin",), ALL_DAYS, "DE") == ("10-30 08:00", "10-30 17:00")


def test_p13_a_number_of_several_zones_is_called_when_it_is_day_in_all_of_them() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    assert window("2026-10-28 00:00", zones, HOURS, "US") == ("10-28 16:00", "10-28 22:00")
    assert window("2026-10-28 00:00", ("Asia/Shanghai", "America/New_York"), HOURS, "US") is None


def test_p13_public_holidays_and_make_up_days_count() -> None:
    # 1 to 7 October 2026 are free in China; Saturday the 10th is worked instead.
    assert window("2026-09-30 12:00", ("Asia/Shanghai",)) == ("10-08 01:00", "10-08 10:00")
    assert window("2026-10-09 12:00", ("Asia/Shanghai",)) == ("10-10 01:00", "10-10 10:00")
    assert window("2026-10-30 12:00", ("Asia/Shanghai",), HOURS, "ZZ") == ("11-02 01:00", "11-02 10:00")


def test_p13_where_a_number_is() -> None:
    assert zones_of("+8613800138001") == ("Asia/Shanghai",)
    assert zones_of("+4917654648789") == ("Europe/Berlin",)
    assert len(zones_of("+18005550100")) > 1
    assert zones_of("nothing") == ()
    rules = [HOURS.model_copy(update={"regions": ("CN",)}), ALL_DAYS]
    assert rule_for(rules, "CN") is rules[0]
    assert rule_for(rules, "DE") is ALL_DAYS
    assert rule_for(rules[:1], "DE") is None


def test_p13_who_may_be_in_two_countries_is_called_when_the_hours_of_both_are_right() -> None:
    zones = zones_of_person("+8613800138001", ("DE", "CN"))
    assert zones == ("Asia/Shanghai", "Europe/Berlin", "Europe/Busingen")
    late = HOURS.model_copy(update={"starts": time(11), "ends": time(20), "days": "all"})
    # A Thursday in spring: the German's nine o'clock is 15:00 in China, where the last call is at six.
    found = contact_window(at("2026-04-16 00:00"), zones, ((HOURS, "DE"), (ALL_DAYS, "CN")))
    assert found and (found[0].hour, found[1].hour) == (7, 10)
    both = contact_window(at("2026-04-16 00:00"), zones, ((HOURS, "DE"), (late, "CN")))
    assert both and (both[0].hour, both[1].hour) == (9, 10)
    # Easter Monday is no working day of the German; the Chinese alone would be called.
    monday = at("2026-04-06 00:00")
    both = contact_window(monday, zones, ((HOURS, "DE"), (ALL_DAYS, "CN")))
    alone = contact_window(monday, zones, ((ALL_DAYS, "CN"),))
    assert both and alone and (both[0].day, alone[0].day) == (7, 6)


def test_p13_the_clock_of_a_person_is_that_of_their_number_and_of_every_other_country_of_theirs() -> None:
    assert zones_of_person("+4917654648789", ("DE",)) == ("Europe/Berlin",)
    assert zones_of_person(None, ("SG",)) == ("Asia/Singapore",)
    assert zones_of_person("+8821612345678", ("SG",)) == ()
    assert zones_of_person("+8613800138001", ("ZZ", "CN")) == ()
    assert zones_of_country("CN") == ("Asia/Shanghai",)


GOOD = {
    "sender": "某某科技",
    "subject": "[广告] 新品",
    "text": "某某科技 退订: https://x.cn/u 1 Main St",
    "opt_out": "https://x.cn/u",
    "postal_address": "1 Main St",
}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"subject": "AD: 新品"}, []),
        ({"subject": "（广告）新品"}, []),
        ({"subject": "新品"}, ["ad_mark"]),
        ({"subject": "Advice"}, ["ad_mark"]),
        ({"sender": "别家"}, ["sender"]),
        ({"opt_out": "TD"}, ["opt_out"]),
        ({"postal_address": None}, ["postal_address"]),
    ],
)
def test_p14_a_message_without_its_marks_is_held(changes: dict[str, object], faults: list[str]) -> None:
    message = Message.model_validate(GOOD | changes)
    rule = ListRule(id="m", kind="email", message=message, why="x")
    assert mark_faults(rule, frozenset({"CN", "US"})) == faults


def test_p14_a_text_needs_no_subject_but_a_sender_and_a_way_out() -> None:
    message = Message(sender="【某某】", text="【某某】新品发布 拒收请回复R", opt_out="拒收请回复R")
    assert mark_faults(ListRule(id="t", kind="sms", message=message, why="x"), frozenset({"CN"})) == []
    assert mark_faults(ListRule(id="c", kind="call", why="x"), frozenset({"CN"})) == []
