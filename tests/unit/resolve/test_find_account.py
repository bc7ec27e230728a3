"""Which account is meant by what somebody types; near names for what nobody bears exactly."""

import duckdb
import pytest

from abmloop.errors import BadUsage
from scoring.names import parse_names
from tasks.find_account import accounts_of_key, find_account, similar_accounts

NAMES = {
    "A1": "上海顺云智能装备有限责任公司",
    "A2": "上海顺云智能装备有限责任公司南京分公司",
    "A3": "成都顺云餐饮管理有限公司",
    "A4": "广州元欧五金制品有限公司",
    "A5": "广州元欧五金制品有限公司",
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("create schema resolved")
    kinds = "account_id varchar, name varchar, name_key varchar, name_core varchar, alias_keys varchar[], uscc varchar"
    con.execute(f"create table resolved.accounts ({kinds}, province varchar, city varchar)")
    parsed = parse_names(list(NAMES.values())).to_pylist()
    for account_id, row in zip(NAMES, parsed, strict=True):
        values = [account_id, row["name"], row["name_key"], row["core"], [row["name_key"]], f"CODE{account_id}"]
        con.execute("insert into resolved.accounts values (?, ?, ?, ?, ?, ?, null, null)", values)
    con.execute("create table resolved.account_redirects as select 'A9' as old_account_id, 'A1' as account_id")
    con.execute("create table resolved.account_members as select 'crm:7' as row_id, 'A4' as account_id")
    return con


@pytest.mark.parametrize(
    ("key", "account_id"),
    [("A1", "A1"), ("A9", "A1"), ("codeA3", "A3"), ("crm:7", "A4"), ("上海顺云智能装备（有限责任公司）", "A1")],
)
def test_an_account_is_found_by_id_former_id_code_row_and_name(
    con: duckdb.DuckDBPyConnection, key: str, account_id: str
) -> None:
    assert [one.account_id for one in accounts_of_key(con, key)] == [account_id]


def test_a_former_id_is_told(con: duckdb.DuckDBPyConnection) -> None:
    assert find_account(con, " A9 ").former_id == "A9"


def test_namesakes_are_named_instead_of_guessed(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(BadUsage, match=r"borne by several accounts[\s\S]*A4[\s\S]*A5"):
        find_account(con, "广州元欧五金制品有限公司")


@pytest.mark.parametrize("typed", ["上海顺云智能装备", "上海顺云智能装备有限责任公司苏州分公司", "顺云智能"])
def test_what_a_sales_person_types_finds_the_company_first(con: duckdb.DuckDBPyConnection, typed: str) -> None:
    assert similar_accounts(con, typed)[0]["account_id"] == "A1"


@pytest.mark.parametrize("typed", ["火星移民有限公司", "暂无", "", "公司"])
def test_a_strange_or_empty_name_is_like_nobodys(con: duckdb.DuckDBPyConnection, typed: str) -> None:
    assert similar_accounts(con, typed) == []
