"""Headers: every synonym of the registry is understood, doubts are told, mappings win."""

from pathlib import Path

import pytest

from tasks.land.entities import bare_header, entities, plain_header, raw_tables
from tasks.land.headers import Reading, understand
from tasks.land.sheets import Header
from tests.unit.land.files import read_bytes, refusal
from warehouse.tables import parse_spec


@pytest.mark.parametrize("name", list(entities()))
def test_every_listed_header_means_its_column(name: str) -> None:
    entity = entities()[name]
    for column in entity.columns:
        for header in column.headers:
            assert entity.lookup[plain_header(header)][0] == column.name


def test_raw_tables_are_declared_as_the_warehouse_declares_tables() -> None:
    for table, declared in raw_tables().items():
        spec = parse_spec(table, declared)
        assert {"extra", "source", "file_sha", "line", "row_hash", "run_id"} < set(spec.columns)


def test_decorations_and_width_do_not_matter() -> None:
    assert bare_header("公司名称（必填）*") == plain_header("公司名称")
    assert plain_header("Ｅ－mail ") == plain_header("e_mail")


def test_headers_in_traditional_script_mean_the_same_columns() -> None:
    lookup = entities()["contacts"].lookup
    given = {"郵箱": "email", "手機": "mobile", "公司名稱": "company_name", "職稱": "title", "部門": "department"}
    assert {header: lookup[plain_header(header)][0] for header in given} == given


def test_of_two_headers_for_one_column_the_preferred_wins_and_the_other_is_kept() -> None:
    header = Header(("公司", "企业名称"), 1, 1)
    understood = understand(header, Reading("companies"))
    assert understood.columns == {"name": 1} and understood.extra == {0: "公司"}


def test_one_header_may_feed_two_columns(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "mql_id,day\nx,2018-01-01\n", entity="touches", columns={
        "touch_id": "mql_id", "contact_id": "mql_id", "occurred_at": "day"}, constants={"type": "form"})  # fmt: skip
    assert (found.rows[0]["touch_id"], found.rows[0]["contact_id"], found.rows[0]["type"]) == ("x", "x", "form")


def test_doubled_headers_can_be_mapped_by_position(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "姓名,电话,电话\n张三,1,2\n", columns={"phone": 2, "mobile": 3})
    assert (found.rows[0]["phone"], found.rows[0]["mobile"]) == ("1", "2")


def test_a_mapped_header_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "姓名,手机\n张三,1\n", columns={"city": "城市名"})
    assert found.read.notes[0].code == "mapped_header_missing"


def test_a_header_in_two_rows_is_read_as_one(tmp_path: Path) -> None:
    text = "企业名称,统一社会信用代码,联系信息,\n,,电话,邮箱\n甲公司,91,1,a@b.cn\n"
    found = read_bytes(tmp_path, text, entity="companies")
    assert (found.rows[0]["name"], found.rows[0]["phone"], found.rows[0]["email"]) == ("甲公司", "1", "a@b.cn")


def test_a_header_text_is_inert_in_sql_and_json(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, 'email,"x\'); drop table y; --","a""b\\"\na@b.cn,1,2\n')
    assert found.rows[0]["extra"] == '{"a\\"b\\\\":"2","x\'); drop table y; --":"1"}'


def test_missing_columns_are_told_in_both_languages(tmp_path: Path) -> None:
    found = refusal(tmp_path, "金额,币种\n1,CNY\n", entity="orders")
    assert "Need: order_id (id, 订单编号, 订单ID). Have: 金额, 币种." in found.told("en")
    assert "缺少 orders 必需的列" in found.told("zh")


def test_the_row_hash_knows_values_not_places(tmp_path: Path) -> None:
    one = read_bytes(tmp_path, "name,email,备注\na,a@b.cn,x\n").rows[0]
    other = read_bytes(tmp_path, "标题行\n备注,Email,姓名\ny,q@b.cn,b\nx,a@b.cn,a\n").rows[1]
    assert one["row_hash"] == other["row_hash"] and one["line"] != other["line"]


def test_a_unit_in_the_header_reaches_the_value(tmp_path: Path) -> None:
    text = '企业名称,注册资本(万元),营业收入\n甲公司,"1,000.5",3\n乙公司,500万美元,\n'
    found = read_bytes(tmp_path, text, entity="companies")
    assert found.values("registered_capital") == ["1,000.5万元", "500万美元"] and found.values("revenue") == ["3", None]
    assert [note.fields for note in found.read.notes] == [{"header": "注册资本(万元)", "unit": "万元"}]


def test_a_unit_above_the_table_reaches_every_amount_without_one(tmp_path: Path) -> None:
    text = "客户清单,单位：万元,\n企业名称,注册资本,Annual Revenue (USD million)\n甲公司,10,2\n"
    row = read_bytes(tmp_path, text, entity="companies").rows[0]
    assert (row["registered_capital"], row["revenue"]) == ("10万元", "2millionusd")


def test_minutes_given_in_seconds_or_hours_become_minutes(tmp_path: Path) -> None:
    for unit, wanted in (("秒", "1.5"), ("hours", "5400")):
        found = read_bytes(tmp_path, f"邮箱,时间,观看时长({unit})\na@b.cn,2026-01-01,90\n", entity="touches")
        assert found.values("minutes") == [wanted]
