"""Delimited text: dialect, quoting, lines; the columnar way reads what Python's csv module reads."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.land.csv_index import index_block
from tests.unit.land.files import read_bytes

PIECES = st.sampled_from(["a", "ü", "中", '"', ",", ";", "\n", "\r\n", " ", "1", "'"])
CELLS = st.lists(PIECES, max_size=6).map("".join)
TABLES = st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(table=TABLES, line_end=st.sampled_from(["\n", "\r\n"]), all_quoted=st.booleans())
def test_reads_what_the_csv_module_reads(
    tmp_path: Path, table: list[list[str]], line_end: str, all_quoted: bool
) -> None:
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=line_end, quoting=quoting)
    writer.writerow(["contact_id", "email", "备注"])  # a Han letter: nothing else tells ü from 眉
    writer.writerows([[f"id{number}", *cells[1:]] for number, cells in enumerate(table)])
    expected = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1:]
    found = read_bytes(tmp_path, stream.getvalue())
    assert not found.rejected
    assert found.values("contact_id") == [row[0] for row in expected]
    assert found.values("email") == [row[1] if row[1].strip() else None for row in expected]


@pytest.mark.parametrize("size", [40, 100, 1000])
def test_small_blocks_give_the_same_records_as_one(size: int) -> None:
    data = b"".join(b'id%d,"a\n""b"",c",x\n' % number for number in range(50))
    starts, at = [], 0
    while at < len(data):
        index = index_block(data, at, size, ord(","), 3)
        starts += [at + int(start) for start in index.starts]
        size = size if len(index.starts) else size * 2
        at = index.stop
    whole = index_block(data, 0, len(data), ord(","), 3)
    assert starts == whole.starts.tolist()
    assert whole.fault is None and set(whole.cells.tolist()) == {3}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_finds_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    text = (
        delimiter.join(["姓名", "手机", "备注"])
        + "\n"
        + delimiter.join(["张三", "138", '"a' + delimiter + 'b"'])
        + "\n"
    )
    found = read_bytes(tmp_path, text)
    assert found.read.dialect["delimiter"] == delimiter
    assert found.rows[0]["extra"] == '{"备注":"a' + delimiter.replace("\t", "\\t") + 'b"}'


def test_a_comma_in_a_title_row_does_not_make_the_comma_the_delimiter(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "导出, 2026, 三月, 全部\n姓名;手机\n张三;138\n")
    assert found.read.dialect["delimiter"] == ";" and found.values("name") == ["张三"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_the_same_with_any_line_end(tmp_path: Path, line_end: str) -> None:
    text = line_end.join(["name,email,x", '"a', 'b",a@b.cn,1', "c,c@d.cn,2", "d,d@d.cn"]) + line_end
    found = read_bytes(tmp_path, text)
    assert [(row["line"], row["record"]) for row in found.rows] == [(2, 1), (4, 2)]
    assert found.rejected[0]["line"] == 5 and found.rejected[0]["record"] == 3


def test_blank_cells_are_null_and_nothing_inside_is_stripped(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "name,email,title\n  张 三 ,a@b.cn,\u3000\n")
    assert found.rows[0]["name"] == "  张 三 " and found.rows[0]["title"] is None


def test_many_broken_lines_are_each_named_and_no_other_is_lost(tmp_path: Path) -> None:
    lines = ["name,email,x"] + [f'"broken{n},a@b.cn,x' if n % 7 == 3 else f"n{n},a{n}@b.cn,x" for n in range(500)]
    found = read_bytes(tmp_path, "\n".join(lines) + "\n")
    broken = [n + 2 for n in range(500) if n % 7 == 3]
    assert [fault["line"] for fault in found.rejected] == broken
    assert len(found.rows) == 500 - len(broken)


def test_an_open_quote_that_swallows_whole_lines_is_seen(tmp_path: Path) -> None:
    lines = ["contact_id,name,email,x", '1,"a,a@b.cn,1', "2,b,b@b.cn,1", "3,c,c@b.cn,1", '4,d",d@b.cn,1']
    found = read_bytes(tmp_path, "\n".join(lines))
    assert found.values("contact_id") == ["2", "3"]
    assert [fault["line"] for fault in found.rejected] == [2, 5]


def test_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "name,email\na,a@b.cn").values("email") == ["a@b.cn"]


def test_a_repeated_header_of_a_concatenated_file_is_skipped(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "name,email\na,a@b.cn\nname,email\nb,b@b.cn\n")
    assert len(found.rows) == 2 and found.read.tallies[0].skipped == {"repeated_header": 1}
