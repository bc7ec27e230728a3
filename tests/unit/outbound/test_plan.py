"""The planner: what is sent, what is left, and who wins, field by field."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scoring.policies.crm import FieldRule, MatchPolicy, ObjectRule
from tasks.outbound.crm.base import Found, Standing
from tasks.outbound.push.desk import PushPlan, plan_lines
from tasks.outbound.push.plan import Plan, Skip, plan, worth_asking

OWNERS = {"stage": "ours", "name": "fill_if_blank", "title": "newest", "status": "theirs"}


def rule(match: MatchPolicy = "upsert") -> ObjectRule:
    return ObjectRule(match=match, fields={name: FieldRule(owner=owner) for name, owner in OWNERS.items()})


def one(wanted: dict[str, Any], known: dict[str, Any] | None, found: Found | None, **more: Any) -> Plan:
    """The plan of a single record; `found` None: the CRM cannot be read."""
    present = None if found is None else {"k": found}
    return plan(
        {"k": wanted}, {} if known is None else {"k": known}, present, rule(more.pop("match", "upsert")), **more
    )


values = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3))
records = st.dictionaries(st.text(min_size=1, max_size=4), st.fixed_dictionaries(dict.fromkeys(OWNERS, values)))


@given(records, st.sampled_from(["upsert", "create_only"]), st.booleans())
def test_what_the_crm_holds_already_is_an_empty_plan(held: dict[str, Any], match: MatchPolicy, readable: bool) -> None:
    present = {key: Found("1", fields) for key, fields in held.items()} if readable else None
    made = plan(held, held, present, rule(match))
    assert not made
    assert (made.skips, made.conflicts, made.unchanged) == ((), (), len(held))
    assert list(worth_asking(held, held, rule(match))) == []


@given(records, records)
def test_after_an_applied_plan_there_is_nothing_left_to_plan(wanted: dict[str, Any], known: dict[str, Any]) -> None:
    made = plan(wanted, known, None, rule())
    after = {**known, **{one.key: {**known.get(one.key, {}), **one.fields} for one in made.changes}}
    assert not plan(wanted, after, None, rule())


@given(records)
def test_a_record_not_worth_asking_about_would_have_had_no_change(wanted: dict[str, Any]) -> None:
    known = {key: {**fields, "stage": "x"} for key, fields in list(wanted.items())[::2]}
    asked = set(worth_asking(wanted, known, rule()))
    assert {change.key for change in plan(wanted, known, None, rule()).changes} <= asked


def test_a_new_record_carries_all_but_theirs_and_no_empty_fields() -> None:
    made = one({"stage": "mql", "name": "王伟", "title": " ", "status": "open"}, None, None)
    assert [dict(change.fields) for change in made.creates] == [{"stage": "mql", "name": "王伟"}]


def test_what_a_sales_person_typed_is_never_overwritten_by_fill_if_blank() -> None:
    made = one({"name": "王伟"}, {"stage": "mql"}, Found("1", {"name": "王大伟"}))
    assert not made


def test_fill_if_blank_fills_a_field_that_is_seen_to_be_empty() -> None:
    made = one({"name": "王伟"}, {}, Found("1", {"name": " "}))
    assert dict(made.updates[0].fields) == {"name": "王伟"}


def test_fill_if_blank_does_not_fill_again_what_they_emptied() -> None:
    assert not one({"name": "王伟"}, {"name": "王伟"}, Found("1", {"name": None}))


def test_fill_if_blank_does_not_write_where_it_cannot_see() -> None:
    made = one({"name": "王伟"}, {"stage": "mql"}, None)
    assert made.skips == (Skip("k", "name", "fill_if_blank: it cannot be seen whether theirs is empty"),)
    assert not made


def test_an_empty_value_of_ours_deletes_nothing() -> None:
    assert not one({"stage": None, "title": ""}, {"stage": "mql", "title": "CTO"}, Found("1", {"stage": "mql"}))


def test_ours_is_put_back_and_the_conflict_is_said() -> None:
    made = one({"stage": "sal"}, {"stage": "mql"}, Found("1", {"stage": "hot!"}))
    assert [(one.theirs, one.winner) for one in made.conflicts] == [("hot!", "ours")]
    assert dict(made.updates[0].fields) == {"stage": "sal"}


def test_the_newest_wins_and_an_unknown_time_leaves_theirs() -> None:
    theirs = Found("1", {"title": "CEO"}, "2026-10-30T00:00:00Z")
    wanted, known = {"title": "CTO"}, {"title": "VP"}
    later = one(wanted, known, theirs, changed_at={"k": "2026-10-31T00:00:00Z"})
    earlier = one(wanted, known, theirs, changed_at={"k": "2026-10-29T00:00:00Z"})
    unknown = one(wanted, known, theirs)
    assert [bool(made) for made in (later, earlier, unknown)] == [True, False, False]
    assert [made.conflicts[0].winner for made in (later, earlier, unknown)] == ["ours", "theirs", "theirs"]


def test_newest_leaves_what_only_they_changed() -> None:
    made = one({"title": "VP"}, {"title": "VP"}, Found("1", {"title": "CEO"}))
    assert not made
    assert made.conflicts == ()


def test_update_only_creates_nothing_and_says_so() -> None:
    made = one({"stage": "mql"}, None, None, match="update_only")
    assert made.skips == (Skip("k", None, "update_only: the CRM does not hold it"),)


def test_create_only_never_updates() -> None:
    assert not one({"stage": "sal"}, {"stage": "mql"}, None, match="create_only")


def test_a_record_deleted_over_there_is_not_made_again() -> None:
    made = plan({"k": {"stage": "sal"}}, {"k": {"stage": "mql"}}, {}, rule())
    assert not made
    assert "deleted or merged" in made.skips[0].reason


def test_an_update_carries_all_we_own_so_that_no_version_depends_on_another() -> None:
    fields = {name: FieldRule() for name in ("stage", "grid")}
    made = plan(
        {"k": {"stage": "sal", "grid": "A3"}}, {"k": {"stage": "mql", "grid": "A3"}}, None, ObjectRule(fields=fields)
    )
    assert dict(made.updates[0].fields) == {"stage": "sal", "grid": "A3"}
    assert [change.field for change in made.updates[0].changed] == ["stage"]


def test_the_plan_hash_names_payload_and_starting_point() -> None:
    base = one({"stage": "sal"}, {"stage": "mql"}, None).updates[0].plan_hash
    assert base == one({"stage": "sal"}, {"stage": "mql"}, None).updates[0].plan_hash
    assert base != one({"stage": "sal"}, {"stage": "inquiry"}, None).updates[0].plan_hash
    assert base != one({"stage": "sql"}, {"stage": "mql"}, None).updates[0].plan_hash


def test_a_chinese_plan_says_in_chinese_why_something_is_left_alone() -> None:
    gone, known = {"k": {"stage": "sal"}}, {"k": {"stage": "mql"}}
    plans = [
        one({"stage": "mql"}, None, None, match="update_only"),
        one({"name": "王伟"}, {"stage": "mql"}, None),
        plan(gone, known, {}, rule()),
        plan(gone, known, {}, rule(), None, {"k": Standing("7", "other")}),
    ]
    skips = tuple(skip for made in plans for skip in made.skips)
    lines = plan_lines(PushPlan("fake:test", {"leads": Plan(skips=skips)}, ()), "zh")
    reasons = [line.partition("：")[2] for line in lines if line.startswith("  - k")]
    assert len(reasons) == 4
    assert not [one for one in reasons if re.search("[a-z]{4,} [a-z]", one)], reasons
    assert "整条记录" in "".join(lines)
