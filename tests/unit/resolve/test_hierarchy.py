"""Parents become trees: circles are cut and named, every account has one top."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.resolve.hierarchy import MAX_DEPTH, Hierarchy, make_hierarchy

SCHEMA = pa.schema({"account_id": "string", "parent_account_id": "string", "evidence": "string", "strength": "int64"})


def hierarchy(*claims: tuple[str, str, int]) -> Hierarchy:
    """From (child, parent, strength)."""
    rows = [dict(zip(SCHEMA.names, (c, p, f"{c} says {p}", s), strict=True)) for c, p, s in claims]
    return make_hierarchy(pa.Table.from_pylist(rows, SCHEMA))


def tops(found: Hierarchy) -> dict[str, str]:
    rows = found.accounts.to_pylist()
    return {row["account_id"]: row["ultimate_parent_id"] for row in rows}


def test_the_ultimate_parent_is_the_top_of_the_chain() -> None:
    found = hierarchy(("c", "b", 1), ("b", "a", 1), ("d", "a", 1))
    assert tops(found) == {"b": "a", "c": "a", "d": "a"}
    assert {row["account_id"]: row["depth"] for row in found.accounts.to_pylist()} == {"b": 1, "c": 2, "d": 1}


def test_e03_a_circle_is_cut_at_its_weakest_claim_and_names_its_accounts() -> None:
    found = hierarchy(("a", "b", 1), ("b", "a", 3), ("c", "a", 1))
    assert tops(found) == {"a": "b", "c": "b"}
    (cut,) = found.cuts.to_pylist()
    assert (cut["account_id"], cut["parent_account_id"], cut["rule"]) == ("b", "a", "parent-circle")
    assert sorted(cut["members"]) == ["a", "b"]


def test_e03_its_own_parent_is_refused() -> None:
    found = hierarchy(("a", "a", 1), ("b", "a", 1))
    assert tops(found) == {"b": "a"}
    assert [cut["account_id"] for cut in found.cuts.to_pylist()] == ["a"]


def test_e03_a_chain_too_deep_is_cut() -> None:
    names = [f"n{i:03}" for i in range(60)]
    found = hierarchy(*((child, parent, 1) for parent, child in pairwise(names)))
    assert max(row["depth"] for row in found.accounts.to_pylist()) <= MAX_DEPTH
    assert {cut["rule"] for cut in found.cuts.to_pylist()} == {"parent-depth"}


def test_no_claims_give_no_hierarchy() -> None:
    assert hierarchy().accounts.num_rows == 0


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 3))))
def test_e03_every_claim_ends_at_a_top_that_has_no_parent(claims: dict[str, tuple[str, int]]) -> None:
    found = hierarchy(*((child, parent, strength) for child, (parent, strength) in sorted(claims.items())))
    children = {row["account_id"] for row in found.accounts.to_pylist()}
    assert not children & set(tops(found).values())
    assert found.accounts.num_rows + found.cuts.num_rows == len(claims)
