"""Quarantine that heals itself: what a later file settles is closed, with the file that did it."""

import csv
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from scoring.policies.sources import SourcesPolicy
from tasks.check import check_landed
from tasks.land import land
from tasks.parse import parse
from tasks.quality.exporting import Exported, export_refused
from tasks.quality.refusals import Asked, count_refusals, show_refusals
from tasks.runs import open_run
from tests.unit.land.landed import ask, configure, drop
from warehouse.database import Limits, connect_to_look, held_open

HEADER = "商机编号,客户名称,金额,创建时间\n"
GOOD = "D{n},样本{n}有限公司,{n}00,2026-01-0{n}\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first file of deals has three good rows, a ragged one and one without a readable amount."""
    workspace = tmp_path_factory.mktemp("heal") / "workspace"
    (workspace / "inbox").mkdir(parents=True)
    (workspace / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    configure(workspace, 'sources:\n- {name: crm, files: ["deals/crm*"]}\n')
    bad = "D4,样本4有限公司,400,2026-01-04,zu viel\nD5,样本5有限公司,abc,2026-01-05\n"
    day(workspace, 1, "deals/crm_1.csv", HEADER + "".join(GOOD.format(n=n) for n in (1, 2, 3)) + bad)
    assert open_rules(workspace) == ["amount-placeholder", "ragged"]
    return workspace


@pytest.fixture
def root(first: Path, tmp_path: Path) -> Path:
    """That workspace, to be changed."""
    return Path(shutil.copytree(first, tmp_path / "workspace"))


def day(root: Path, number: int, name: str = "", text: str = "") -> None:
    """Land a file on that day of March, as far as staging."""
    if name:
        drop(root, name, text)
    with open_run(root, date(2026, 3, number)) as run, held_open(root, Limits()):
        for act in (land, check_landed, parse):
            act(run)


def open_rules(root: Path) -> list[str]:
    return sorted(row[0] for row in ask(root, "select rule from quality.quarantine"))


def healed(root: Path) -> list[tuple[Any, ...]]:
    return ask(root, "select rule, how, healed_by, healed_on from quality.healed order by all")


def test_f20_rows_that_come_corrected_under_their_key_are_closed_by_the_file_that_brings_them(root: Path) -> None:
    day(root, 2, "deals/crm_anders.csv", HEADER + GOOD.format(n=4) + GOOD.format(n=5))
    assert open_rules(root) == []
    on = date(2026, 3, 2)
    assert healed(root) == [
        ("amount-placeholder", "key", "deals/crm_anders.csv", on),
        ("ragged", "key", "deals/crm_anders.csv", on),
    ]
    assert ask(root, "select count(*), sum(amount) from staging.deals") == [(5, 1500)]


def test_a_row_that_comes_again_as_bad_as_before_stays_open(root: Path) -> None:
    day(root, 2, "deals/crm_2.csv", HEADER + GOOD.format(n=4) + "D5,样本5有限公司,abc,2026-01-05 \n")
    assert open_rules(root) == ["amount-placeholder", "amount-placeholder"]
    assert [row[0] for row in healed(root)] == ["ragged"]


def test_another_source_with_the_same_key_heals_nothing(root: Path) -> None:
    day(root, 2, "deals/other.csv", HEADER + GOOD.format(n=4) + GOOD.format(n=5))
    assert open_rules(root) == ["amount-placeholder", "ragged"]


def test_f20_the_same_file_corrected_closes_all_of_its_rows_and_what_is_bad_still_counts_once(root: Path) -> None:
    rows = "".join(GOOD.format(n=n) for n in (1, 2, 3, 4))
    day(root, 2, "deals/crm_1.csv", HEADER + rows + "D5,样本5有限公司,abc,2026-01-05\n")
    assert open_rules(root) == ["amount-placeholder"]
    assert ask(root, "select landed_on from quality.quarantine") == [(date(2026, 3, 2),)]
    assert [row[:2] for row in healed(root)] == [("amount-placeholder", "file"), ("ragged", "file")]


def test_a_row_that_comes_back_by_its_number_is_closed_whatever_its_file_and_key(root: Path) -> None:
    number = "'Q' || left(md5(concat_ws('|', entity, file_sha, coalesce(sheet, ''), coalesce(record, line))), 16)"
    numbers = dict(ask(root, f"select rule, {number} from quality.quarantine"))
    text = "商机编号,客户名称,金额,创建时间,abmloop_row\n" + f"N4,样本4有限公司,400,2026-01-04,{numbers['ragged']}\n"
    day(root, 2, "deals/mine.csv", text + f"N5,样本5有限公司,abc,2026-01-05,{numbers['amount-placeholder']}\n")
    assert open_rules(root) == ["amount-placeholder"], "refused anew: it waits once, under its new place"
    assert [row[:2] for row in healed(root)] == [("amount-placeholder", "again"), ("ragged", "row")]


@pytest.mark.slow
def test_healing_day_by_day_equals_healing_all_at_once(root: Path) -> None:
    day(root, 2, "deals/crm_2.csv", HEADER + GOOD.format(n=4))
    day(root, 3, "deals/crm_3.csv", HEADER + GOOD.format(n=5) + "D6,样本6有限公司,nichts,2026-01-06\n")
    day(root, 4)
    before = (ask(root, "select * from quality.quarantine order by all"), healed(root))
    assert len(before[1]) == 2
    for path in (root / "state").glob("warehouse.duckdb*"):
        path.unlink()
    day(root, 4)
    assert (ask(root, "select * from quality.quarantine order by all"), healed(root)) == before


# --- listing and exporting


def test_refusals_are_counted_by_rule_file_and_source_open_and_healed(root: Path) -> None:
    day(root, 2, "deals/crm_2.csv", HEADER + GOOD.format(n=5))
    with connect_to_look(root) as con:
        everything = Asked(state="all")
        by_rule = {row["rule"]: (row["open"], row["healed"]) for row in count_refusals(con, everything)}
        assert by_rule == {"ragged": (1, 0), "amount-placeholder": (0, 1)}
        for group in ("file", "source"):
            (row,) = count_refusals(con, everything, group)
            assert (row["rows"], row["open"], row["healed"]) == (2, 1, 1)
        assert [row["rule"] for row in count_refusals(con, Asked())] == ["ragged"]
        assert count_refusals(con, Asked(source="nobody", state="all")) == []
        (shown,) = show_refusals(con, Asked(state="healed"), "crm_1", 10)
        assert (shown["line"], shown["healed_by"], shown["how"]) == (6, "deals/crm_2.csv", "key")


SOURCES = {"sources": [{"name": "crm", "files": ["deals/crm*"]}]}
ODD = '=HYPERLINK("http://x")样本7有限公司'


def exported(root: Path, form: str, folder: Path) -> list[Exported]:
    with connect_to_look(root) as con:
        return export_refused(con, SourcesPolicy.model_validate(SOURCES), Asked(), folder, form)


@pytest.mark.parametrize("form", [pytest.param("csv", marks=pytest.mark.slow), "xlsx"])
def test_v27_exported_refused_rows_come_back_corrected_and_as_they_were(root: Path, tmp_path: Path, form: str) -> None:
    header = "商机编号,客户名称,金额,创建时间,备注\n"
    odd = ODD.replace('"', '""')
    day(root, 2, "deals/crm_2.csv", header + f'D7,"{odd}",zwei,2026-01-07,+1\nD8,样本8有限公司,800,2026-01-08,x\n')
    before = len(healed(root))
    files = exported(root, form, tmp_path / "out")
    assert sorted(each.inbox for each in files) == [f"deals/crm_1_refused.{form}", f"deals/crm_2_refused.{form}"]
    for each in files:
        correct(each.path)
        target = root / "inbox" / each.inbox
        target.write_bytes(each.path.read_bytes())
    day(root, 3)
    assert open_rules(root) == [] and len(healed(root)) == before + 3
    assert ask(root, "select amount, account_name from staging.deals where deal_id = 'D7'") == [(2, ODD)]
    ((extra,),) = ask(root, "select extra from staging.deals where deal_id = 'D7'")
    assert json.loads(extra)["备注"] == "+1"


def correct(path: Path) -> None:
    """As a person would: amounts filled in, the line that could not be split taken apart."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        page = book.active
        assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
        names = [cell.value for cell in page[1]]
        for row in page.iter_rows(min_row=2):
            _mend(dict(zip(names, row, strict=True)), lambda cell: cell.value, _set_cell)
        book.save(path)
        return
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())
    for row in rows:
        _mend({name: (row, name) for name in row}, lambda place: place[0][place[1]], _set_value)
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _set_cell(cell: Any, value: str) -> None:
    cell.value = value


def _set_value(place: Any, value: str) -> None:
    place[0][place[1]] = value


def _mend(cells: dict[str, Any], get: Any, put: Any) -> None:
    if "abmloop_text" in cells and get(cells["abmloop_text"]):
        for name, value in zip(
            ("商机编号", "客户名称", "金额", "创建时间"), get(cells["abmloop_text"]).split(","), strict=False
        ):
            put(cells[name], value)
    elif not str(get(cells["金额"]) or "").isdigit():
        put(cells["金额"], "2")


def test_the_corrected_file_of_an_unmapped_source_is_of_that_source_again(root: Path, tmp_path: Path) -> None:
    day(root, 2, "companies/企查查导出_3月.csv", "企业名称,省份\n样本甲有限公司,上海\n样本乙有限公司,上海,多\n")
    with connect_to_look(root) as con:
        (file,) = export_refused(con, SourcesPolicy(), Asked(entity="companies"), tmp_path / "out", "csv")
    assert file.inbox == "companies/企查查导出/企查查导出_3月_refused.csv"
    assert file.path.stat().st_mode & 0o077 == 0, "whole rows of people are for the owner's eyes"
