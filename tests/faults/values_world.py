"""A workspace whose raw zone holds a few given rows, brought to staging by the real step."""

from datetime import date
from typing import Any

import pyarrow as pa

from abmloop.run import Run
from tasks.land.loading import ensure_raw_tables
from tasks.parse import parse
from warehouse.steps import step


def put_raw(run: Run, **rows: list[dict[str, Any]]) -> None:
    """Land these rows: entity → rows by canonical column; what traces them is made up."""
    with step(run, "land") as work:
        ensure_raw_tables(work)
        for entity, given in rows.items():
            start = work.query(f"select count(*) as rows from raw.{entity}")["rows"][0].as_py()
            for number, row in enumerate(given, start + 1):
                text = repr(sorted(item for item in row.items() if item[0] not in ("landed_on", "source_date")))
                trace = {
                    "source": "crm",
                    "source_rank": 1,
                    "landed_on": date(2026, 10, 31),
                    "file_sha": "f1",
                    "file_name": f"{entity}/one.csv",
                    "line": number + 1,
                    "record": number,
                    "row_hash": text,
                    "run_id": "r1",
                }
                work.con.register("given_row", pa.Table.from_pylist([trace | row]))
                work.execute(f"insert into raw.{entity} by name select * from given_row")
                work.con.unregister("given_row")


def rows_of(run: Run, sql: str) -> list[dict[str, Any]]:
    """The rows of a SELECT on the warehouse."""
    with step(run, "look") as work:
        return list(work.query(sql).to_pylist())


def stage(run: Run, entity: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The staging rows that these raw rows become, in the order of their lines."""
    put_raw(run, **{entity: list(rows)})
    parse(run)
    return rows_of(run, f"select * from staging.{entity} order by line")


def told(run: Run) -> list[tuple[str, str | None, str, str | None]]:
    """(column, value, rule, action or `rejected`) of all that quality tells of."""
    rows = rows_of(
        run,
        "select column_name, value, rule, action from quality.repairs"
        " union all select column_name, value, rule, 'rejected' from quality.quarantine order by all",
    )
    return [(row["column_name"], row["value"], row["rule"], row["action"]) for row in rows]


def company(**values: Any) -> dict[str, Any]:
    """A raw company with a good name."""
    return {"source_id": "c1", "name": "云帆远航科技有限公司"} | values


def contact(**values: Any) -> dict[str, Any]:
    """A raw contact with a key of its own."""
    return {"contact_id": "p1", "name": "李雷"} | values


def stage_again(run: Run, entity: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The staging rows of just these raw rows, in place of all before, without their lines in the file."""
    with step(run, "clear") as work:
        ensure_raw_tables(work)
        work.execute(f"delete from raw.{entity}")
    stage(run, entity, *rows)
    return rows_of(run, f"select * exclude (line) from staging.{entity} order by row_id")
