"""Tags follow their rules, first rule first, with what showed it."""

from typing import Any

import pytest

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tests.unit.resolve.accounts import accounts

POLICY = """
groups:
  size: {exclusive: true, why: one}
  trade: {exclusive: false, why: many}
rules:
  - {id: large, tag: large, group: size, when: [{field: employees, band: {at_least: 1000}}], why: big}
  - {id: small, tag: small, group: size, when: [{field: employees, band: {below: 2000}}], why: rest}
  - {id: ai, tag: ai, group: trade, keywords: [ai, 人工智能], over: [name], why: words}
  - {id: maker, tag: maker, group: trade, when: [{field: industry_section, equals: C}], why: code}
  - {id: maker_by_name, tag: maker, group: trade, keywords: [机械], over: [name, scope], why: words}
  - {id: near, tag: near, group: trade, when: [{region: ["4403", "31"]}], why: place}
"""


def tags(*rows: dict[str, Any], policy: str = POLICY) -> set[tuple[str, str, str, str]]:
    found = tag_accounts(accounts(*rows), parse_policy(policy, TagsPolicy)).rows.to_pylist()
    return {(row["account_id"], row["tag_id"], row["rule_id"], row["evidence"]) for row in found}


def test_an_exclusive_group_gives_one_tag_by_the_first_rule_that_holds() -> None:
    assert tags({"employees": 1500}, {"employees": 10}) == {
        ("A0", "large", "large", "employees 1500"),
        ("A1", "small", "small", "employees 10"),
    }


def test_what_is_not_known_earns_no_tag() -> None:
    assert tags({"name": "甲"}) == set()


def test_a_tag_stands_once_with_its_first_rule() -> None:
    assert tags({"industry_section": "C", "name": "宏达机械"}) == {("A0", "maker", "maker", "industry_section C")}


def test_keywords_are_looked_for_in_every_field_named() -> None:
    assert tags({"name": "宏达", "scope": "销售机械设备"}) == {("A0", "maker", "maker_by_name", "scope 机械")}


def test_latin_keywords_are_whole_words() -> None:
    assert tags({"name": "Maintain Inc", "name_key": "maintaininc"}) == set()
    assert tags({"name": "Deep AI Inc", "name_key": "deepaiinc"}) == {("A0", "ai", "ai", "name AI")}


def test_traditional_names_meet_simplified_keywords() -> None:
    assert tags({"name": "宏達機械", "name_key": "宏达机械"}) == {("A0", "maker", "maker_by_name", "name 机械")}


def test_a_region_is_meant_with_all_places_within() -> None:
    found = tags({"district_code": "440305"}, {"city_code": "440100"}, {"province_code": "310000"}, {})
    assert found == {("A0", "near", "near", "region 440305"), ("A2", "near", "near", "region 310000")}


def test_only_columns_that_rules_ask_for_are_read() -> None:
    assert tag_columns(parse_policy(POLICY, TagsPolicy)) == [
        "city_code", "district_code", "employees", "industry_section", "name", "name_key", "province_code", "scope",
    ]  # fmt: skip


def test_no_accounts_and_no_rules_give_no_tags() -> None:
    assert tags() == set()
    assert tags({"name": "甲"}, policy="version: 1") == set()


def test_all_faults_of_the_file_are_told_with_line_and_key() -> None:
    with pytest.raises(BadPolicy) as error:
        parse_policy(
            """groups: {}
rules:
  - {id: a, tag: a, group: size, why: x}
  - {id: b, tag: b, group: size, when: [{field: name, band: {at_least: 1}}], why: x}
  - {id: c, tag: c, group: size, when: [{field: nam, equals: 1}], why: x}
""",
            TagsPolicy,
        )
    message = str(error.value)
    assert "tags.yaml:3: rules[0]: give conditions (when), keywords, or both" in message
    assert "tags.yaml:4: rules[1].when[0]: name is no number" in message
    assert "tags.yaml:5: rules[2].when[0].field" in message


def test_a_rule_for_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadPolicy, match="near: there is no group trade"):
        parse_policy("rules: [{id: near, tag: near, group: trade, when: [{region: ['31']}], why: x}]", TagsPolicy)
