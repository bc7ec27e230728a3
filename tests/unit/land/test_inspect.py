"""Inspecting: any file, anywhere, told in plain words of both languages, by the same reader that lands it."""

from pathlib import Path

import pytest

from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities
from tasks.land.inspecting import FileReport, inspect_any, inspect_file, name_in_inbox
from tasks.land.suggesting import snippet, suggest
from tasks.land.telling import inspection_lines
from tests.unit.land.files import read_bytes, workbook

ROWS = [
    ["2026年3月重点客户清单（单位：万元）"],
    ["公司名称(必填)", "统一社会信用代码", "联系 电话", "注册资本", "主体经营状态", "您的话题"],
    ["华为技术有限公司", "914403001922038216", "1.38E+10", 4044113, "在业", "云"],
    [None, None, "0755-86013388", None, "在业", None],
    ["合计", None, None, 4044113],
]


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("messy") / "重点客户_20260301.xlsx"
    book = workbook(path, ROWS)
    book.create_sheet("说明").append(["请勿修改"])
    book.save(path)
    return path


@pytest.fixture(scope="module")
def report(messy: Path) -> FileReport:
    return inspect_any(messy, SourcesPolicy(), "zh")


def test_what_its_rows_are_is_guessed_with_the_runner_up(report: FileReport) -> None:
    assert report.guesses[0].entity == "companies" and report.guesses[1].is_whole
    assert report.sheets == [("Sheet1", 5), ("说明", 1)] and report.dialect["header_row"] == 2


def test_each_header_says_how_it_was_understood(report: FileReport) -> None:
    headers = {header.header: (header.column, header.how) for header in report.entities[0].headers}
    assert headers == {
        "公司名称(必填)": ("name", "bare"), "统一社会信用代码": ("uscc", "synonym"), "联系 电话": ("phone", "synonym"),
        "注册资本": ("registered_capital", "synonym"), "主体经营状态": (None, "unknown"), "您的话题": (None, "unknown"),
    }  # fmt: skip


def test_an_unknown_header_gets_suggestions_and_lines_to_paste(report: FileReport) -> None:
    unknown = next(header for header in report.entities[0].headers if header.header == "主体经营状态")
    assert unknown.suggestions[0][:2] == ("status", "经营状态") and unknown.samples == ["在业"]
    assert report.entities[0].snippet[-1] == '        columns: {status: "主体经营状态"}'
    assert report.entities[0].snippet[1:3] == ["  - name: 重点客户", '    files: ["companies/重点客户*"]']


def test_what_would_be_refused_emptied_and_skipped_is_told(report: FileReport) -> None:
    about = report.entities[0]
    assert (about.rows_in, about.rows_loaded, about.rows_quarantined) == (4, 1, 1)
    assert about.skipped == {"title_row": 1, "footer_row": 1} and about.refused_by_rule == {"missing_one_of": 1}
    assert [(each.column, each.rule, each.line) for each in about.values] == [("phone", "phone-scientific", 3)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            [
                "Excel 工作簿",
                "其次可能是",
                "表头在第 2 行",
                "最接近：status (经营状态, 80%)",
                "会拒收 1 行",
                "会置空",
                "单位（万元）",
            ],
        ),
        ("en", ["Excel workbook", "next likely", "the header is line 2", "nearest: status", "1 rows would be refused"]),
    ],
)
def test_it_is_told_in_plain_words(messy: Path, report: FileReport, language: str, words: list[str]) -> None:
    found = report if language == "zh" else inspect_any(messy, SourcesPolicy(), language)
    text = "\n".join(inspection_lines(found, language))
    assert [word for word in words if word not in text] == []


def test_inspecting_and_landing_agree(messy: Path, report: FileReport, tmp_path: Path) -> None:
    landed = read_bytes(tmp_path, messy.read_bytes(), "companies/x.xlsx", "companies").read.tallies[0]
    about = report.entities[0]
    assert (about.rows_in, about.rows_loaded, about.skipped, about.columns, about.extra) == (
        landed.rows_in, landed.rows_loaded, dict(landed.skipped), landed.columns, landed.extra)  # fmt: skip


def test_a_file_that_is_refused_as_a_whole_says_why(tmp_path: Path) -> None:
    page, odd = tmp_path / "export.xls", tmp_path / "odd.csv"
    page.write_text("<html><table></table></html>")
    odd.write_text("aa,bb\n1,2\n")
    assert "a web page saved under the name of a table" in (inspect_any(page, SourcesPolicy()).refused or "")
    found = inspect_any(odd, SourcesPolicy())
    assert found.format == "csv" and "Say what its rows are with --entity" in (found.refused or "")
    assert "no header was recognised. Have: aa, bb." in (
        inspect_file(odd, "deals/odd.csv", SourcesPolicy()).refused or ""
    )


def test_the_name_a_file_would_have_in_the_inbox(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    assert name_in_inbox(inbox / "contacts" / "hubspot" / "x.csv", SourcesPolicy(), inbox) == "contacts/hubspot/x.csv"
    assert name_in_inbox(tmp_path / "deals" / "x.csv", SourcesPolicy(), inbox) == "deals/x.csv"
    assert name_in_inbox(tmp_path / "x.csv", SourcesPolicy(), inbox) is None


def test_nothing_far_is_suggested_and_no_column_twice() -> None:
    companies = entities()["companies"]
    assert suggest("您的话题", companies, frozenset()) == []
    assert "status" not in [column for column, _, _ in suggest("经营状态2", companies, frozenset({"status"}))]
    assert snippet("companies", "a", "companies/a*", {"name": 'x"y'})[-1] == '        columns: {name: "x\\"y"}'
