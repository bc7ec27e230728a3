"""The match queue as a list and as a sheet: out, filled in, and back, with every fault named by its place."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from tasks.match.decisions import record_review, remembered_decisions, undo_review
from tasks.match.review_queue import decided_list, review_list
from tasks.match.review_sheet import Imported, export_review, import_review
from tests.unit.match.published import published
from warehouse.ledger import Ledger

BY = Person("wang", date(2026, 10, 31))
Fill = Callable[[dict[int, dict[int, str]]], Path]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return published()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.of(tmp_path)


@pytest.fixture
def filled(con: duckdb.DuckDBPyConnection, ledger: Ledger, tmp_path: Path) -> Fill:
    """Writes the queue as a workbook with such cells (line → column from 1 → text) filled in."""

    def fill(cells: dict[int, dict[int, str]]) -> Path:
        path = tmp_path / "复核.xlsx"
        export_review(con, ledger, path, "zh")
        book = openpyxl.load_workbook(path)
        for line, row in cells.items():
            for column, text in row.items():
                book["review"].cell(line, column).value = text
        book.save(path)
        return path

    return fill


def taken(con: duckdb.DuckDBPyConnection, ledger: Ledger, path: Path) -> Imported:
    return import_review(con, ledger, path, (BY, "王"))


def verdicts(ledger: Ledger) -> list[tuple[str, str, str | None]]:
    rows = remembered_decisions(ledger.read("decisions")).to_pylist()
    return [(row["row_id"], row["verdict"], row["account_row_id"]) for row in rows]


def test_a_filled_in_workbook_is_the_decisions_in_it_and_taken_twice_the_same(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, filled: Fill
) -> None:
    path = filled({2: {1: "接受", 3: "名片"}, 3: {1: "choose", 2: "甲公司"}})
    done = taken(con, ledger, path)
    assert (len(done.decisions), done.known, done.empty) == (2, 0, 0)
    assert verdicts(ledger) == [("crm:c1", "accept", "qcc:1"), ("crm:c2", "choose", "qcc:1")]
    assert taken(con, ledger, path) == Imported([], 2, 0)
    assert ledger.read("decisions")["reason"].to_pylist() == ["名片", ""]


def test_a_csv_goes_round_too_and_rows_left_empty_decide_nothing(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "review.csv"
    assert export_review(con, ledger, path, "en") == 2
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[1][:3] == ["", "", ""]
    assert rows[2][rows[0].index("Company as given")] == "'=1+1"
    rows[2][0] = "Reject"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)
    assert taken(con, ledger, path).empty == 1
    assert verdicts(ledger) == [("crm:c2", "reject", "qcc:2")]


def test_every_fault_is_named_by_sheet_line_and_column_and_nothing_is_written(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, filled: Fill
) -> None:
    path = filled({2: {1: "也许"}, 3: {1: "另选"}})
    with pytest.raises(BadUsage) as told:
        taken(con, ledger, path)
    lines = told.value.told("zh").splitlines()
    assert lines[0].startswith("复核.xlsx (review)，第 2 行，列“决定”：“也许”不是有效的决定")
    assert lines[1].startswith("复核.xlsx (review)，第 3 行，列“另选企业（编号、信用代码或名称）”：为空")
    assert lines[2].startswith("共 2 处错误")
    assert verdicts(ledger) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({1: "accept", 2: "A2"}, "the decision is another than to choose"),
        ({2: "A2"}, "'-' is no decision"),
        ({1: "choose", 2: "nobody"}, "no account 'nobody'"),
        ({1: "accept", 4: "P9"}, "No person P9"),
        ({1: "accept", 4: ""}, "no longer says whom"),
        ({1: "accept", 4: "P2"}, "decided on in line 2 already"),
    ],
)
def test_what_cannot_be_is_told(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, filled: Fill, cells: dict[int, str], said: str
) -> None:
    path = filled({2: {1: "reject", 4: "P2"}, 3: {4: "P1"} | cells})
    with pytest.raises(BadUsage, match=said):
        taken(con, ledger, path)
    assert verdicts(ledger) == []


def test_a_file_that_is_no_queue_says_so(con: duckdb.DuckDBPyConnection, ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadUsage, match="no header was recognised"):
        taken(con, ledger, path)
    with pytest.raises(BadUsage, match=r"\.xlsx, \.csv"):
        export_review(con, ledger, tmp_path / "queue.pdf", "en")


def test_what_is_decided_leaves_the_list_at_once_and_comes_back_when_undone(
    con: duckdb.DuckDBPyConnection, ledger: Ledger
) -> None:
    decision = record_review(con, ledger, BY, "P1", "accept", actor="王", reason="名片")
    assert [row["person_id"] for row in review_list(con, ledger=ledger)] == ["P2"]
    (listed,) = decided_list(con, ledger)
    told = {name: listed[name] for name in ("verdict", "person_id", "account_id", "actor", "reason", "is_in_use")}
    assert told == {
        "verdict": "accept", "person_id": "P1", "account_id": "A1", "actor": "王", "reason": "名片", "is_in_use": False,
    }  # fmt: skip
    undo_review(ledger, BY, decision)
    assert [row["person_id"] for row in review_list(con, ledger=ledger)] == ["P1", "P2"]
    assert decided_list(con, ledger) == []


def test_each_row_of_the_list_bears_the_accounts_to_choose_from(con: duckdb.DuckDBPyConnection) -> None:
    first = review_list(con, 1)[0]
    assert [near["account_id"] for near in first["near"]] == ["A1", "A2"]
