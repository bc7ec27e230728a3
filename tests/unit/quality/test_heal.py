"""Quarantine that heals itself: what a later file settles is closed, with the file that did it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks.check import check_landed
from tasks.land import land
from tasks.parse import parse
from tasks.runs import open_run
from tests.unit.land.landed import ask, configure, drop

HEADER = "商机编号,客户名称,金额,创建时间\n"
GOOD = "D{n},样本{n}有限公司,{n}00,2026-01-0{n}\n"


@pytest.fixture
def root(workspace: Path) -> Path:
    """A workspace whose first file of deals has three good rows, a ragged one and one without a readable amount."""
    configure(workspace, 'sources:\n- {name: crm, files: ["deals/crm*"]}\n')
    bad = "D4,样本4有限公司,400,2026-01-04,zu viel\nD5,样本5有限公司,abc,2026-01-05\n"
    day(workspace, 1, "deals/crm_1.csv", HEADER + "".join(GOOD.format(n=n) for n in (1, 2, 3)) + bad)
    assert open_rules(workspace) == ["amount-placeholder", "ragged"]
    return workspace


def day(root: Path, number: int, name: str = "", text: str = "") -> None:
    """Land a file on that day of March, as far as staging."""
    if name:
        drop(root, name, text)
    with open_run(root, date(2026, 3, number)) as run:
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
