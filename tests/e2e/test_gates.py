"""Each blocking check, forced to fail on a synced workspace: nothing is published, nothing is pushed."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from abmloop.errors import GateFailed
from scoring.policies.sources import SourcesPolicy
from tasks.loop import run_steps
from tasks.quality.snapshots import snapshots_of
from tasks.runs import open_run
from tests.e2e.worlds import AS_OF, ask, exported_records
from warehouse.database import published_path, warehouse_path
from warehouse.quality.gate import read_suite

Tamper = Callable[[duckdb.DuckDBPyConnection], Any]
SOURCE = "vendor"
COLUMNS, VALUES = "quality.snapshot_columns", "quality.snapshot_values"
SOURCES = f"""settle_seconds: 0
watch:
  hold: [rows_fell, rows_grew, region_vanished, column_emptied, column_added, column_dropped, column_retyped,
         values_changed]
sources:
- {{name: {SOURCE}, files: ["companies/vendor*"], snapshot: full}}
"""


def sql(text: str) -> Tamper:
    return lambda con: con.execute(text)


def vendor(change: str) -> Tamper:
    """Two whole lists of one vendor, alike but for `change` in the second one's profile."""

    def tamper(con: duckdb.DuckDBPyConnection) -> None:
        policy = SourcesPolicy.model_validate({"sources": [{"name": SOURCE, "files": ["companies/vendor*"]}]})
        for number in (1, 2):
            row = {
                "file_sha": f"{number}" * 64, "entity": "companies", "file_name": f"companies/vendor_{number}.csv",
                "source": SOURCE, "landed_on": date(2026, 10, number), "rows_loaded": 100, "run_id": f"r{number}",
            }  # fmt: skip
            (snapshot,) = snapshots_of([{**row, "source_date": None}], policy)
            names = ", ".join(row)
            con.execute(
                f"insert into ops.files ({names}, rows_in, rows_quarantined, rows_skipped, status)"
                f" values ({', '.join('?' * len(row))}, 100, 0, 0, 'loaded')",
                list(row.values()),
            )
            con.execute(
                "insert into quality.snapshots (snapshot_id, row_count) values ($id, 100)", {"id": snapshot.snapshot_id}
            )
            con.execute(
                f"insert into {COLUMNS} (snapshot_id, column_name, is_extra, header, filled, shape, sampled) values"
                " ($id, 'name', false, '名称', 100, 'text', 100), ($id, 'employees', false, '人数', 90, 'number', 90)",
                {"id": snapshot.snapshot_id},
            )
            con.execute(
                f"insert into {VALUES} values ($id, 'region', '上海市', 60), ($id, 'region', '浙江省', 40), ("
                "$id, 'status', '存续', 100)",
                {"id": snapshot.snapshot_id},
            )
        con.execute(change, {"id": snapshot.snapshot_id})

    return tamper


LANDED: dict[str, Tamper] = {
    "rows_unaccounted": sql("update ops.files set rows_in = rows_in + 1 where entity = 'deals'"),
    "refused_share": sql(
        "insert into quality.quarantine (entity, file_sha, rule, record) select entity, file_sha, 'x', 1000000 + i"
        " from ops.files, range(rows_in + 30) as r(i) where entity = 'campaigns' and status = 'loaded'"
    ),
    "landed_on": sql("update ops.files set landed_on = null where entity = 'fx_rates' or entity = 'owners'"),
    "rows_fell": vendor("update quality.snapshots set row_count = 59 where snapshot_id = $id"),
    "rows_grew": vendor("update quality.snapshots set row_count = 200 where snapshot_id = $id"),
    "region_vanished": vendor(f"delete from {VALUES} where snapshot_id = $id and value = '浙江省'"),
    "column_emptied": vendor(f"update {COLUMNS} set filled = 0 where snapshot_id = $id and column_name = 'employees'"),
    "column_added": vendor(f"insert into {COLUMNS} (snapshot_id, column_name, is_extra) values ($id, '新列', true)"),
    "column_dropped": vendor(f"delete from {COLUMNS} where snapshot_id = $id and column_name = 'employees'"),
    "column_retyped": vendor(f"update {COLUMNS} set shape = 'date' where snapshot_id = $id and shape = 'number'"),
    "values_changed": vendor(f"update {VALUES} set value = '1' where snapshot_id = $id and column_name = 'status'"),
}
PUBLISHED: dict[str, Tamper] = {
    "broken_rows": sql("update marts.campaign_roi set roi = 1, full_cost = 0"),
    "duplicate_keys": sql("insert into resolved.accounts select * from resolved.accounts limit 1"),
    "difference": sql("delete from scored.credits where credit <> 0"),
    "refused_share": LANDED["refused_share"],
    "amounts_lost": sql(
        "insert into staging.money_versions (entity, row_id, landed_on, amount) select 'deals', row_id, day, money from"
        " (select row_id from staging.deals order by row_id limit 3),"
        " (values (date '2026-01-01', 100), (date '2026-02-01', null)) as version(day, money)"
    ),
}
# One of each kind of check in `make test`, the others in `make faults`.
QUICK = {"rows_unaccounted", "rows_fell", "broken_rows", "difference"}
CASES = [
    pytest.param(door, code, tamper, id=f"{door}-{code}", marks=[] if code in QUICK else [pytest.mark.slow])
    for door, cases in (("landed", LANDED), ("published", PUBLISHED))
    for code, tamper in cases.items()
]


def test_r13_every_expectation_of_both_doors_has_its_case() -> None:
    for door, cases in (("landed", LANDED), ("published", PUBLISHED)):
        assert {each["meta"]["code"] for each in read_suite(door)["expectations"]} == cases.keys()


@pytest.mark.parametrize(("door", "code", "tamper"), CASES)
def test_r13_each_blocking_check_forced_to_fail_holds_publish_and_push(
    copy: Path, door: str, code: str, tamper: Tamper
) -> None:
    (copy / "config" / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    with duckdb.connect(str(warehouse_path(copy))) as con:
        tamper(con)
    before = published_path(copy).read_bytes(), ask(copy, "select run_id from marts.published"), exported_records(copy)
    steps = (f"check_{door}", "publish", "deliver")
    with open_run(copy, AS_OF) as run, pytest.raises(GateFailed) as failed:
        run_steps(run, only=steps)
    assert failed.value.exit_code == 3
    with duckdb.connect(str(warehouse_path(copy)), read_only=True) as con:
        broken = con.execute("select expectation from quality.expectations where not success and door = ?", [door])
        assert code in {row[0] for row in broken.fetchall()}
    after = published_path(copy).read_bytes(), ask(copy, "select run_id from marts.published"), exported_records(copy)
    assert after == before


def test_r13_the_same_workspace_left_alone_passes_both_doors_and_publishes(copy: Path) -> None:
    """The control: what stops the runs above is the check, not the workspace."""
    before = ask(copy, "select run_id from marts.published")
    with open_run(copy, AS_OF) as run:
        counted = run_steps(run, only=("check_landed", "check_published", "publish", "deliver"))
    assert ask(copy, "select run_id from marts.published") != before, json.dumps([str(each) for each in counted])
