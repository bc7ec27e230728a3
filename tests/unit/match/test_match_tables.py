"""What matching promises, trap by trap: small directories, one contact each."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from abmloop.policy import parse_policy
from scoring.match import match_tables
from scoring.match.relation import relations
from scoring.match.sides import account_side, given_side
from scoring.policies.match import MatchPolicy

POLICY = parse_policy(
    (Path(__file__).parents[3] / "scoring" / "policies" / "match.yaml").read_text(encoding="utf-8"), MatchPolicy
)
NANTONG, JINHUA, GUANGZHOU, SHENZHEN, BEIJING = "320600", "330700", "440100", "440300", "110100"
# Companies that have nothing to do with the case, so that rarity means something.
OTHERS = [
    f"{place}{name}商贸有限公司"
    for place in ("武汉", "长沙")
    for name in ("永昌", "鑫隆", "广源", "海纳", "博远", "金盾")
]


def match(contact: dict[str, Any], *accounts: dict[str, Any]) -> dict[str, Any]:
    rows = [*accounts, *({"account_id": f"O{n}", "name": name} for n, name in enumerate(OTHERS))]
    columns = sorted({key for row in rows for key in row})
    directory = pa.table({key: [row.get(key) for row in rows] for key in columns})
    contacts = pa.Table.from_pylist([{"contact_id": "c", **contact}])
    return match_tables(contacts, directory, POLICY).decisions.to_pylist()[0]


def found(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["decision"], result["account_id"]


def test_a_code_decides_whatever_the_name_says() -> None:
    accounts = {"account_id": "A1", "name": "江苏宏微科技股份有限公司", "uscc": "91320411790880099C"}
    result = match({"company_name": "宏微", "uscc": "91320411790880099C"}, accounts)
    assert (*found(result), result["method"]) == ("auto", "A1", "code")


def test_v16_a_name_in_other_brackets_and_script_is_the_same() -> None:
    accounts = {"account_id": "A1", "name": "友格(天津)通讯科技有限公司"}
    assert found(match({"company_name": "友格（天津）通訊科技有限責任公司"}, accounts)) == ("auto", "A1")


def test_a_namesake_in_another_city_is_not_accepted() -> None:
    accounts = {"account_id": "A1", "name": "义乌市九洲汽车销售有限公司", "city_code": JINHUA}
    result = match({"company_name": "南通市九洲汽车销售有限公司", "city_code": NANTONG}, accounts)
    assert found(result) == ("none", None)
    assert result["runner_up_account_id"] == "A1"


def test_of_namesakes_the_one_in_the_contacts_city_is_meant() -> None:
    accounts = [
        {"account_id": "A1", "name": "恒信机械有限公司", "city_code": GUANGZHOU},
        {"account_id": "A2", "name": "恒信机械有限公司", "city_code": NANTONG},
    ]
    assert found(match({"company_name": "恒信机械有限公司", "city_code": NANTONG}, *accounts)) == ("auto", "A2")


def test_e09_of_equal_namesakes_one_waits_for_review_with_the_rule_that_broke_the_tie() -> None:
    accounts = [
        {"account_id": "A1", "name": "恒信机械有限公司", "city_code": GUANGZHOU, "first_landed_on": date(2026, 2, 1)},
        {"account_id": "A2", "name": "恒信机械有限公司", "city_code": NANTONG, "first_landed_on": date(2026, 1, 1)},
    ]
    result = match({"company_name": "恒信机械有限公司"}, *accounts)
    assert (*found(result), result["tie_break"], result["runner_up_account_id"]) == ("review", "A2", "oldest", "A1")
    assert result["margin"] == 0


@pytest.mark.parametrize(
    ("column", "tie"), [("has_open_deal", "open_deal"), ("is_customer", "customer"), ("is_target", "target")]
)
def test_relations_break_ties_before_age(column: str, tie: str) -> None:
    accounts = [
        {"account_id": "A1", "name": "恒信机械有限公司", column: False, "first_landed_on": date(2026, 1, 1)},
        {"account_id": "A2", "name": "恒信机械有限公司", column: True, "first_landed_on": date(2026, 2, 1)},
    ]
    accounts += [{"account_id": f"B{n}", "name": f"长沙远航{n}号有限公司", column: False} for n in range(2)]
    rows = [*accounts, *({"account_id": f"O{n}", "name": name, column: False} for n, name in enumerate(OTHERS))]
    directory = pa.table(
        {key: [row.get(key) for row in rows] for key in ("account_id", "name", column, "first_landed_on")}
    )
    contacts = pa.table({"contact_id": ["c"], "company_name": ["恒信机械有限公司"]})
    result = match_tables(contacts, directory, POLICY).decisions.to_pylist()[0]
    assert (result["account_id"], result["tie_break"]) == ("A2", tie)


def test_a_branch_is_not_its_company() -> None:
    accounts = {"account_id": "A1", "name": "方正科技有限公司"}
    assert found(match({"company_name": "方正科技有限公司武汉分公司"}, accounts)) == ("none", None)


def test_a_company_is_not_its_branch() -> None:
    accounts = {"account_id": "A1", "name": "方正科技有限公司武汉分公司"}
    assert found(match({"company_name": "方正科技有限公司"}, accounts)) == ("none", None)


def test_a_department_is_left_out() -> None:
    accounts = {"account_id": "A1", "name": "南昌百禾服饰有限公司"}
    assert found(match({"company_name": "南昌百禾服饰有限公司 技术中心"}, accounts)) == ("auto", "A1")


def test_a_limited_by_shares_is_not_decided_to_be_the_limited_of_that_name() -> None:
    accounts = {"account_id": "A1", "name": "南宁市雷而隆商贸有限公司"}
    result = match({"company_name": "南宁市雷而隆商贸股份有限公司"}, accounts)
    assert found(result) == ("review", "A1")
    assert "form_differs" in result["evidence"]


def test_between_both_forms_the_very_same_is_taken() -> None:
    accounts = [
        {"account_id": "A1", "name": "南宁市雷而隆商贸有限公司"},
        {"account_id": "A2", "name": "南宁市雷而隆商贸股份有限公司"},
    ]
    assert found(match({"company_name": "南宁市雷而隆商贸股份有限公司"}, *accounts)) == ("auto", "A2")


def test_one_character_of_a_short_proper_name_makes_another_company() -> None:
    accounts = {"account_id": "A1", "name": "深圳华微科技有限公司", "city_code": SHENZHEN}
    assert match({"company_name": "深圳华为科技有限公司", "city_code": SHENZHEN}, accounts)["decision"] != "auto"


def test_swapped_neighbours_are_a_slip_where_the_region_agrees() -> None:
    accounts = {"account_id": "A1", "name": "东莞利达生态农业开发有限公司"}
    assert found(match({"company_name": "东莞利达生态农业发开有限公司"}, accounts)) == ("auto", "A1")


def test_a_proper_name_of_two_characters_the_other_way_round_is_another() -> None:
    accounts = {"account_id": "A1", "name": "徽县和平种植农民专业合作社"}
    assert match({"company_name": "徽县平和种植农民专业合作社"}, accounts)["decision"] != "auto"


def test_a_short_name_with_trade_finds_its_only_company() -> None:
    accounts = {"account_id": "A1", "name": "江苏宏微科技股份有限公司"}
    result = match({"company_name": "宏微科技"}, accounts)
    assert (*found(result), result["method"]) == ("auto", "A1", "stem")


def test_two_characters_alone_are_not_decided() -> None:
    accounts = {"account_id": "A1", "name": "全椒县隆大粮油贸易有限公司"}
    assert match({"company_name": "隆大"}, accounts)["decision"] == "review"


def test_a_stated_alias_decides() -> None:
    accounts = {"account_id": "A1", "name": "江西特种电机股份有限公司", "alias_keys": ["江特电机"]}
    rows = [accounts, *({"account_id": f"O{n}", "name": name, "alias_keys": []} for n, name in enumerate(OTHERS))]
    contacts = pa.table({"contact_id": ["c"], "company_name": ["江特电机"]})
    result = match_tables(contacts, pa.Table.from_pylist(rows), POLICY).decisions.to_pylist()[0]
    assert (*found(result), result["method"]) == ("auto", "A1", "alias")


def test_an_abbreviation_in_order_is_found() -> None:
    accounts = {"account_id": "A1", "name": "江西特种电机股份有限公司"}
    result = match({"company_name": "江特电机"}, accounts)
    assert (result["account_id"], result["method"]) == ("A1", "short_name")


def test_domain_and_agreeing_name_decide() -> None:
    accounts = {"account_id": "A1", "name": "圓剛科技股份有限公司", "domain": "avermedia.com"}
    result = match({"company_name": "圆刚科技", "domain": "avermedia.com"}, accounts)
    assert (*found(result), result["method"]) == ("auto", "A1", "domain")


def test_domain_alone_decides_only_without_a_name_and_says_so() -> None:
    accounts = {"account_id": "A1", "name": "圓剛科技股份有限公司", "domain": "avermedia.com"}
    result = match({"domain": "avermedia.com"}, accounts)
    assert (*found(result), result["method"]) == ("auto", "A1", "domain_only")


def test_an_agency_with_its_own_mail_fills_a_form_for_its_client() -> None:
    accounts = {"account_id": "A1", "name": "北京蓝色传媒广告有限公司", "domain": "bluemedia.cn"}
    result = match({"company_name": "南通市九洲汽车销售有限公司", "domain": "bluemedia.cn"}, accounts)
    assert result["decision"] != "auto"


def test_v12_a_domain_of_many_accounts_is_no_evidence() -> None:
    accounts = [
        {"account_id": f"A{n}", "name": f"{name}集团有限公司", "domain": "group.cn"}
        for n, name in enumerate("甲乙丙丁戊己")
    ]
    assert found(match({"domain": "group.cn"}, *accounts)) == ("none", None)


def test_latin_brand_against_chinese_legal_name_is_found_by_domain() -> None:
    accounts = {"account_id": "A1", "name": "上海罗氏制药有限公司", "domain": "roche.com"}
    assert found(match({"company_name": "Roche", "domain": "roche.com"}, accounts)) == ("auto", "A1")


@pytest.mark.parametrize("name", ["无", "个人", "自由职业", "有限公司", "-", "test"])
def test_placeholders_match_nobody(name: str) -> None:
    accounts = {"account_id": "A1", "name": "个人护理用品有限公司"}
    result = match({"company_name": name}, accounts)
    assert (*found(result), result["method"]) == ("none", None, "no_company_name")


def test_a_person_in_the_company_field_is_no_new_account() -> None:
    result = match({"company_name": "张伟"}, {"account_id": "A1", "name": "南昌百禾服饰有限公司"})
    assert (*found(result), result["method"]) == ("none", None, "nothing_near")


def test_a_plausible_company_that_is_unknown_is_a_candidate_for_a_new_account() -> None:
    result = match({"company_name": "宁波寿全斋医药零售有限公司"}, {"account_id": "A1", "name": "南昌百禾服饰有限公司"})
    assert (*found(result), result["method"]) == ("none", None, "new_account_candidate")


def test_one_letter_of_a_long_latin_name_is_a_slip() -> None:
    accounts = {"account_id": "A1", "name": "Donakonda Industrial Park Private Limited"}
    assert found(match({"company_name": "DONAKONDA IDUSTRIAL PARK PVT LTD"}, accounts)) == ("auto", "A1")


def test_the_security_of_a_company_names_the_company() -> None:
    accounts = {"account_id": "A1", "name": "Zillow Group, Inc."}
    assert found(match({"company_name": "Zillow Group Inc. Class A Common Stock"}, accounts)) == ("auto", "A1")


def test_an_empty_directory_matches_nobody() -> None:
    contacts = pa.table({"contact_id": ["c"], "company_name": ["宏微科技"]})
    directory = pa.table({"account_id": pa.array([], pa.string()), "name": pa.array([], pa.string())})
    assert found(match_tables(contacts, directory, POLICY).decisions.to_pylist()[0]) == ("none", None)


def test_no_contacts_give_no_rows() -> None:
    contacts = pa.table({"contact_id": pa.array([], pa.string()), "company_name": pa.array([], pa.string())})
    directory = pa.table({"account_id": ["A1"], "name": ["宏微科技股份有限公司"]})
    assert match_tables(contacts, directory, POLICY).decisions.num_rows == 0


def test_e08_the_order_of_rows_changes_nothing() -> None:
    names = [
        f"{place}{name}科技有限公司"
        for place in ("武汉", "长沙", "南通")
        for name in ("永昌", "鑫隆", "广源", "永昌达")
    ]
    accounts = [{"account_id": f"A{n:02}", "name": name} for n, name in enumerate(names)]
    contacts = [
        {"contact_id": f"c{n}", "company_name": name}
        for n, name in enumerate([*names[3:], "永昌", "鑫隆科技", "广原科技"])
    ]

    def decided(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[dict[str, Any]]:
        table = match_tables(pa.Table.from_pylist(one), pa.Table.from_pylist(other), POLICY).decisions
        return table.sort_by("contact_id").to_pylist()

    assert decided(contacts, accounts) == decided(contacts[::-1], accounts[::-1])


@pytest.mark.parametrize(
    ("named", "account", "relation"),
    [
        ("江苏宏微科技股份有限公司", "江苏宏微科技股份有限公司", "same"),
        ("江苏宏微科技股份有限公司", "江苏宏微科技股份有限公司南京分公司", "branch"),
        ("江苏宏微科技股份有限公司南京分公司", "江苏宏微科技股份有限公司", "parent"),
        ("宏微科技集团有限公司", "宏微科技有限公司", "branch"),
        ("宏微科技有限公司", "宏微科技集团有限公司", "parent"),
        ("宏微科技", "宏微科技集团有限公司", "same"),
    ],
)
def test_a_match_tells_whether_the_account_is_the_company_named_or_another_of_its_house(
    named: str, account: str, relation: str
) -> None:
    given, names = given_side(pa.table({"contact_id": ["c"], "company_name": [named]}))
    accounts = account_side(pa.table({"account_id": ["A1"], "name": [account]}))
    row = np.zeros(1, np.int64)
    assert relations(given, names, accounts, (row, row)).tolist() == [relation]


def test_only_who_has_an_account_has_a_relation_to_it() -> None:
    account = {"account_id": "A1", "name": "江苏宏微科技股份有限公司"}
    assert match({"company_name": "江苏宏微科技股份有限公司"}, account)["relation"] == "same"
    assert match({"company_name": "成都绿源餐饮有限公司"}, account)["relation"] is None
