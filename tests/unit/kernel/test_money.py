"""Sharing cents: nothing is lost, nothing is invented, ties are settled by order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmloop.money import split_largest_remainder


def split(amount: int, weights: list[float]) -> list[int]:
    n = len(weights)
    return split_largest_remainder(np.full(n, amount), np.zeros(n, dtype=np.int64), np.array(weights)).tolist()


def test_a_cent_left_over_goes_to_the_largest_remainder() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(10, [0.55, 0.45]) == [6, 4], "both remainders are a half: the earlier row wins"


def test_a_refund_is_split_like_its_payment() -> None:
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]


def test_weights_of_nothing_share_equally() -> None:
    assert split(9, [0, 0, 0]) == [3, 3, 3]


def test_groups_do_not_touch_each_other() -> None:
    amounts, group = np.array([5, 5, 7]), np.array([1, 1, 2])
    assert split_largest_remainder(amounts, group, np.array([0.5, 0.5, 1.0])).tolist() == [3, 2, 7]


def test_time_decay_golden_case_to_the_cent() -> None:
    # Source: spec 07-attribution, half-life 7 days, touches 38, 33, 26, 8, 0 days before the close.
    weights = [2 ** (-days / 7) for days in (38, 33, 26, 8, 0)]
    assert split(1_200_000, weights) == [17519, 28744, 57488, 341704, 754545]


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**13), 10**13),
            st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=40),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_group_sums_to_its_amount(deals: list[tuple[int, list[float]]]) -> None:
    group = np.concatenate([np.full(len(weights), index) for index, (_, weights) in enumerate(deals)])
    amounts = np.concatenate([np.full(len(weights), amount) for amount, weights in deals])
    shares = split_largest_remainder(amounts, group, np.concatenate([weights for _, weights in deals]))
    for index, (amount, _) in enumerate(deals):
        assert shares[group == index].sum() == amount
        assert (np.sign(amount) * shares[group == index] >= 0).all()


@pytest.mark.parametrize("amount", [0, 1, -1])
def test_tiny_amounts_stay_whole(amount: int) -> None:
    assert sum(split(amount, [0.1] * 10)) == amount
