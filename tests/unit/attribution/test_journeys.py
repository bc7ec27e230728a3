"""Which touches stand before a deal."""

import pyarrow as pa
import pytest

from scoring.attribution.journeys import NO_ROW
from scoring.policies.attribution import AttributionPolicy
from tests.unit.attribution.worlds import EVERY_TOUCH, deals, journeys_of, touch_ids, touches


def _ids(touched: pa.Table, deal: dict[str, object], **rules: object) -> list[str]:
    policy = EVERY_TOUCH.model_copy(update=rules)
    return touch_ids(journeys_of(touched, deals(deal), policy), touched)


def test_both_ends_of_the_window_count_to_the_microsecond() -> None:
    touched = touches(
        ("before", "2026-03-01 11:59:59.999999"),
        ("start", "2026-03-01 12:00:00"),
        ("end", "2026-03-11 12:00:00"),
        ("after", "2026-03-11 12:00:00.000001"),
    )
    deal = {"created_at": "2026-03-01", "closed_at": "2026-03-11 12:00:00"}
    assert _ids(touched, deal, lookback_days=10) == ["start", "end"]


def test_no_lookback_means_without_end() -> None:
    touched = touches(("old", "1999-01-01"), ("new", "2026-03-01"))
    assert _ids(touched, {"closed_at": "2026-03-02"}, lookback_days=0) == ["old", "new"]


def test_anchor_created_ends_the_window_when_the_deal_was_opened() -> None:
    touched = touches(("t1", "2026-03-01"), ("t2", "2026-03-05"), ("t3", "2026-03-09"))
    deal = {"created_at": "2026-03-05", "closed_at": "2026-03-20"}
    assert _ids(touched, deal, anchor="created") == ["t1", "t2"]
    assert _ids(touched, deal, anchor="closed") == ["t1", "t2", "t3"]
    assert _ids(touched, deal, anchor="closed", until="opened") == ["t1", "t2"]


def test_an_open_deals_window_ends_with_the_runs_day_whatever_its_expected_closing() -> None:
    touched = touches(("t1", "2026-12-30"), ("t2", "2027-01-05"))
    assert _ids(touched, {"status": "open", "created_at": "2026-01-01", "closed_at": "2026-02-01"}) == ["t1"]


def test_touches_after_the_close_never_count_even_if_the_deal_was_opened_later() -> None:
    touched = touches(("t1", "2026-03-01"), ("t2", "2026-03-05"))
    assert _ids(touched, {"created_at": "2026-03-09", "closed_at": "2026-03-02"}, anchor="created") == ["t1"]


def test_touches_of_one_second_stand_in_the_order_of_their_ids() -> None:
    touched = touches(("b", "2026-03-01 10:00:00.1"), ("a", "2026-03-01 10:00:00.9"), ("c", "2026-03-01 09:59:59.9"))
    assert _ids(touched, {"closed_at": "2026-03-02"}) == ["c", "a", "b"]


def test_whole_number_ids_are_ordered_as_numbers() -> None:
    touched = touches(("10", "2026-03-01"), ("9", "2026-03-01"))
    touched = touched.set_column(0, "touch_id", touched["touch_id"].cast(pa.int64()))
    assert touch_ids(journeys_of(touched, deals({"closed_at": "2026-03-02"})), touched) == ["9", "10"]


REPEATED = touches(
    ("t1", "2026-03-01 09:00:00", "c1", "ad", "P1"),
    ("t2", "2026-03-01 10:00:00", "c1", "ad", "P1"),
    ("t3", "2026-03-01 11:00:00", "c1", "ad", "P2"),
    ("t4", "2026-03-01 12:00:00", "c2", "edm", "P1"),
    ("t5", "2026-03-02 09:00:00", "c1", "ad", "P1"),
    ("t6", "2026-03-03 09:00:00", "c1", "ad", None),
    ("t7", "2026-03-03 10:00:00", "c1", "ad", None),
)


@pytest.mark.parametrize(
    ("repeats", "kept"),
    [
        ("every_touch", ["t1", "t2", "t3", "t4", "t5", "t6", "t7"]),
        ("one_per_campaign_person_day", ["t1", "t3", "t4", "t5", "t6", "t7"]),
        ("collapse_consecutive", ["t1", "t4", "t5"]),
        ("first_per_campaign", ["t1", "t4"]),
    ],
)
def test_repeats_keep_the_first_and_never_take_unknown_people_for_one(repeats: str, kept: list[str]) -> None:
    assert _ids(REPEATED, {"closed_at": "2026-03-09"}, repeats=repeats) == kept


def test_the_day_of_a_repeat_is_the_local_day_where_it_is_given() -> None:
    touched = touches(("t1", "2026-03-01 15:00:00", "c1", "ad", "P1"), ("t2", "2026-03-01 17:00:00", "c1", "ad", "P1"))
    local = touched.append_column("local_day", pa.array(["2026-03-01", "2026-03-02"]).cast(pa.date32()))
    policy = AttributionPolicy()
    assert touch_ids(journeys_of(touched, deals({"closed_at": "2026-03-09"}), policy), touched) == ["t1"]
    assert touch_ids(journeys_of(local, deals({"closed_at": "2026-03-09"}), policy), local) == ["t1", "t2"]


def test_excluded_types_do_not_count() -> None:
    touched = touches(("t1", "2026-03-01", "c1", "edm", "P1", "open"), ("t2", "2026-03-01", "c1", "edm", "P1", None))
    assert _ids(touched, {"closed_at": "2026-03-09"}, excluded_types=("open",)) == ["t2"]


def test_a_touch_serves_every_deal_of_its_company_and_no_other() -> None:
    touched = touches(("t1", "2026-03-01"), ("t2", "2026-03-01", None, None, None, None, "B"))
    found = journeys_of(touched, deals({"closed_at": "2026-03-02"}, {"closed_at": "2026-03-03"}, {"party_id": None}))
    assert [touch_ids(found, touched, deal) for deal in range(3)] == [["t1"], ["t1"], []]


def test_with_people_given_only_their_touches_count() -> None:
    touched = touches(("t1", "2026-03-01", "c1", "ad", "P1"), ("t2", "2026-03-01", "c1", "ad", "P2"))
    people = pa.table({"deal": [0], "person_id": ["P2"]})
    assert touch_ids(journeys_of(touched, deals({"closed_at": "2026-03-02"}), people=people), touched) == ["t2"]


def test_anchors_are_the_last_touch_at_or_before_their_moment() -> None:
    touched = touches(("t1", "2026-03-01"), ("t2", "2026-03-03"), ("t3", "2026-03-05"), ("t4", "2026-03-07"))
    deal = {"lead_created_at": "2026-03-03", "created_at": "2026-03-06", "closed_at": "2026-03-08"}
    found = journeys_of(touched, deals(deal, deal | {"lead_created_at": "2026-02-01", "status": "lost"}))
    names = ("first", "last", "lead", "opportunity", "close")
    assert [int(found.anchor(name)[0]) for name in names] == [0, 3, 1, 2, 3]
    assert [int(found.anchor(name)[1]) for name in names] == [4, 7, NO_ROW, 6, NO_ROW]


def test_no_touch_and_no_deal_are_no_fault() -> None:
    assert len(journeys_of(touches(), deals({"closed_at": "2026-03-02"})).deal) == 0
    assert journeys_of(touches(("t1", "2026-03-01")), deals()).deal_count == 0
