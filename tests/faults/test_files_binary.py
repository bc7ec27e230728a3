"""Catalogue F15-F18 and F22 of bad inputs: workbooks, archives, JSON, Parquet, and what only looks like them."""

import datetime as dt
import gzip
import io
import json
import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.unit.land.files import read_bytes, refusal, workbook

HEAD = ["企业名称", "集团", "电话"]


def saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def merged_book(tmp_path: Path) -> bytes:
    book = workbook(
        tmp_path / "m.xlsx", [HEAD, ["甲公司", "大集团", 1], ["乙公司", None, 2], ["丙公司", None, 3], [None, None, 4]]
    )
    book.active.merge_cells("B2:B4")
    book.active.merge_cells("A4:A5")
    return saved(book)


def test_f15_merged_cells_are_empty_and_a_row_that_needs_them_is_refused(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, merged_book(tmp_path), "x.xlsx", "companies")
    assert found.values("parent") == ["大集团", None, None]
    assert found.told() == ["line 5: the cell is merged with A4 and has no value of its own."]
    assert found.told("zh") == ["第 5 行：该单元格与 A4 合并，自身没有值。"]
    noted = [
        (fault["line"], fault["action"], fault["column_name"]) for fault in found.faults if fault not in found.rejected
    ]
    assert noted == [(3, "null_value", "集团"), (4, "null_value", "集团")]


def test_f15_fill_down_fills_only_what_the_mapping_names(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, merged_book(tmp_path), "x.xlsx", "companies", fill_down=("集团",))
    assert found.values("parent") == ["大集团"] * 3 and len(found.rejected) == 1


def test_f15_hidden_sheets_are_left_out_and_hidden_rows_read_and_both_told(tmp_path: Path) -> None:
    book = workbook(tmp_path / "h.xlsx", [HEAD, ["甲公司", None, 1], ["乙公司", None, 2]])
    book.active.row_dimensions[3].hidden = True
    hidden = book.create_sheet("旧数据")
    hidden.append(HEAD)
    hidden.append(["丁公司", None, 3])
    hidden.sheet_state = "hidden"
    second = book.create_sheet("说明")
    second.append(["请勿修改"])
    found = read_bytes(tmp_path, saved(book), "x.xlsx", "companies")
    assert found.values("name") == ["甲公司", "乙公司"] and found.rows[0]["sheet"] == "Sheet1"
    notes = {note.code: note.fields for note in found.read.notes}
    assert notes.keys() == {"hidden_rows", "hidden_sheet", "sheet_left_out"}
    assert notes["hidden_sheet"] == {"sheet": "旧数据", "count": "2"}
    assert len(read_bytes(tmp_path, saved(book), "x.xlsx", "companies", hidden_sheets=True).rows) == 3


def test_f16_error_values_and_formulas_without_result_are_emptied_or_refuse_the_row(tmp_path: Path) -> None:
    rows = [HEAD, ["甲公司", "#N/A", "=1+1"], ["#REF!", None, 2], ["丙公司", None, 3]]
    found = read_bytes(tmp_path, saved(workbook(tmp_path / "e.xlsx", rows)), "x.xlsx", "companies")
    assert found.values("name") == ["甲公司", "丙公司"] and found.rows[0]["phone"] is None
    assert found.told() == ["line 3: the cell holds an Excel error instead of a value."]
    noted = {(fault["rule"], fault["value"]) for fault in found.faults if fault["action"] == "null_value"}
    assert noted == {("error_value", "#N/A"), ("formula_without_value", None)}


def test_f16_numbers_and_days_become_text_without_damage(tmp_path: Path) -> None:
    rows = [["姓名", "手机", "邮箱", "x"], ["a", 13800138000, "a@b.cn", dt.date(2024, 1, 2)]]
    rows += [["b", "013800", "b@b.cn", dt.datetime(2024, 1, 2, 3, 4, 5)], ["c", 914403007152673000, "c@b.cn", 1 / 3]]
    rows += [
        ["d", "914403007152673001", "d@b.cn", 0.1],
        ["e", 1.0, "e@b.cn", dt.time(12, 30)],
        ["f", -5, "f@b.cn", 1e-7],
    ]
    found = read_bytes(tmp_path, saved(workbook(tmp_path / "n.xlsx", rows)), "x.xlsx")
    assert found.values("mobile") == ["13800138000", "013800", "914403007152673000", "914403007152673001", "1", "-5"]
    extra = [json.loads(row["extra"])["x"] for row in found.rows]
    assert extra == ["2024-01-02", "2024-01-02 03:04:05", "0.3333333333333333", "0.1", "12:30:00", "1e-07"]


def test_f16_the_1904_date_system_is_read(tmp_path: Path) -> None:
    book = workbook(tmp_path / "d.xlsx", [["邮箱", "创建时间"]])
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["a@b.cn", dt.date(2024, 1, 2)])
    found = read_bytes(tmp_path, saved(book), "x.xlsx")
    assert found.values("created_at") == ["2024-01-02"]
    assert [note.code for note in found.read.notes] == ["days_from_1904"]


def test_f16_bare_serials_of_a_workbook_from_1904_are_its_own_days(tmp_path: Path) -> None:
    book = workbook(
        tmp_path / "d.xlsx", [["邮箱", "创建时间", "x"], ["a@b.cn", 43831, 43831], ["b@b.cn", "43831.5", 1]]
    )
    assert read_bytes(tmp_path, saved(book), "x.xlsx").values("created_at") == ["43831", "43831.5"]
    book.epoch = CALENDAR_MAC_1904
    found = read_bytes(tmp_path, saved(book), "x.xlsx")
    assert found.values("created_at") == ["45293", "45293.5"] and found.rows[0]["extra"] == '{"x":"43831"}'


def test_f15_hidden_rows_are_left_out_where_the_source_says_so(tmp_path: Path) -> None:
    book = workbook(tmp_path / "h.xlsx", [HEAD, ["甲公司", None, 1], ["乙公司", None, 2], ["丙公司", None, 3]])
    book.active.row_dimensions[3].hidden = True
    book.active.auto_filter.ref = "A1:C4"
    found = read_bytes(tmp_path, saved(book), "x.xlsx", "companies", hidden_rows=False)
    assert found.values("name") == ["甲公司", "丙公司"] and found.read.tallies[0].skipped == {"hidden_row": 1}
    assert {note.code for note in found.read.notes} == {"hidden_rows_skipped", "filtered"}


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("data", "name", "en", "zh"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "x.xlsx", "a workbook protected by a password", "加密的工作簿"),
        (OLE, "x.xlsx", "an old Excel or WPS workbook (.xls, .et)", "旧版 Excel 或 WPS"),
        (OLE, "x.et", "an old Excel or WPS workbook (.xls, .et)", "旧版 Excel 或 WPS"),
        (b"<html><table><tr><td>1</td></tr></table>", "x.xls", "a web page saved under the name of a table", "网页"),
        ("姓名,手机\n张三,1\n".encode(), "x.xlsx", "plain text (CSV) named .xlsx. Rename it to .csv", "纯文本"),
        (b"%PDF-1.7", "x.csv", "a file of type PDF", "PDF"),
        (b"PAR1....PAR1", "x.csv", "named .csv, but it is parquet inside. Rename it to .parquet", "内容却是 parquet"),
    ],
)
def test_f17_a_wrong_type_says_what_it_is_and_how_to_save_it(
    tmp_path: Path, data: bytes, name: str, en: str, zh: str
) -> None:
    found = refusal(tmp_path, data, name)
    assert found.told("en").startswith(en) and zh in found.told("zh")


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_f17_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    inner = zipped({"a.csv": b"name,email\na,a@b.cn\n"})
    assert (
        refusal(tmp_path, zipped({"b.zip": inner}), "x.zip")
        .told("en")
        .startswith("an archive inside an archive (b.zip)")
    )


def test_f18_zip_and_gzip_bombs_are_refused_by_ratio(tmp_path: Path) -> None:
    zeros = b"name,email\n" + b"0" * 20_000_000
    for data, name in ((zipped({"a.csv": zeros}), "x.zip"), (gzip.compress(zeros), "x.csv.gz")):
        found = refusal(tmp_path, data, name)
        assert found.rule == "bomb" and found.told("en").startswith("it unpacks to more than")
        assert "解压后超过" in found.told("zh")


def test_f18_an_archive_that_lies_about_sizes_is_counted_while_unpacking(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": b"name,email\n" + b"a" * 3_000_000}))
    real, small = struct.pack("<I", 3_000_011), struct.pack("<I", 11)
    lying = bytes(data).replace(real, small)
    assert refusal(tmp_path, lying, "x.zip", limits={"ratio": 100_000}).rule in ("broken_archive", "bomb")


def test_f18_an_entity_bomb_in_a_workbook_is_refused(tmp_path: Path) -> None:
    book = zipfile.ZipFile(io.BytesIO(saved(workbook(tmp_path / "x.xlsx", [HEAD, ["甲", None, 1]]))))
    members = {name: book.read(name) for name in book.namelist()}
    declared = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        evil = {
            **members,
            part: declared + members[part].partition(b"?>")[2]
            if b"?>" in members[part][:60]
            else declared + members[part],
        }
        assert refusal(tmp_path, zipped(evil), "x.xlsx", "companies").rule == "bad_workbook"


def test_f18_a_sparse_workbook_is_refused_by_its_real_extent(tmp_path: Path) -> None:
    book = workbook(tmp_path / "s.xlsx", [HEAD, ["甲公司", None, 1]])
    book.active["XFD1048576"] = "x"
    found = refusal(tmp_path, saved(book), "x.xlsx", "companies", limits={"columns": 20_000})
    assert found.rule == "sparse_sheet" and "Ctrl+End" in found.told("en") and "Ctrl+End" in found.told("zh")
    assert refusal(tmp_path, saved(book), "x.xlsx", "companies").rule == "too_many_columns"


def test_f18_too_many_columns_too_long_cells_and_deep_json_are_refused(tmp_path: Path) -> None:
    wide = ",".join(["email", *(f"c{n}" for n in range(3_000))])
    assert refusal(tmp_path, f"{wide}\na@b.cn{',' * 3_000}\n").told("en").startswith("3001 columns, more than 2000")
    found = read_bytes(tmp_path, "name,email\n" + "a" * 2_000_000 + ",a@b.cn\nb,b@b.cn\n")
    assert found.told() == ["line 2: a cell of more than 1000000 characters."] and len(found.rows) == 1
    deep = b'[{"email":' + b"[" * 10_000 + b"]" * 10_000 + b"}]"
    assert refusal(tmp_path, deep, "x.json").told("en").startswith("JSON nested deeper than 100 levels")


def test_f19_a_truncated_archive_workbook_or_parquet_is_refused_not_half_read(tmp_path: Path) -> None:
    book = saved(workbook(tmp_path / "t.xlsx", [HEAD, ["甲公司", None, 1]]))
    table = parquet(pa.table({"email": ["a@b.cn"]}))
    packed = gzip.compress(b"name,email\na,a@b.cn\n" * 100)
    for data, name in ((book[:-200], "x.xlsx"), (table[:-20], "x.parquet"), (packed[:-30], "x.csv.gz")):
        assert refusal(tmp_path, data, name).rule in ("broken_archive", "bad_parquet")


def test_f22_parquet_types_become_text(tmp_path: Path) -> None:
    noon = dt.datetime(2024, 1, 2, 12)
    table = pa.table(
        {
            "contact_id": pa.array([9_007_199_254_740_993]),
            "email": pa.array(["a@b.cn"]).dictionary_encode(),
            "mobile": pa.array([13800138000.0]),
            "amount": pa.array([Decimal("12.30")]),
            "created_at": pa.array([noon], pa.timestamp("ns")),
            "zoned": pa.array([noon], pa.timestamp("us", tz="Asia/Shanghai")),
            "nested": pa.array([[{"a": 1}]]),
            "ratio": pa.array([float("nan")]),
            "name": pa.array([b"abc"], pa.binary()),
        }
    )
    found = read_bytes(tmp_path, parquet(table), "x.parquet").rows[0]
    assert (found["contact_id"], found["mobile"], found["name"]) == ("9007199254740993", "13800138000", "abc")
    assert found["created_at"] == "2024-01-02 12:00:00"
    assert json.loads(found["extra"]) == {
        "amount": "12.30",
        "nested": '[{"a": 1}]',
        "zoned": "2024-01-02 20:00:00+08:00",
    }


def test_f22_a_corrupt_parquet_footer_is_a_typed_error(tmp_path: Path) -> None:
    found = refusal(tmp_path, b"PAR1" + b"\0" * 100 + b"PAR1", "x.parquet")
    assert found.rule == "bad_parquet" and found.told("en").startswith("not readable as Parquet")


def test_f22_json_arrays_and_lines_keep_numbers_as_written(tmp_path: Path) -> None:
    record = '{"contact_id": 9007199254740993, "email": "a@b.cn", "x": 1.10, "y": true, "z": null, "w": {"a": [1]}}'
    for data, name, kind in ((f"[{record}]", "x.json", "json"), (f"{record}\n{record}\n", "x.ndjson", "ndjson")):
        found = read_bytes(tmp_path, data, name)
        assert found.read.format == kind and found.rows[0]["contact_id"] == "9007199254740993"
        assert json.loads(found.rows[0]["extra"])["x"] == "1.10"


def test_f22_json_faults_name_their_line(tmp_path: Path) -> None:
    lines = '{"email": "a@b.cn"}\n{"email": "b@b.cn", "email": "c@b.cn"}\n{"email": \n[1]\n'
    lines += '{"email": "d@b.cn", "name": NaN}\n'
    found = read_bytes(tmp_path, lines, "x.ndjson")
    assert found.values("email") == ["a@b.cn", "d@b.cn"] and found.rows[1]["name"] is None
    assert sorted(fault["line"] for fault in found.rejected) == [2, 3, 4]
    assert "line 2: the key 'email' is given twice." in found.told()
    assert [fault["rule"] for fault in found.faults if fault["action"] == "null_value"] == ["not_a_number"]
    cut = refusal(tmp_path, '[{"email": "a@b.cn"},\n {"email": "b', "x.json")
    assert cut.told("en").startswith("line 2: not readable as JSON")


def test_f22_an_object_around_the_records_is_opened(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, '{"total": 1, "data": [{"email": "a@b.cn"}]}', "x.json").values("email") == ["a@b.cn"]
    assert refusal(tmp_path, '{"total": 1, "things": [{"email": "a@b.cn"}]}', "x.json").rule == "json_no_records"


def test_f22_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    text = b"name,email\na,a@b.cn\n"
    assert read_bytes(tmp_path, gzip.compress(text), "x.csv.gz").values("email") == ["a@b.cn"]
    both = zipped({"一月.csv": text, "二月.json": b'[{"email": "b@b.cn"}]', "__MACOSX/x": b"junk"})
    found = read_bytes(tmp_path, both, "x.zip")
    assert sorted(zip(found.values("sheet"), found.values("email"), strict=True)) == [
        ("一月.csv", "a@b.cn"),
        ("二月.json", "b@b.cn"),
    ]
