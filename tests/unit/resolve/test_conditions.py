"""Each kind of condition: where it holds, that nothing unknown ever holds but `missing`, and what it shows."""

from typing import Any

import pytest

from scoring.conditions import evidence, holds, is_known
from scoring.policies.conditions import Condition
from tests.unit.resolve.accounts import accounts

MAKER = {
    "name": "Deep 苏州宏达机械有限公司",
    "industry_section": "C",
    "employees": 300,
    "is_branch": False,
    "registered_capital": 5_000_000,
    "province_code": "320000",
    "city_code": "320500",
    "scope": "AI 与 machinery",
}
SHOP = {"name": "北京丽人商行", "industry_section": "F", "employees": 2, "is_branch": True, "province_code": "110000"}


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"field": "employees", "band": {"at_least": 300, "below": 1000}}, "employees 300"),
        ({"field": "registered_capital", "band": {"at_least": 5_000_000}}, "registered_capital 5000000.00"),
        ({"field": "industry_section", "equals": "C"}, "industry_section C"),
        ({"field": "is_branch", "equals": False}, "is_branch false"),
        ({"field": "industry_section", "in": ["B", "C"]}, "industry_section C"),
        ({"field": "employees", "in": [300, 500]}, "employees 300"),
        ({"field": "name", "contains": ["化工", "机械"]}, "name 机械"),
        ({"field": "scope", "contains": ["Machinery"]}, "scope machinery"),
        ({"region": ["32"]}, "region 320500"),
        ({"region": ["3205"]}, "region 320500"),
        ({"tag": ["hot"]}, "tag hot"),
    ],
)
def test_a_condition_holds_for_the_maker_not_for_the_shop_nor_the_unknown(
    condition: dict[str, Any], shown: str
) -> None:
    table = accounts(MAKER, SHOP, {})
    one = Condition.model_validate(condition)
    tags = {"hot": holds(Condition.model_validate({"field": "employees", "equals": 300}), table, {})}
    assert holds(one, table, tags).tolist() == [True, False, False]
    assert evidence(one, table.slice(0, 1)).to_pylist() == [shown]


def test_missing_holds_only_where_nothing_is_known() -> None:
    assert holds(Condition(field="employees", missing=True), accounts(MAKER, {}), {}).tolist() == [False, True]


@pytest.mark.parametrize("condition", [{"field": "employees", "band": {"below": 1000}}, {"region": ["44"]}])
def test_a_test_could_be_made_only_where_its_field_is_known(condition: dict[str, Any]) -> None:
    known = is_known(Condition.model_validate(condition), accounts(MAKER, {}))
    assert known is not None
    assert known.tolist() == [True, False]


def test_a_latin_word_is_looked_for_as_a_whole_word_in_any_case() -> None:
    words = Condition(field="scope", contains=("ai",))
    assert holds(words, accounts({"scope": "We do AI."}, {"scope": "maintain"}), {}).tolist() == [True, False]
