"""Rows that are tied become accounts; two codes never do."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.resolve.clusters import APART, APART_SO_FAR, LINK, LINK_SURE, NO_CODE, Ties, cluster_rows

ROWS = "abcdefghij"
Tie = tuple[str, str, int, int]


def clusters(*ties: Tie, codes: dict[str, int] | None = None) -> set[str]:
    """The clusters of several rows as words; a tie is (row, row, strength, verdict)."""
    code = np.array([(codes or {}).get(row, NO_CODE) for row in ROWS], dtype=np.int64)
    columns = [np.array([ROWS.index(tie[side]) for tie in ties], dtype=np.int64) for side in (0, 1)]
    numbers = [np.array([tie[place] for tie in ties], dtype=np.int64) for place in (2, 3)]
    found: dict[int, str] = {}
    for row, first in zip(ROWS, cluster_rows(code, Ties(columns[0], columns[1], numbers[0], numbers[1])), strict=True):
        found[int(first)] = found.get(int(first), "") + row
    return {word for word in found.values() if len(word) > 1}


def test_rows_of_one_code_are_one_account() -> None:
    assert clusters(codes={"a": 1, "b": 1, "c": 1}) == {"abc"}


def test_e02_two_codes_stay_two_accounts_whatever_ties_them() -> None:
    assert clusters(("a", "b", 90, LINK_SURE), codes={"a": 1, "b": 2}) == set()


def test_a_row_without_code_goes_with_the_only_code_it_is_tied_to() -> None:
    assert clusters(("a", "b", 6, LINK), codes={"a": 1}) == {"ab"}


def test_a_row_between_two_codes_stays_by_itself() -> None:
    assert clusters(("a", "c", 6, LINK), ("b", "c", 6, LINK), codes={"a": 1, "b": 2}) == set()


def test_a_stronger_tie_wins_over_a_weaker_one() -> None:
    assert clusters(("a", "c", 6, LINK), ("b", "c", 7, LINK), codes={"a": 1, "b": 2}) == {"bc"}


def test_e02_a_chain_of_equal_ties_between_two_codes_is_cut_in_its_middle() -> None:
    ties = [("a", "c", 6, LINK), ("c", "d", 6, LINK), ("d", "b", 6, LINK)]
    assert clusters(*ties, codes={"a": 1, "b": 2}) == {"ac", "bd"}


def test_a_row_that_two_namesakes_claim_goes_with_neither() -> None:
    assert clusters(("a", "c", 6, LINK), ("b", "c", 6, LINK), ("a", "b", 0, APART_SO_FAR)) == set()


def test_a_sure_link_outweighs_what_only_looks_like_a_namesake() -> None:
    ties = [("a", "b", 7, LINK_SURE), ("b", "c", 6, LINK_SURE), ("a", "c", 0, APART_SO_FAR)]
    assert clusters(*ties) == {"abc"}


def test_what_must_be_apart_stays_apart_on_any_chain() -> None:
    ties = [("a", "b", 7, LINK_SURE), ("b", "c", 6, LINK_SURE), ("a", "c", 0, APART)]
    assert clusters(*ties) == {"ab"}


def test_nothing_tied_gives_no_clusters() -> None:
    assert clusters() == set()


TIES = st.lists(
    st.tuples(
        st.sampled_from(ROWS),
        st.sampled_from(ROWS),
        st.integers(4, 7),
        st.sampled_from([LINK, LINK_SURE, APART_SO_FAR, APART]),
    ).filter(lambda tie: tie[0] < tie[1]),
    max_size=25,
    unique_by=lambda tie: tie[:2],
)
CODES = {"a": 1, "b": 2, "c": 3}


@settings(max_examples=200, deadline=None)
@given(TIES, st.randoms(use_true_random=False))
def test_e08_order_of_ties_changes_nothing(ties: list[Tie], rng: random.Random) -> None:
    shuffled = [(b, a, *rest) if rng.random() < 0.5 else (a, b, *rest) for a, b, *rest in rng.sample(ties, len(ties))]
    assert clusters(*ties, codes=CODES) == clusters(*shuffled, codes=CODES)


@settings(max_examples=200, deadline=None)
@given(TIES, st.permutations(ROWS))
def test_other_names_of_the_rows_never_give_other_clusters(ties: list[Tie], order: list[str]) -> None:
    renamed = dict(zip(ROWS, order, strict=True))
    moved = [(renamed[a], renamed[b], strength, verdict) for a, b, strength, verdict in ties]
    expected = {frozenset(renamed[row] for row in word) for word in clusters(*ties, codes=CODES)}
    found = clusters(*moved, codes={renamed[row]: code for row, code in CODES.items()})
    assert {frozenset(word) for word in found} == expected


@settings(max_examples=200, deadline=None)
@given(TIES)
def test_e02_no_account_ever_holds_two_codes_or_rows_that_must_be_apart(ties: list[Tie]) -> None:
    for word in clusters(*ties, codes=CODES):
        assert len(set(word) & set(CODES)) <= 1
        assert not any(verdict == APART and {a, b} <= set(word) for a, b, _, verdict in ties)
