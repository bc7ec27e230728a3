"""A step is one transaction; the SQL runner proves order, zones, grain and checks."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from abmloop.errors import AbmError, Busy
from abmloop.run import Run
from warehouse.database import connect, warehouse_path
from warehouse.models import Model, build_model, parse_model, tables_read
from warehouse.steps import step
from warehouse.tables import SCHEMAS

ANSWER = pa.table(
    {"door": ["landed"], "subject": ["f"], "expectation": ["e"], "success": [True], "observed": [""], "expected": [""]}
)


def test_a_step_that_fails_leaves_nothing(run: Run) -> None:
    with pytest.raises(ZeroDivisionError), step(run, "first") as work:
        work.append("quality.expectations", ANSWER)
        raise ZeroDivisionError
    with step(run, "second") as work:
        assert work.table("quality.expectations").num_rows == 0
        assert work.table("ops.steps").num_rows == 0


def test_rows_and_record_are_committed_together(run: Run) -> None:
    with step(run, "first") as work:
        work.append("quality.expectations", ANSWER)
        work.count(rows=1)
    with step(run, "second") as work:
        assert work.table("quality.expectations").num_rows == 1
        assert work.query("select step, counts from ops.steps").to_pylist() == [
            {"step": "first", "counts": '{"rows": 1}'}
        ]


def test_without_the_transaction_half_a_step_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the two tests above hold is held by the transaction and nothing else."""
    monkeypatch.setenv("ABMLOOP_FAULT_NO_TRANSACTION", "1")
    with pytest.raises(ZeroDivisionError), step(run, "first") as work:
        work.append("quality.expectations", ANSWER)
        raise ZeroDivisionError
    with step(run, "second") as work:
        assert work.table("quality.expectations").num_rows == 1


def test_rows_with_other_columns_than_declared_are_refused(run: Run) -> None:
    with pytest.raises(AbmError, match=r"missing columns \['door'\].*not declared \['gate'\]"), step(run, "s") as work:
        work.replace("quality.expectations", ANSWER.rename_columns(["gate", *ANSWER.column_names[1:]]))


def test_a_grain_that_is_broken_is_refused(run: Run) -> None:
    with pytest.raises(AbmError, match="more than one row per"), step(run, "s") as work:
        work.replace("quality.expectations", pa.concat_tables([ANSWER, ANSWER]))


def test_a_second_process_is_told_that_the_warehouse_is_open(workspace: Path) -> None:
    import subprocess
    import sys

    connect(workspace).close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, sys; con = duckdb.connect({str(warehouse_path(workspace))!r}); print('open', flush=True); "
            "sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(Busy, match="open in another process"):
            connect(workspace)
    finally:
        holder.communicate()


def test_a_damaged_warehouse_is_named_with_the_way_out(workspace: Path) -> None:
    path = warehouse_path(workspace)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(AbmError, match="abmloop rebuild"):
        connect(workspace)


REFUSED = {
    "read outside": "select * from read_csv('/etc/passwd')",
    "read by dots": "select * from read_text('{root}/../../etc/passwd')",
    "copy out": "copy (select 1) to '/tmp/abmloop-leak.csv'",
    "attach outside": "attach '/tmp/abmloop-leak.duckdb' as leak",
    "install": "install httpfs",
    "load": "load httpfs",
    "https": "select * from 'https://example.com/x.parquet'",
    "set back": "set enable_external_access = true",
    "unlock": "set lock_configuration = false",
    "raise memory": "set memory_limit = '100GB'",
}
ALLOWED = {
    "copy inside": "copy (select 1 as x) to '{root}/state/x.parquet' (format parquet)",
    "read inside": "select * from read_parquet('{root}/state/x.parquet')",
    "attach inside": "attach '{root}/state/other.duckdb' as other",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
def test_the_warehouse_reaches_nothing_outside_its_workspace(workspace: Path, sql: str) -> None:
    con = connect(workspace)
    with pytest.raises(duckdb.Error):
        con.execute(sql.format(root=workspace)).fetchall()


def test_the_warehouse_reads_and_writes_inside_its_workspace(workspace: Path) -> None:
    con = connect(workspace)
    told = [con.execute(sql.format(root=workspace)).fetchall() for sql in ALLOWED.values()]
    assert told[1] == [(1,)]
    assert (workspace / "state" / "other.duckdb").is_file()


def a_model(sql: str, header: str = "") -> Model:
    return parse_model("marts.t", f"-- One row per thing.\n{header}\n{sql}")


def a_database() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for schema in SCHEMAS:
        con.execute(f"create schema {schema}")
    return con


def test_reads_are_found_by_the_parser_not_by_guessing() -> None:
    sql = """
    with cost as (select * from core.campaign_costs), core_deals as (select 'from scored.nothing' as text)
    select * from cost join (select * from scored.credits) using (campaign_id)
    where campaign_id in (select campaign_id from core.campaigns) -- from raw.secret
    """
    assert tables_read("t", sql) == {"core.campaign_costs", "scored.credits", "core.campaigns"}


def test_two_statements_are_no_model() -> None:
    with pytest.raises(AbmError, match="not one SELECT"):
        _ = a_model("create table x as select 1").reads


def test_a_broken_check_names_its_rows() -> None:
    with pytest.raises(AbmError, match=r"1 of 2 rows break the check: cost >= 0"):
        build_model(a_database(), a_model("select unnest([1, -1]) as cost", "-- check: cost >= 0"), {})


def test_a_null_does_not_break_a_check() -> None:
    assert build_model(a_database(), a_model("select null::int as cost", "-- check: cost >= 0"), {}) == 1


def test_only_the_parameters_that_are_named_are_bound() -> None:
    con = a_database()
    build_model(con, a_model("select $as_of::date as day"), {"as_of": "2026-10-31", "currency": "CNY"})
    assert str(con.execute("select day from marts.t").fetchall()[0][0]) == "2026-10-31"
