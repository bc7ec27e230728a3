"""Names of files: editions of one list are one source, different lists are not, days and versions are read."""

from datetime import date

import pytest

from tasks.land.naming import read_name


@pytest.mark.parametrize(
    "name",
    [
        "客户名单.csv",
        "客户名单_20260301.xlsx",
        "客户名单-2026-03-01 153000.csv.gz",
        "客户名单2026年3月1日.xlsx",
        "客户名单_3月.csv",
        "客户名单 (2).csv",
        "客户名单(1)(2).csv",
        "客户名单-v2.csv",
        "客户名单_V1.2.xlsx",
        "客户名单 - 副本.xlsx",
        "客户名单_最终版(2).xlsx",
        "客户名单_2026Q1.csv",
        "客户名单第3批.csv",
        "客户名单_day07.csv",
    ],
)
def test_editions_of_a_list_are_one_source(name: str) -> None:
    assert read_name(name).list_name == "客户名单"


@pytest.mark.parametrize("name", ["source_1", "source2", "3M客户", "1688供应商", "preview", "list_20261332", "a.b"])
def test_what_is_no_date_and_no_edition_stays_in_the_name(name: str) -> None:
    assert read_name(f"{name}.csv").list_name == name


def test_the_day_is_read_where_there_is_one() -> None:
    names = ("企查查20260301(1).csv", "x_2026-3-1.csv", "x_20260301_20260401.csv", "x_20261332.csv", "x_2026.csv")
    assert [read_name(name).day for name in names] == [date(2026, 3, 1), date(2026, 3, 1), None, None, None]


def test_later_editions_sort_later() -> None:
    names = ["x-v2.csv", "x_v10.csv", "x (11).csv", "x_v12 (1).csv"]
    versions = [read_name(name).version or "" for name in names]
    assert versions == sorted(versions) and read_name("x.csv").version is None
