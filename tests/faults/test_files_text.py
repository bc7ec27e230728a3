"""Catalogue F01-F14 of bad inputs: delimited text. Each fault gives its message; what is good is loaded."""

from pathlib import Path

import pytest

from tests.unit.land.files import read_bytes, refusal

HEAD = "企业名称,统一社会信用代码,电话\n"


def test_f01_bom_before_the_first_header_and_inside_concatenated_files(tmp_path: Path) -> None:
    one = ("\ufeff" + HEAD + "甲公司,91,1\n").encode()
    found = read_bytes(tmp_path, one + ("\ufeff" + HEAD + "乙公司,92,2\n").encode(), entity="companies")
    assert found.values("name") == ["甲公司", "乙公司"]
    assert [note.code for note in found.read.notes] == ["inner_bom"]
    assert found.read.tallies[0].skipped == {"repeated_header": 1}


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-8", "utf-8")],
)
def test_f02_encodings_of_chinese_exports_are_told_apart(tmp_path: Path, encoding: str, name: str) -> None:
    text = HEAD + "".join(f"深圳市第{n}科技有限公司,9{n},1{n}\n" for n in range(20))
    found = read_bytes(tmp_path, text.encode(encoding), entity="companies")
    assert found.read.encoding == name and (found.read.confidence or 0) >= 0.9
    assert found.rows[3]["name"] == "深圳市第3科技有限公司"


def test_f02_big5_is_not_read_as_gb18030(tmp_path: Path) -> None:
    text = "公司名稱,電話\n" + "臺灣積體電路製造股份有限公司,1\n鴻海精密工業股份有限公司,2\n聯發科技股份有限公司,3\n"
    found = read_bytes(tmp_path, text.encode("big5"), entity="companies")
    assert found.read.encoding == "big5" and found.rows[0]["name"] == "臺灣積體電路製造股份有限公司"


def test_f02_excel_unicode_text_is_tab_and_utf_16(tmp_path: Path) -> None:
    text = "姓名\t手机\r\n张三\t13800138000\r\n"
    found = read_bytes(tmp_path, text.encode("utf-16"), "x.txt")
    assert found.read.format == "tsv" and found.values("mobile") == ["13800138000"]


def test_f03_utf_8_wins_over_gb18030_where_both_decode(tmp_path: Path) -> None:
    data = "姓名,手机\n中文中文,1\n".encode()
    assert data.decode("gb18030")
    assert read_bytes(tmp_path, data).values("name") == ["中文中文"]


@pytest.mark.parametrize(("most", "few"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_f04_a_line_in_another_encoding_is_named_with_its_byte(tmp_path: Path, most: str, few: str) -> None:
    good = "".join(f"深圳市第{n}科技有限公司,9{n},1{n}\n" for n in range(10))
    data = (HEAD + good).encode(most) + "1,北京测试有限公司,2\n".encode(few) + "上海最后有限公司,93,3\n".encode(most)
    found = read_bytes(tmp_path, data, entity="companies")
    assert len(found.rows) == 11 and found.values("name")[-1] == "上海最后有限公司"
    assert found.told() == ["line 12, byte 3: not in the encoding of the rest of the file."]
    assert found.told("zh") == ["第 12 行第 3 个字节：与文件其余部分的编码不同。"]


@pytest.mark.parametrize("broken", ["锟斤拷科技", "CafÃ© GmbH", "北京\ufffd有限公司", "鐢佃瘽有限公司"])
def test_f05_mojibake_is_kept_and_flagged(tmp_path: Path, broken: str) -> None:
    found = read_bytes(tmp_path, f"{HEAD}{broken},91,1\n", entity="companies")
    assert found.values("name") == [broken]
    assert [(fault["action"], fault["rule"], fault["value"]) for fault in found.faults] == [
        ("flag", "mojibake", broken)
    ]


def test_f06_a_wrong_delimiter_is_an_error_not_one_column(tmp_path: Path) -> None:
    found = refusal(tmp_path, "email;name\na@b.cn;x\n", delimiter="，", columns={"email": 1}, header_row=1)
    assert found.rule == "one_column"
    assert found.told("en").startswith("read as one column, but its header 'email;name' holds the delimiter ';'.")
    assert "只读出一列" in found.told("zh")


def test_f07_unterminated_quote_names_its_line(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + '甲公司,91,1\n"乙公司,92,2\n丙公司,93,3\n', entity="companies")
    assert found.values("name") == ["甲公司", "丙公司"]
    assert found.told()[0].startswith("line 3: a quote is opened and never closed")
    assert found.told("zh")[0].startswith("第 3 行：引号打开后没有关闭")


def test_f07_a_quote_inside_a_field_names_its_line(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + '甲"华南"公司,91,1\n丙公司,93,3\n', entity="companies")
    assert found.values("name") == ["丙公司"] and found.told()[0].startswith("line 2: a quote stands inside a field")


def test_f07_a_backslash_escape_names_its_line(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + '"甲\\"华南\\"公司",91,1\n丙公司,93,3\n', entity="companies")
    assert found.values("name") == ["丙公司"] and found.told()[0].startswith(
        "line 2: a quote is escaped by a backslash"
    )


def test_f08_ragged_rows_tell_expected_and_found(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + "甲公司,91,1\n乙公司,92\n丙公司,93,3,4\n", entity="companies")
    assert found.values("name") == ["甲公司"]
    assert found.told() == ["line 3: 3 cells expected, 2 found.", "line 4: 3 cells expected, 4 found."]
    assert found.told("zh")[0] == "第 3 行：应有 3 个单元格，实际有 2 个。"
    assert found.rejected[0]["raw_row"] == '{"text": "乙公司,92"}'


def test_f09_a_line_break_in_a_cell_is_one_record_with_record_and_line_number(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + '"甲\n公司",91,1\r\n乙公司,92,2\r丙公司,93,3\n', entity="companies")
    assert found.values("name") == ["甲\n公司", "乙公司", "丙公司"]
    assert [(row["record"], row["line"]) for row in found.rows] == [(1, 2), (2, 4), (3, 5)]


def test_f10_nul_and_control_characters_are_refused_with_their_line(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + "甲\x00公司,91,1\n乙\x1b公司,92,2\n丙\t公司,93,3\n", entity="companies")
    assert found.values("name") == ["丙\t公司"]
    assert found.told() == [f"line {line}: holds NUL or another control character." for line in (2, 3)]


@pytest.mark.parametrize(
    ("data", "rule", "en"),
    [
        ("", "empty_file", "the file is empty (0 bytes)"),
        (" \n\t\n", "blank_file", "the file holds only white space"),
        (HEAD, "header_only", "there is a header but no row below it"),
        (HEAD + ",,\n\n,,\n", "blank_rows_only", "below the header there are only blank rows"),
    ],
)
def test_f11_empty_files_have_different_messages(tmp_path: Path, data: str, rule: str, en: str) -> None:
    found = refusal(tmp_path, data, entity="companies")
    assert found.rule == rule and found.told("en").startswith(en) and found.told("zh") != found.told("en")


@pytest.mark.parametrize(
    ("head", "en"),
    [
        ("企业名称,电话,电话\n甲,1,2\n", "the header '电话' stands in columns 2, 3."),
        ("企业名称,Phone No,phone_no\n甲,1,2\n", "the header 'Phone No' stands in columns 2, 3."),
        ("企业名称,,电话\n甲,1,2\n", "columns 2 have values but no header in line 1."),
    ],
)
def test_f12_doubled_and_blank_headers_name_their_positions(tmp_path: Path, head: str, en: str) -> None:
    assert refusal(tmp_path, head, entity="companies").told("en").startswith(en)


def test_f12_a_blank_header_over_an_empty_column_does_no_harm(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "企业名称,电话,\n甲公司,1,\n", entity="companies").values("phone") == ["1"]


@pytest.mark.parametrize(
    "header", ["公司名称(必填)", "公司 名称", "ＣＯＭＰＡＮＹ　ＮＡＭＥ", "company_name ", "*企业名称", "名称（全称）"]
)
def test_f13_decorated_headers_are_recognised(tmp_path: Path, header: str) -> None:
    assert read_bytes(tmp_path, f"备注,{header}\nx,甲公司\n", entity="companies").values("name") == ["甲公司"]


def test_f13_missing_columns_give_a_table_of_have_and_need(tmp_path: Path) -> None:
    found = refusal(tmp_path, "姓名,城市\n张三,深圳\n")
    assert found.rule == "missing_columns"
    assert "Have: 姓名, 城市." in found.told("en") and "email (邮箱, 电子邮箱, 邮箱地址)" in found.told("en")
    assert "现有：姓名, 城市。" in found.told("zh")


def test_f13_a_file_without_any_known_header_is_refused_not_guessed(tmp_path: Path) -> None:
    found = refusal(tmp_path, "aa,bb\n1,2\n")
    assert found.rule == "no_header" and "Have: aa, bb." in found.told("en") and "没有识别出表头" in found.told("zh")


def test_f14_title_rows_totals_and_notes_are_skipped_and_counted(tmp_path: Path) -> None:
    text = (
        "2026年3月客户清单,,\n导出时间：2026-03-01,,\n\n"
        + HEAD
        + "甲公司,91,1\n合计,,1\n共1000条\n数据来源：企查查,,\n"
    )
    found = read_bytes(tmp_path, text, entity="companies")
    assert found.values("name") == ["甲公司"] and found.rows[0]["line"] == 5
    assert found.read.tallies[0].skipped == {"title_row": 2, "blank_row": 1, "footer_row": 3}


def test_f14_a_configured_header_row_is_taken(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "电话,名称,城市\nx,企业名称,y\n1,甲公司,2\n", entity="companies", header_row=2)
    assert found.values("name") == ["甲公司"]


def test_f14_a_company_is_no_total_because_of_its_name(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, HEAD + "合计科技有限公司,91,1\nTotal SE,92,2\n", entity="companies")
    assert len(found.rows) == 2
