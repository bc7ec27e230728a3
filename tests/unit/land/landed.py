"""Landing a workspace's inbox in a fresh run each time, and looking at what the warehouse then holds."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from abmloop.run import StepCounts
from tasks.land import land
from tasks.runs import open_run
from warehouse.database import warehouse_path

DAY = date(2026, 3, 1)
# What a second reading of the same bytes may differ in.
APART = "run_id"


def drop(workspace: Path, name: str, data: bytes | str) -> Path:
    """Put a file into the inbox."""
    path = workspace / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def configure(workspace: Path, sources: str) -> None:
    """Write config/sources.yaml."""
    (workspace / "config").mkdir(exist_ok=True)
    (workspace / "config" / "sources.yaml").write_text("settle_seconds: 0\n" + sources, encoding="utf-8")


def land_day(workspace: Path, day: date = DAY) -> StepCounts:
    """One run that only lands."""
    with open_run(workspace, day) as run:
        return land(run)


def ask(workspace: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the warehouse."""
    with duckdb.connect(str(warehouse_path(workspace)), read_only=True) as con:
        return con.execute(sql).fetchall()


def everything(workspace: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that landing wrote, sorted, without the run."""
    tables = ["ops.files", "quality.quarantine", "quality.repairs", "raw.companies", "raw.contacts", "raw.touches"]
    return {
        table: sorted(ask(workspace, f"select columns(lambda c: c <> '{APART}') from {table}"), key=repr)
        for table in tables
    }
