"""The door after landing: what holds, how a person lets it go on, what a corrected file settles."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import BadUsage, GateFailed
from tasks.check import check_landed
from tasks.land import land
from tasks.quality.holds import accept_holds, holds_list, undo_acceptance
from tasks.runs import make_person, open_run
from tests.unit.land.landed import ask, configure, drop
from warehouse.database import Limits, connect_to_look, held_open
from warehouse.ledger import Ledger

FULL = 'sources:\n- {name: qcc, files: ["companies/qcc*.csv"], snapshot: full}\n'
PROVINCES = ("上海", "浙江省", "江苏")


def listing(rows: int, provinces: tuple[str, ...] = PROVINCES, status: str = "存续", phone: str = "021-5555") -> str:
    lines = [
        f"样本{n}有限公司,{provinces[n % len(provinces)]},{status},{f'{phone}{n:04d}' if phone else ''}\n"
        for n in range(rows)
    ]
    return "企业名称,省份,状态,电话\n" + "".join(lines)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose source qcc sends whole lists; the first has landed."""
    root = tmp_path_factory.mktemp("door") / "workspace"
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    configure(root, FULL)
    assert day(root, 1, listing(60)) is None
    return root


@pytest.fixture
def full(first: Path, tmp_path: Path) -> Path:
    """That workspace, to be changed."""
    return Path(shutil.copytree(first, tmp_path / "full"))


def day(root: Path, number: int, text: str | None = None, name: str = "companies/qcc_{0}.csv") -> str | None:
    """Land a file on that day of March; gives what the gate says where it stops the run."""
    if text is not None:
        drop(root, name.format(number), text)
    with open_run(root, date(2026, 3, number)) as run, held_open(root, Limits()):
        land(run)
        try:
            check_landed(run)
        except GateFailed as failed:
            return failed.told(run.language)
    return None


def accept(root: Path, *asked: str) -> str:
    with connect_to_look(root) as con, Ledger.of(root) as ledger:
        by = make_person(root, "li", date(2026, 3, 2))
        return accept_holds(con, ledger, by, asked, ("li", "the vendor said so"))[0]


def states(root: Path) -> list[tuple[Any, ...]]:
    return ask(root, "select kind, state from quality.differences order by all")


def test_f24_a_snapshot_that_shrinks_holds_with_before_and_after_until_a_person_accepts(full: Path) -> None:
    said = day(full, 2, listing(30))
    assert said is not None and "qcc_2.csv" in said and "60 to 30" in said and "−50%" in said
    assert day(full, 2) is not None, "held as long as nobody decides"
    with connect_to_look(full) as con:
        (hold,) = holds_list(con)
    decision = accept(full, hold["hold_id"])
    assert day(full, 2) is None
    assert states(full) == [("rows_fell", "accepted")]
    with Ledger.of(full) as ledger:
        undo_acceptance(ledger, make_person(full, "li", date(2026, 3, 2)), decision, ("li", "a mistake"))
    assert day(full, 2) is not None, "an acceptance that is taken back holds again"


def test_v28_the_page_of_a_held_run_shows_it_in_both_languages_and_runs_nothing(full: Path) -> None:
    assert day(full, 2, listing(30, status="<script>alert(1)</script>{{7*7}}")) is not None
    for language, said in (("en", "rows fell from 60 to 30"), ("zh", "行数从 60 降到 30")):
        page = (full / "quality" / f"2026-03-02.{language}.html").read_text(encoding="utf-8")
        assert said in page and "{{7*7}}" in page and "49" not in page.split("<body>")[1].split("</nav>")[0]
        assert "<script" not in page and "&lt;script&gt;" in page
        assert "http://" not in page.replace("http://www.w3.org/", "") and "https://" not in page
    assert 'class="bad"' in (full / "quality" / "index.html").read_text(encoding="utf-8")


def test_f24_an_acceptance_counts_for_that_content_alone(full: Path) -> None:
    assert day(full, 2, listing(30)) is not None
    accept(full, "companies/qcc_2.csv")
    assert day(full, 2) is None
    assert day(full, 3, listing(10)) is not None, "the next file is another question, against the accepted one"
    assert ask(full, "select before, after from quality.differences where state = 'held'") == [(30.0, 10.0)]


def test_f24_a_column_turned_null_and_a_vanished_region_hold_and_are_named(full: Path) -> None:
    said = day(full, 2, listing(60, PROVINCES[:2], phone=""))
    assert said is not None and "phone" in said and "江苏省" in said
    assert {kind for kind, state in states(full) if state == "held"} == {"column_emptied", "region_vanished"}


def test_f24_without_the_limits_nothing_holds(workspace: Path) -> None:
    configure(workspace, FULL + "watch: {hold: []}\n")
    assert day(workspace, 1, listing(60)) is None
    assert day(workspace, 2, listing(10, PROVINCES[:1], phone="")) is None
    assert {state for _, state in states(workspace)} == {"noted"}


def test_f24_a_sound_snapshot_settles_the_held_one_and_is_compared_with_the_one_before(full: Path) -> None:
    assert day(full, 2, listing(5)) is not None
    assert day(full, 3, listing(58)) is None
    assert states(full) == [("rows_fell", "superseded")]
    assert ask(full, "select state from quality.snapshots order by landed_on") == [
        ("first",),
        ("superseded",),
        ("sound",),
    ]


def test_f11_an_empty_snapshot_is_refused_and_takes_nothing_away(full: Path) -> None:
    assert day(full, 2, "企业名称,省份,状态,电话\n") is None
    assert ask(full, "select count(*) from raw.companies") == [(60,)]
    assert ask(full, "select count(*) from quality.snapshots") == [(1,)]


def test_f23_a_vendors_new_columns_are_told_and_kept_and_changed_values_hold(full: Path) -> None:
    text = (
        listing(60, status="1")
        .replace("电话\n", "电话,新指标\n")
        .replace("\n样本", ",7\n样本")
        .replace("新指标,7", "新指标")
    )
    said = day(full, 2, text.rstrip("\n") + ",7\n")
    assert said is not None and "status" in said and "新指标" not in said
    assert ("column_added", "noted") in states(full) and ("values_changed", "held") in states(full)
    assert ask(full, "select count(*) from raw.companies where extra like '%新指标%'") == [(60,)]


def test_an_unmapped_list_that_comes_again_is_watched_and_a_part_of_it_is_not(workspace: Path) -> None:
    configure(workspace, "")
    assert day(workspace, 1, listing(200), "companies/名单_2026030{0}.csv") is None
    assert day(workspace, 2, listing(12), "companies/名单_2026030{0}.csv") is None, "a few corrections are no snapshot"
    assert day(workspace, 3, listing(90), "companies/名单_2026030{0}.csv") is not None
    modes = ask(workspace, "select mode, state from quality.snapshots order by landed_on")
    assert modes == [("delta", "first"), ("delta", "sound"), ("repeat", "held")]


def test_one_bad_row_of_ten_is_loaded_and_many_hold(workspace: Path) -> None:
    configure(workspace, "")
    small = "企业名称,省份\n" + "".join(f"样本{n}有限公司,上海\n" for n in range(9)) + "样本,上海,多,了\n"
    assert day(workspace, 1, small, "companies/small.csv") is None
    assert ask(workspace, "select count(*) from quality.quarantine") == [(1,)]
    many = "企业名称,省份\n" + "".join(f"另{n}有限公司,上海\n" for n in range(79)) + "样本,上海,多,了\n" * 21
    said = day(workspace, 2, many, "companies/many.csv")
    assert said is not None and "21%" in said and "many.csv" in said
    accept(workspace, "companies/many.csv")
    assert day(workspace, 2) is None, "a person may let a file with refused rows go on"


def test_the_gate_speaks_the_workspaces_language(workspace: Path) -> None:
    (workspace / "abmloop.yaml").write_text("name: 测试\nlanguage: zh\n", encoding="utf-8")
    configure(workspace, FULL)
    assert day(workspace, 1, listing(60)) is None
    said = day(workspace, 2, listing(20))
    assert said is not None and "行数从 60 降到 20" in said and "之前发布的内容保持不变" in said


def test_accepting_needs_a_reason_and_a_hold(full: Path) -> None:
    assert day(full, 2, listing(20)) is not None
    with connect_to_look(full) as con, Ledger.of(full) as ledger:
        by = make_person(full, "li", date(2026, 3, 2))
        with pytest.raises(BadUsage, match="reason"):
            accept_holds(con, ledger, by, ["companies/qcc_2.csv"], ("li", " "))
        with pytest.raises(BadUsage, match="Hnone"):
            accept_holds(con, ledger, by, ["Hnone"], ("li", "why"))


def test_e08_the_same_days_landed_anew_give_the_same_snapshots_and_differences(full: Path) -> None:
    day(full, 2, listing(30, status="注销"))
    accept(full, "companies/qcc_2.csv")
    assert day(full, 3, listing(31, status="注销")) is None
    tables = ("snapshots", "snapshot_columns", "snapshot_values", "differences")
    before = [sorted(ask(full, f"select * from quality.{table}"), key=repr) for table in tables]
    for path in (full / "state").glob("warehouse.duckdb*"):
        path.unlink()
    assert day(full, 3) is None
    assert [sorted(ask(full, f"select * from quality.{table}"), key=repr) for table in tables] == before
