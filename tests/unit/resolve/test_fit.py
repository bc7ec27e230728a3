"""The fit is the sum of its log, within its caps; missing values earn nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy, read_policy
from scoring.fit import fit_columns, grade_accounts, targets_by_rule
from scoring.policies.icp import IcpPolicy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tests.unit.resolve.accounts import accounts

DEFAULTS = Path(__file__).parents[3] / "scoring" / "policies"
POLICY = """
groups:
  size: {cap: 30, why: x}
  trade: {cap: 60, why: x}
  away: {cap: 1, why: x}
criteria:
  - {id: big, group: size, field: employees, band: {at_least: 100}, points: 25, why: x}
  - {id: rich, group: size, field: registered_capital, band: {at_least: 1000}, points: 20, why: x}
  - {id: maker, group: trade, field: industry_section, in: [C, D], points: 50, why: x}
  - {id: tagged, group: trade, tag: hot, points: 20, why: x}
  - {id: closed, group: away, field: status, equals: cancelled, points: -40, why: x}
  - {id: silent, group: away, field: website, missing: true, points: -5, why: x}
targets:
  - {id: best, tier: "1", grades: [A], why: grade A}
  - {id: good, tier: "2", grades: [A, B], when: [{field: status, equals: active}], why: open}
"""
BEST = {"employees": 100, "registered_capital": 1000, "industry_section": "C", "website": "a.cn"}
POORER = {**BEST, "registered_capital": None}


def fit(*rows: dict[str, Any], hot: tuple[int, ...] = ()) -> pa.Table:
    table = accounts(*rows)
    mask = np.isin(np.arange(table.num_rows), hot)
    return grade_accounts(table, {"hot": mask}, parse_policy(POLICY, IcpPolicy))


def points(*rows: dict[str, Any], hot: tuple[int, ...] = ()) -> list[float]:
    return [float(value) for value in fit(*rows, hot=hot)["fit_points"].to_pylist()]


def test_a_group_gives_no_more_than_its_cap() -> None:
    found = fit({"employees": 500, "registered_capital": 5000, "website": "a.cn"})
    assert found["fit_points"].to_pylist() == [30]
    assert (found["criteria"].to_pylist(), found["criterion_points"].to_pylist()) == ([[0, 1]], [[25, 5]])


def test_missing_values_earn_nothing_and_lower_completeness() -> None:
    found = fit({"employees": 500, "website": "a.cn"}).to_pylist()[0]
    assert (found["fit_points"], found["completeness"]) == (25, pytest.approx(25 / 95))


def test_negative_points_are_not_capped_but_the_total_stays_at_0() -> None:
    assert points({"employees": 500, "status": "cancelled", "website": "a.cn"}, {"industry_section": "C"}) == [0, 45]


def test_tags_count_as_criteria() -> None:
    assert points({"industry_section": "D", "website": "a.cn"}, {"website": "a.cn"}, hot=(0,)) == [60, 0]


def test_grades_follow_the_edges() -> None:
    found = fit(BEST, POORER, {"industry_section": "C", "website": "a.cn"}, {"website": "a.cn"})
    assert found["fit_points"].to_pylist() == [80, 75, 50, 0]
    assert found["grade"].to_pylist() == ["A", "B", "C", "D"]


def test_the_first_target_rule_that_holds_gives_tier_and_reason() -> None:
    table = accounts(BEST, {**POORER, "status": "active"}, POORER)
    policy = parse_policy(POLICY, IcpPolicy)
    graded = grade_accounts(table, {}, policy)["grade"]
    assert [tuple(row.values()) for row in targets_by_rule(table, graded, {}, policy).to_pylist()] == [
        ("A0", "1", "best", "grade A", None, None),
        ("A1", "2", "good", "open", None, None),
    ]


def test_no_profile_grades_everybody_d() -> None:
    found = grade_accounts(accounts({"name": "甲"}), {}, parse_policy("version: 1", IcpPolicy))
    assert (found["grade"].to_pylist(), found["criteria"].to_pylist()) == (["D"], [[]])


ROW = st.fixed_dictionaries(
    {},
    optional={
        "employees": st.integers(0, 400),
        "registered_capital": st.integers(0, 2000),
        "industry_section": st.sampled_from("CDF"),
        "status": st.sampled_from(["active", "cancelled"]),
        "website": st.just("a.cn"),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_points_are_the_sum_of_the_log_and_between_0_and_100(rows: list[dict[str, Any]], hot: set[int]) -> None:
    found = fit(*rows, hot=tuple(hot))
    for row in found.to_pylist():
        assert sum(row["criterion_points"]) == pytest.approx(row["fit_points"])
        assert 0 <= row["fit_points"] <= 100
        assert 0 <= row["completeness"] <= 1


@settings(max_examples=50, deadline=None)
@given(st.lists(ROW, min_size=2, max_size=8), st.data())
def test_any_subset_of_accounts_gets_the_same_rows(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    policy = parse_policy(POLICY, IcpPolicy)
    table = accounts(*rows)
    chosen = pa.array(data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)), pa.int32())
    assert grade_accounts(table.take(chosen), {}, policy).equals(grade_accounts(table, {}, policy).take(chosen))


def test_missing_never_earns_points() -> None:
    text = POLICY.replace("points: -5", "points: 5")
    with pytest.raises(BadPolicy, match=r"icp.yaml:\d+: criteria\[5\]: what is missing never earns points"):
        parse_policy(text, IcpPolicy)


def test_a_manufacturer_of_500_in_jiangsu_is_grade_a_by_the_default_rules() -> None:
    icp, tags = read_policy(DEFAULTS / "icp.yaml", IcpPolicy), read_policy(DEFAULTS / "tags.yaml", TagsPolicy)
    maker = {"name": "苏州宏达机械有限公司", "industry_section": "C", "industry_division": "34", "employees": 500}
    shop = {"name": "苏州宏达商贸有限公司", "industry_section": "F", "employees": 30}
    given = [{**maker, "status": "active"}, {**shop, "status": "active"}, {**maker, "status": "cancelled"}]
    table = accounts(*({**row, "province_code": "320000"} for row in given))
    columns = {"account_id", *tag_columns(tags), *fit_columns(icp)}
    table = table.select([name for name in table.column_names if name in columns])
    assert grade_accounts(table, tag_accounts(table, tags).masks, icp)["grade"].to_pylist() == ["A", "D", "D"]


def test_every_default_rule_says_why_and_caps_add_up_to_100() -> None:
    icp = read_policy(DEFAULTS / "icp.yaml", IcpPolicy)
    assert all(len(one.why) > 5 for one in icp.criteria)
    assert sum(group.cap for name, group in icp.groups.items() if name != "refusal") == 100
