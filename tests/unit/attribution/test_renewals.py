"""Renewals by their own touches, by the first deal's, or half and half."""

from scoring.attribution.renewals import halved, inheriting
from scoring.attribution.rules import weigh
from tests.unit.attribution.worlds import EVERY_TOUCH, deals, journeys_of, rounded, touch_ids, touches

TOUCHED = touches(("t1", "2025-01-01"), ("t2", "2026-01-01"))
DEALT = deals(
    {"deal_id": "first", "created_at": "2025-01-02", "closed_at": "2025-01-03"},
    {"deal_id": "again", "type": "renewal", "created_at": "2026-01-02", "closed_at": "2026-01-03"},
    {"deal_id": "other", "type": "new", "created_at": "2026-01-02", "closed_at": "2026-01-03"},
)


def test_a_renewal_inherits_the_touches_of_the_customers_first_won_deal() -> None:
    found = journeys_of(TOUCHED, inheriting(DEALT))
    assert [touch_ids(found, TOUCHED, deal) for deal in range(3)] == [["t1"], ["t1"], ["t2"]]


def test_a_renewal_without_a_won_deal_keeps_its_own() -> None:
    alone = DEALT.slice(1, 1).set_column(2, "status", [["open"]])
    assert inheriting(alone) == alone


def test_split_gives_half_to_either_journey() -> None:
    own, inherited = journeys_of(TOUCHED, DEALT), journeys_of(TOUCHED, inheriting(DEALT))
    pairs = [(journeys, weigh(journeys, "linear", EVERY_TOUCH)) for journeys in (own, inherited)]
    journeys, weights = halved(*pairs)
    assert [(int(d), int(t)) for d, t in zip(journeys.deal, journeys.touch, strict=True)] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 1),
    ]
    assert rounded(weights.weight) == [1, 0.5, 0.5, 1]
