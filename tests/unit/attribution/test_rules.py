"""What each rule model gives to whom."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.attribution.credits import split_amounts
from scoring.attribution.rules import ANCHORED, weigh, with_roles
from scoring.policies.attribution import PARTICIPATION, RULE_MODELS, AttributionPolicy
from tests.unit.attribution.worlds import EVERY_TOUCH, deals, journeys_of, rounded, touches

FIVE = touches(
    ("t1", "2026-03-01", "c1", "ad"),
    ("t2", "2026-03-03", "c2", "edm"),
    ("t3", "2026-03-05", "c1", "ad"),
    ("t4", "2026-03-07", "c3", "event"),
    ("t5", "2026-03-09", "c4", "direct"),
)
# first = t1, lead = t2, opportunity = t4, close = last = t5
DEAL = {"lead_created_at": "2026-03-04", "created_at": "2026-03-08", "closed_at": "2026-03-10"}


def _weights(model: str, deal: dict[str, str] = DEAL, touched: pa.Table = FIVE, **rules: object) -> list[float]:
    journeys = journeys_of(touched, deals(deal))
    return rounded(weigh(journeys, model, EVERY_TOUCH.model_copy(update=rules)).weight)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", [1, 0, 0, 0, 0]),
        ("last_touch", [0, 0, 0, 0, 1]),
        ("lead_creation", [0, 1, 0, 0, 0]),
        ("last_non_direct", [0, 0, 0, 1, 0]),
        ("linear", [0.2] * 5),
        ("linear_campaign", [0.125, 0.25, 0.125, 0.25, 0.25]),
        ("u_shaped", [0.4, 0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3]),
        ("u_shaped_50", [0.5, 0.5, 0, 0, 0]),
        ("position_based", [0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.4]),
        ("j_shaped", [0.2, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.6]),
        ("inverse_j", [0.6, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.2]),
        ("w_shaped", [0.3, 0.3, 0.05, 0.3, 0.05]),
        ("full_path", [0.225, 0.225, 0.1, 0.225, 0.225]),
        (PARTICIPATION, [1, 1, 0, 1, 1]),
    ],
)
def test_five_touches(model: str, expected: list[float]) -> None:
    assert _weights(model) == rounded(expected)


def test_time_decay_gives_the_golden_case_of_the_specification() -> None:
    close = np.datetime64("2026-03-31T12:00:00")
    rows = [(f"t{n}", str(close - np.timedelta64(days, "D")), f"c{n}") for n, days in enumerate([38, 33, 26, 8, 0])]
    journeys = journeys_of(touches(*rows), deals({"created_at": "2026-01-01", "closed_at": str(close)}))
    weights = weigh(journeys, "time_decay", AttributionPolicy(half_life_days=7))
    cents = split_amounts(journeys.deal, weights.weight, np.array([1_200_000]))
    assert list(cents) == [17519, 28744, 57488, 341704, 754545]


def test_time_decay_of_touches_decades_back_does_not_vanish() -> None:
    old = touches(("t1", "1970-01-01"), ("t2", "1970-01-08"))
    policy = {"lookback_days": 0}
    journeys = journeys_of(old, deals({"closed_at": "2026-03-10"}), EVERY_TOUCH.model_copy(update=policy))
    assert rounded(weigh(journeys, "time_decay", EVERY_TOUCH).weight) == rounded([1 / 3, 2 / 3])


ONE, TWO = FIVE.slice(0, 1), FIVE.slice(0, 2)


@pytest.mark.parametrize("model", [name for name in RULE_MODELS if name != "lead_creation"])
def test_one_touch_gets_everything(model: str) -> None:
    assert _weights(model, touched=ONE) == [1]


def test_two_touches_of_a_position_model_share_by_their_anchors() -> None:
    assert _weights("position_based", touched=TWO) == [0.5, 0.5]
    assert _weights("j_shaped", touched=TWO) == [0.25, 0.75]


def test_anchors_on_one_touch_add_up() -> None:
    assert _weights("w_shaped", DEAL | {"lead_created_at": "2026-03-02"}) == rounded(
        [0.6, 0.1 / 3, 0.1 / 3, 0.3, 0.1 / 3]
    )


def test_a_missing_anchors_share_joins_the_rest() -> None:
    missing = {"created_at": "2026-03-08", "closed_at": "2026-03-10"}
    assert _weights("w_shaped", missing) == rounded([0.3, 0.4 / 3, 0.4 / 3, 0.3, 0.4 / 3])
    assert _weights("u_shaped", missing) == rounded([0.4, 0.15, 0.15, 0.15, 0.15])


def test_where_every_touch_is_an_anchor_their_shares_are_normalised() -> None:
    deal = {"lead_created_at": "2026-03-01", "created_at": "2026-03-03", "closed_at": "2026-03-03"}
    assert _weights("w_shaped", deal, TWO) == rounded([2 / 3, 1 / 3])


def test_a_sole_anchor_that_is_missing_leaves_everything() -> None:
    assert _weights("lead_creation", {"created_at": "2026-03-08", "closed_at": "2026-03-10"}) == [0] * 5


def test_last_non_direct_falls_back_to_the_last() -> None:
    direct = touches(("t1", "2026-03-01", None, "direct"), ("t2", "2026-03-02", None, "direct"))
    assert _weights("last_non_direct", touched=direct) == [0, 1]


def test_a_custom_model_has_anchors_positions_and_factors() -> None:
    policy = AttributionPolicy.model_validate(
        {
            "repeats": "every_touch",
            "custom": {
                "own": {
                    "anchors": {"first": 20},
                    "positions": {-1: 40},
                    "types": {"meeting": 3},
                    "channels": {"edm": 0},
                }
            },
        }
    )
    journeys = journeys_of(FIVE, deals(DEAL), policy)
    types = pa.array([None, None, "meeting", "form", None])
    assert rounded(weigh(journeys, "own", policy, types=types).weight) == rounded([0.2, 0, 0.3, 0.1, 0.4])


def test_role_weights_raise_and_normalise_again() -> None:
    journeys = journeys_of(TWO, deals(DEAL))
    roles = pa.array(["decision maker", None])
    found = with_roles(journeys, weigh(journeys, "linear", EVERY_TOUCH), roles, {"decision maker": 3.0})
    assert rounded(found.weight) == [0.75, 0.25]


WORLDS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 40), max_size=8),  # days of touches
        st.integers(0, 40),  # created
        st.integers(0, 40),  # closed
        st.none() | st.integers(0, 40),  # lead
        st.integers(-(10**12), 10**12),  # cents
    ),
    min_size=1,
    max_size=6,
)


@given(world=WORLDS, model=st.sampled_from(RULE_MODELS))
@settings(max_examples=120, deadline=None)
def test_weights_sum_to_one_and_cents_to_the_amount(world: list[tuple], model: str) -> None:
    day = lambda number: str(np.datetime64("2026-03-01") + np.timedelta64(number, "D"))  # noqa: E731
    rows = [
        (f"t{deal}-{n}", day(at), f"c{at % 3}", ["ad", "direct"][at % 2], None, None, f"A{deal}")
        for deal, (days, *_) in enumerate(world)
        for n, at in enumerate(days)
    ]
    dealt = deals(
        *(
            {
                "party_id": f"A{deal}",
                "created_at": day(created),
                "closed_at": day(closed),
                "lead_created_at": None if lead is None else day(lead),
            }
            for deal, (_, created, closed, lead, _) in enumerate(world)
        )
    )
    journeys = journeys_of(touches(*rows), dealt)
    weight = weigh(journeys, model, EVERY_TOUCH).weight
    total = np.bincount(journeys.deal, weights=weight, minlength=len(world))
    assert ((np.abs(total - 1) < 1e-12) | (total == 0)).all()
    given_something = weight > 0
    cents = np.array([cents for *_, cents in world])
    split = split_amounts(journeys.deal[given_something], weight[given_something], cents)
    sums = np.zeros(len(world), dtype=np.int64)
    np.add.at(sums, journeys.deal[given_something], split)
    assert (sums[total > 0] == cents[total > 0]).all()
    assert (np.abs(split - weight[given_something] * cents[journeys.deal[given_something]]) < 1.001).all()


@given(seed=st.integers(0, 10_000), model=st.sampled_from(RULE_MODELS))
@settings(max_examples=60, deadline=None)
def test_rows_in_another_order_change_nothing(seed: int, model: str) -> None:
    random = np.random.default_rng(seed)
    rows = [
        (
            f"t{n}",
            f"2026-03-{1 + random.integers(20):02d}",
            f"c{random.integers(4)}",
            "ad",
            f"P{random.integers(3)}",
            None,
            f"A{random.integers(3)}",
        )
        for n in range(30)
    ]
    dealt = deals(*({"party_id": f"A{n}"} | DEAL for n in range(3)))
    policy = AttributionPolicy()

    def shared(touched: pa.Table) -> set[tuple[int, str, float]]:
        journeys = journeys_of(touched, dealt, policy)
        weight = weigh(journeys, model, policy).weight
        ids = touched["touch_id"].to_pylist()
        return {(int(d), ids[t], float(w)) for d, t, w in zip(journeys.deal, journeys.touch, weight, strict=True)}

    assert shared(touches(*rows)) == shared(touches(*(rows[place] for place in random.permutation(30))))


def test_every_anchored_model_shares_at_most_a_whole() -> None:
    assert all(sum(shares.values()) <= 100 for shares in ANCHORED.values())
