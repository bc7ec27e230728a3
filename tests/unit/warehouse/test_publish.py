"""The published file: whole, masked, commented, replaced in one step, never in a reader's way."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from abmloop.errors import AbmError
from abmloop.run import Run
from warehouse.database import connect_published, published_path
from warehouse.models import all_models
from warehouse.publish import leaves_house, write_published
from warehouse.steps import step


def publish_once(run: Run, rule: str, copies: int = 1) -> None:
    with step(run, "fill") as work:
        work.execute("delete from quality.quarantine")
        work.execute("delete from quality.repairs")
        for _ in range(copies):
            for table in ("quarantine", "repairs"):
                work.execute(
                    f"insert into quality.{table} (rule, column_name, value) values (?, 'phone', ?)",
                    [rule, "13812345678 bob@x.com"],
                )
    with step(run, "publish") as work, work.con.cursor() as reader:
        write_published(reader, run)


def test_people_are_masked_and_columns_explained(run: Run, workspace: Path) -> None:
    publish_once(run, "r")
    con = connect_published(workspace)
    assert con.execute("select value from quality.quarantine").fetchall() == [("138****5678 b***@x.com",)]
    comment = "select comment from marts.dictionary where table_name = 'quarantine' and column_name = 'rule'"
    assert con.execute(comment).fetchall() == [("the rule that refused it",)]
    assert con.execute("select run_id, as_of::varchar from marts.published").fetchall() == [(run.run_id, "2026-10-31")]


def test_a_refused_line_shows_nobody_and_written_numbers_are_masked_too(run: Run, workspace: Path) -> None:
    with step(run, "fill") as work:
        for column, value in ((None, "C1,王小明,销售"), ("mobile", "138 0013 8000"), ("phone", "0573-53357702")):
            work.execute("insert into quality.quarantine (column_name, value) values (?, ?)", [column, value])
    with step(run, "publish") as work, work.con.cursor() as reader:
        write_published(reader, run)
    shown = "select column_name, value from quality.quarantine order by column_name nulls first"
    assert connect_published(workspace).execute(shown).fetchall() == [
        (None, None),
        ("mobile", "138****8000"),
        ("phone", "0573****7702"),
    ]


def test_what_the_user_publishes_is_not_masked(run: Run, workspace: Path) -> None:
    publish_once(run, "r")
    with step(run, "publish") as work, work.con.cursor() as reader:
        write_published(reader, run, unmasked=["quality.quarantine.value"])
    con = connect_published(workspace)
    assert con.execute("select value from quality.quarantine").fetchall() == [("13812345678 bob@x.com",)]
    assert con.execute("select value from quality.repairs").fetchall() == [("138****5678 b***@x.com",)]


READER = """
import duckdb, json, sys, threading
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
print("ready", flush=True)
seen, errors = [], []
while not stopped.is_set():
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as con:
            tables = ("quality.quarantine", "quality.repairs")
            seen.append([con.execute(f"select list(distinct rule) from {t}").fetchall()[0][0] for t in tables])
    except duckdb.Error as error:
        errors.append(str(error))
print(json.dumps({"seen": seen, "errors": errors}))
"""


def test_a_reader_polling_eight_publishes_sees_no_error_and_no_mixture(run: Run, workspace: Path) -> None:
    publish_once(run, "v0")
    command = [sys.executable, "-c", READER, str(published_path(workspace))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        for version in range(1, 9):
            publish_once(run, f"v{version}")
        answer = json.loads(reader.communicate()[0])
    assert answer["errors"] == []
    assert len({left[0] for left, _ in answer["seen"]}) > 3, "the reader saw several versions"
    assert [pair for pair in answer["seen"] if pair[0] != pair[1] or len(pair[0]) != 1] == []


def test_an_open_reader_keeps_the_version_it_opened(run: Run, workspace: Path) -> None:
    publish_once(run, "old")
    con = connect_published(workspace)
    publish_once(run, "new")
    assert con.execute("select rule from quality.quarantine").fetchall() == [("old",)]
    con.close()
    assert connect_published(workspace).execute("select rule from quality.quarantine").fetchall() == [("new",)]


def test_left_overs_of_a_killed_publish_are_removed(run: Run, workspace: Path) -> None:
    folder = published_path(workspace).parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".abmloop-killed.duckdb").write_bytes(b"half")
    publish_once(run, "r")
    assert [path.name for path in folder.iterdir()] == ["abmloop.duckdb"]


def test_a_view_is_published_with_all_that_it_reads() -> None:
    """Else it would silently be left out of the file, and who asks for it finds nothing."""
    views = {name: model for name, model in all_models().items() if model.is_published_view}
    lacking = {
        name: [read for read in model.reads if not leaves_house(read) and read not in views]
        for name, model in views.items()
    }
    assert lacking == {name: [] for name in views}


def test_a_patched_file_holds_what_a_whole_one_would(run: Run, workspace: Path) -> None:
    tagged = "insert into resolved.account_tags (account_id, tag_id) values (?, 't')"
    with step(run, "fill") as work:
        for account_id in ("A1", "A2", "A3"):
            work.execute(tagged, [account_id])
    with step(run, "publish") as work, work.con.cursor() as reader:
        write_published(reader, run)
    with step(run, "fill") as work:
        work.execute("delete from resolved.account_tags where account_id = 'A1'")
        work.execute("update resolved.account_tags set tag_id = 'other' where account_id = 'A2'")
        work.execute(tagged, ["A4"])
    with step(run, "publish") as work, work.con.cursor() as reader:
        write_published(reader, run, changed={"resolved.account_fit": pa.table({"key": ["A1", "A2", "A4"]})})
    con = connect_published(workspace)
    shown = "select account_id, tag_id from resolved.account_tags order by account_id"
    assert con.execute(shown).fetchall() == [("A2", "other"), ("A3", "t"), ("A4", "t")]
    assert con.execute("select parts from marts.published").fetchall() == [(1,)]


def test_a_patch_that_misses_a_change_is_not_published(run: Run, workspace: Path) -> None:
    publish_once(run, "r")
    with step(run, "fill") as work:
        work.execute("insert into resolved.account_tags (account_id, tag_id) values ('A1', 't')")
    with step(run, "publish") as work, work.con.cursor() as reader, pytest.raises(AbmError, match="the old published"):
        write_published(reader, run, changed={"resolved.account_fit": pa.table({"key": pa.array([], pa.string())})})
    assert connect_published(workspace).execute("select parts from marts.published").fetchall() == [(0,)]
