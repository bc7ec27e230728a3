"""Rows that share keys become accounts; two codes never do."""

import random
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.resolve.clusters import AGREE_WHERE_AMBIGUOUS, cluster_rows

KINDS = (
    "code",
    "person",
    "split",
    "registration",
    "name_city",
    "name_province",
    "name",
    "stem",
    "other_name",
    "domain",
)
STRENGTH = {kind: place for place, kind in enumerate(KINDS, start=1)}
SCHEMA = pa.schema(
    {"n": "int64", "kind": "string", "strength": "int8", "key_n": "int64", "is_definite": "bool", "has_code": "bool"}
)


def shared_keys(*rows: tuple[Any, ...], coded: str = "") -> pa.Table:
    """Rows of (row letter, kind, key number[, is_definite]); `coded` lists the letters of rows with a code."""
    columns = [
        {
            "n": ord(row[0]),
            "kind": row[1],
            "strength": STRENGTH[row[1]],
            "key_n": row[2],
            "is_definite": row[3] if len(row) > 3 else True,
            "has_code": row[0] in coded,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(columns, SCHEMA)


def clusters(keys: pa.Table) -> set[str]:
    """The clusters as words of row letters."""
    found: dict[int, str] = {}
    for row in cluster_rows(keys).rows.sort_by("n").to_pylist():
        found[row["root_n"]] = found.get(row["root_n"], "") + chr(row["n"])
    return set(found.values())


def test_rows_of_one_code_are_one_account() -> None:
    assert clusters(shared_keys(("a", "code", 1), ("b", "code", 1), ("c", "code", 1), coded="abc")) == {"abc"}


def test_two_codes_with_one_name_stay_two_accounts() -> None:
    keys = shared_keys(("a", "name_city", 1), ("b", "name_city", 1), coded="ab")
    assert clusters(keys) == {"a", "b"}
    assert cluster_rows(keys).cuts.num_rows == 0


def test_a_row_without_code_goes_with_the_only_code_of_its_name() -> None:
    assert clusters(shared_keys(("a", "name_city", 1), ("b", "name_city", 1), coded="a")) == {"ab"}


def test_a_row_between_two_codes_stays_by_itself_and_goes_to_review() -> None:
    keys = shared_keys(("x", "name_city", 1), ("y", "name_city", 1), ("r", "name_city", 1), coded="xy")
    assert clusters(keys) == {"x", "y", "r"}
    assert cluster_rows(keys).cuts.to_pylist() == [
        {"n": ord("r"), "kind": "name_city", "key_n": 1, "claimant_n": ord("x"), "claimants": 2}
    ]


def test_rows_between_two_codes_that_agree_with_each_other_are_one_account() -> None:
    keys = [("x", "name_city", 1), ("y", "name_city", 1), ("r", "name_city", 1), ("s", "name_city", 1)]
    assert clusters(shared_keys(*keys, coded="xy")) == {"x", "y", "rs"}


def test_a_chain_between_two_codes_is_cut_at_its_weakest_tie() -> None:
    keys = shared_keys(
        ("x", "registration", 1), ("r", "registration", 1),
        ("r", "domain", 2), ("s", "domain", 2),
        ("s", "name_city", 3), ("y", "name_city", 3), coded="xy",
    )  # fmt: skip
    assert clusters(keys) == {"rx", "sy"}
    cuts = cluster_rows(keys).cuts
    assert cuts.num_rows == 0, "both sides have their code before the weakest tie is looked at"


def test_a_chain_of_equal_ties_is_cut_in_its_middle() -> None:
    keys = shared_keys(
        ("x", "domain", 1), ("r", "domain", 1), ("r", "domain", 2), ("s", "domain", 2),
        ("s", "domain", 3), ("y", "domain", 3), coded="xy",
    )  # fmt: skip
    assert clusters(keys) == {"rx", "sy"}
    assert sorted((chr(cut["n"]), chr(cut["claimant_n"])) for cut in cluster_rows(keys).cuts.to_pylist()) == [
        ("r", "y"),
        ("s", "x"),
    ]


def test_a_stronger_tie_wins_over_a_weaker_one() -> None:
    keys = shared_keys(
        ("x", "name_city", 1), ("r", "name_city", 1), ("r", "registration", 2), ("y", "registration", 2), coded="xy"
    )  # fmt: skip
    assert clusters(keys) == {"ry", "x"}


def test_a_row_without_city_goes_with_the_only_account_of_its_province() -> None:
    keys = shared_keys(("a", "name_province", 1, True), ("b", "name_province", 1, False))
    assert clusters(keys) == {"ab"}


def test_a_row_without_city_goes_with_neither_of_two_namesakes() -> None:
    keys = [("a", "name_province", 1, True), ("b", "name_province", 1, True), ("c", "name_province", 1, False)]
    assert clusters(shared_keys(*keys)) >= {"c"}
    assert not any({"a", "b"} <= set(word) for word in clusters(shared_keys(*keys)))


def test_rows_that_say_nothing_of_the_place_do_not_agree_while_namesakes_are_known() -> None:
    keys = [("a", "name", 1, True), ("b", "name", 1, True), ("c", "name", 1, False), ("d", "name", 1, False)]
    assert all(len(word) == 1 for word in clusters(shared_keys(*keys)))


def test_a_name_without_legal_form_goes_with_the_only_form_and_with_neither_of_two() -> None:
    one = [("a", "stem", 1, True), ("b", "stem", 1, False)]
    assert clusters(shared_keys(*one)) == {"ab"}
    assert clusters(shared_keys(*one, ("c", "stem", 1, True))) == {"a", "b", "c"}


def test_accounts_in_two_cities_with_one_code_count_as_one_bearer_of_the_name() -> None:
    keys = shared_keys(
        ("a", "code", 1),
        ("b", "code", 1),
        ("a", "name", 2, True),
        ("b", "name", 2, True),
        ("c", "name", 2, False),
        coded="ab",
    )
    assert clusters(keys) == {"abc"}


def test_nothing_shared_gives_no_clusters() -> None:
    found = cluster_rows(SCHEMA.empty_table())
    assert (found.rows.num_rows, found.cuts.num_rows) == (0, 0)


ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(sorted(STRENGTH)), st.integers(1, 4), st.booleans()),
    max_size=25,
)
CODES = {"a": 1, "b": 2, "c": 3}


def _sound(rows: list[tuple[str, str, int, bool]]) -> list[tuple[str, str, int, bool]]:
    """Only rows with a code share codes, each its own; only some kinds leave anything open."""
    kept = [row for row in rows if row[1] != "code"]
    return [(n, kind, key, definite or kind not in AGREE_WHERE_AMBIGUOUS) for n, kind, key, definite in kept]


@settings(max_examples=200, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: list[tuple[str, str, int, bool]], rng: random.Random) -> None:
    rows = _sound(rows)
    shuffled = rng.sample(rows, len(rows))
    one = cluster_rows(shared_keys(*rows, coded="abc"))
    other = cluster_rows(shared_keys(*shuffled, coded="abc"))
    assert one.rows.equals(other.rows)
    assert sorted(map(str, one.cuts.to_pylist())) == sorted(map(str, other.cuts.to_pylist()))


@settings(max_examples=200, deadline=None)
@given(ROWS, st.permutations("abcdefghij"))
def test_other_landing_days_never_give_other_clusters(rows: list[tuple[str, str, int, bool]], order: list[str]) -> None:
    rows = _sound(rows)
    renamed = dict(zip("abcdefghij", order, strict=True))
    moved = [(renamed[n], kind, key, definite) for n, kind, key, definite in rows]
    coded = "".join(renamed[n] for n in "abc")
    expected = {frozenset(renamed[n] for n in word) for word in clusters(shared_keys(*rows, coded="abc"))}
    assert {frozenset(word) for word in clusters(shared_keys(*moved, coded=coded))} == expected


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_no_account_ever_holds_two_codes(rows: list[tuple[str, str, int, bool]]) -> None:
    for word in clusters(shared_keys(*_sound(rows), coded="abc")):
        assert len(set(word) & set(CODES)) <= 1
