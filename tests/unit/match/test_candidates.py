"""Who becomes a candidate, by which kind of key."""

from typing import Any

import pyarrow as pa
import pytest

from scoring.match.tables import find_pairs
from scoring.policies.match import MatchPolicy
from tests.unit.match.test_match_tables import POLICY

ACCOUNTS = [
    {"account_id": "jiangte", "name": "江西特种电机股份有限公司"},
    {"account_id": "huawei", "name": "深圳华为技术有限公司", "domain": "huawei.com.cn"},
    {"account_id": "zhongtai", "name": "杭州中泰深冷技术股份有限公司"},
    {"account_id": "xinning", "name": "成都市鑫宁建筑安装有限公司", "city_code": "510100", "province_code": "510000"},
    {"account_id": "miniso", "name": "MINISO Group Holding Limited"},
    {"account_id": "goldres", "name": "Gold Resource Corporation"},
    {"account_id": "asml", "name": "Advanced Semiconductor Materials Lithography"},
    {"account_id": "netscout", "name": "Net Scout Systems Inc"},
    {"account_id": "other", "name": "苏州市大华机械厂"},
]


@pytest.mark.parametrize(
    ("contact", "account", "via"),
    [
        ({"company_name": "江特电机"}, "jiangte", "short"),
        ({"company_name": "中泰股份"}, "zhongtai", "short"),
        ({"company_name": "鑫宁建筑按装有限公司"}, "xinning", "slip"),
        ({"company_name": "成都鑫建筑安装有限公司"}, "xinning", "slip"),
        ({"company_name": "成都鑫宁筑建安装有限公司"}, "xinning", "slip"),
        ({"company_name": "成都欣凝建筑安庄有限公司"}, "xinning", "sound"),
        ({"company_name": "成都鑫宁公司"}, "xinning", "core_place"),
        ({"company_name": "四川欣宁集团"}, "xinning", "sound_place"),
        ({"company_name": "Huawei"}, "huawei", "romanised"),
        ({"domain": "huawei.com"}, "huawei", "label"),
        ({"domain": "huawei-tech.cn"}, None, "label"),
        ({"domain": "netscoutsystems.com"}, "netscout", "brand"),
        (
            {"company_name": "MINISO Group Holding Limited American Depositary Shares each representing four"},
            "miniso",
            "phrase",
        ),
        ({"company_name": "GOLD RES CORP."}, "goldres", "starts"),
        ({"company_name": "ASML"}, "asml", "initials"),
        ({"company_name": "NetScout Systems"}, "netscout", "letters"),
    ],
)
def test_a_written_variant_finds_its_account(contact: dict[str, str], account: str | None, via: str) -> None:
    assert _found(contact, via) == ([account] if account else [])


def test_a_contact_met_by_its_whole_name_is_looked_for_no_further() -> None:
    pairs, _, directory = find_pairs(_contacts({"company_name": "深圳华为技术有限公司"}), _accounts(), POLICY)
    assert [directory.side.ids[row] for row in pairs.account] == ["huawei"]


def test_a_key_that_too_many_accounts_hold_finds_nobody() -> None:
    rule = POLICY.candidates.model_copy(update={"most_shared": {"starts": 1}})
    policy = POLICY.model_copy(update={"candidates": rule})
    more = [*ACCOUNTS, {"account_id": "again", "name": "Gold Reserve Inc"}]
    assert _found({"company_name": "GOLD RES CORP."}, "starts", policy) == ["goldres"]
    assert _found({"company_name": "GOLD RES CORP."}, "starts", policy, more) == []


def test_the_order_of_the_directory_changes_no_candidate() -> None:
    for contact in ({"company_name": "江特电机"}, {"company_name": "Huawei Technologies"}, {"domain": "huawei.com"}):
        forward, _, one = find_pairs(_contacts(contact), _accounts(), POLICY)
        backward, _, other = find_pairs(_contacts(contact), _accounts(ACCOUNTS[::-1]), POLICY)
        assert set(one.side.ids[forward.account]) == set(other.side.ids[backward.account])


def _found(
    contact: dict[str, str], via: str, policy: MatchPolicy = POLICY, accounts: list[dict[str, str]] | None = None
) -> list[Any]:
    pairs, _, directory = find_pairs(_contacts(contact), _accounts(accounts or ACCOUNTS), policy)
    return [directory.side.ids[row] for row in pairs.account[pairs.via[via]]]


def _contacts(contact: dict[str, str]) -> pa.Table:
    return pa.Table.from_pylist([{"contact_id": "c"} | contact])


def _accounts(rows: list[dict[str, str]] | None = None) -> pa.Table:
    columns = ("account_id", "name", "domain", "province_code", "city_code")
    schema = pa.schema([(name, pa.string()) for name in columns])
    return pa.Table.from_pylist(rows or ACCOUNTS, schema=schema)
