"""What a real register costs, from one file to published accounts, and what a day's change costs after it.

    python -m benchmarks.registry_bench REGISTER.parquet [--csv] [--rows 1500000] [--share 0.01]

REGISTER: Parquet with id, name, province, city, uscc. Each sync is a process of its own (`abmloop sync --local`),
measured as its user and system seconds with those of its children. Printed: the fixed start (a second sync, with
nothing new, of a workspace with ten companies), the first sync with its steps, the floor (DuckDB reads the input and
writes what was published, with no work between), and a second sync in which a share of the rows changed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent
SEED = 11


@dataclass(frozen=True)
class Cost:
    """What a process and its children used."""

    wall: float
    cpu: float
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.cpu:7.1f} CPU-s {self.wall:7.1f} s wall {self.peak_mb:7,.0f} MB peak"


def sync(workspace: Path, day: str) -> Cost:
    """One sync as a user starts it. Raises RuntimeError with its output where it fails."""
    command = [sys.executable, "-m", "cli", "sync", "--local", "--as-of", day, "--workspace", str(workspace)]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        told.seek(0)
        if os.waitstatus_to_exitcode(status) not in (0, 1):
            raise RuntimeError(told.read()[-3000:])
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def make_workspace(folder: Path) -> Path:
    """An empty workspace that takes files as soon as they lie there, and has no objection to a small second list."""
    (folder / "inbox" / "companies" / "register").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "abmloop.yaml").write_text("name: benchmark\n", encoding="utf-8")
    (folder / "config" / "sources.yaml").write_text("settle_seconds: 0\n", encoding="utf-8")
    return folder


def drop(rows: pa.Table, workspace: Path, name: str, is_csv: bool) -> Path:
    """Put a list into the inbox, as Parquet or as GB18030 text."""
    path = workspace / "inbox" / "companies" / "register" / f"{name}.{'csv' if is_csv else 'parquet'}"
    if not is_csv:
        pq.write_table(rows, path)
        return path
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(rows, sink)
    path.write_bytes(sink.getvalue().to_pybytes().decode("utf-8").encode("gb18030"))
    return path


def changed_rows(rows: pa.Table, share: float) -> pa.Table:
    """A share of the rows on another day: a third renamed, a third moved, a third new."""
    random = np.random.default_rng(SEED)
    part = rows.take(pa.array(np.sort(random.choice(rows.num_rows, int(rows.num_rows * share), replace=False))))
    kind = pa.array(np.arange(part.num_rows) % 3)
    renamed = pc.if_else(pc.equal(kind, 0), pc.binary_join_element_wise(part["name"], "二部", ""), part["name"])
    moved = pc.if_else(pc.equal(kind, 1), pa.scalar(None, pa.string()), part["city"])
    is_new = pc.equal(kind, 2)
    new_id = pc.if_else(is_new, pc.binary_join_element_wise("new-", part["source_id"], ""), part["source_id"])
    no_code = pc.if_else(is_new, pa.scalar(None, pa.string()), part["uscc"])
    columns = {"name": renamed, "city": moved, "source_id": new_id, "uscc": no_code}
    return pa.table({name: columns.get(name, part[name]) for name in part.column_names})


def floor(given: Path, is_csv: bool, workspace: Path) -> float:
    """CPU seconds of DuckDB reading the input and writing the published tables, with nothing between."""
    con = duckdb.connect()
    con.execute(f"attach '{workspace / 'published' / 'abmloop.duckdb'}' as published (read_only)")
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'published'"
    ).fetchall()
    started = time.process_time()
    # DuckDB reads no GB18030 of itself: the text is decoded first.
    source = f"'{given}'"
    if is_csv:
        (utf8 := workspace / "floor.csv").write_text(given.read_text("gb18030"), encoding="utf-8")
        source = f"read_csv('{utf8}', all_varchar = true)"
    con.execute(f"create table given as select * from {source}")
    con.execute(f"attach '{workspace / 'floor.duckdb'}' as written")
    for (table,) in tables:
        con.execute(f"create schema if not exists written.{table.partition('.')[0]}")
        con.execute(f"create table written.{table} as select * from published.{table}")
    con.execute("checkpoint written")
    return time.process_time() - started


def show_steps(workspace: Path, total: float) -> None:
    """The steps of the last run with their share of the whole."""
    with duckdb.connect(str(workspace / "state" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute(
            "select step, cpu_seconds from ops.steps where run_id = (select max(run_id) from ops.steps) order by rowid"
        ).fetchall()
    for step, cpu in rows:
        print(f"    {step:<16} {cpu:6.1f} CPU-s {cpu / total:6.1%}")
    rest = total - sum(cpu for _, cpu in rows)
    print(f"    {'start and reader':<16} {rest:6.1f} CPU-s {rest / total:6.1%}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("register", type=Path)
    parser.add_argument("--csv", action="store_true", help="land it as GB18030 text")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--share", type=float, default=0.01)
    arguments = parser.parse_args()
    rows = pq.read_table(arguments.register).slice(0, arguments.rows)
    rows = rows.rename_columns(["source_id" if name == "id" else name for name in rows.column_names])
    with tempfile.TemporaryDirectory(prefix="abmloop-register-") as folder:
        tiny = make_workspace(Path(folder) / "tiny")
        drop(rows.slice(0, 10), tiny, "list_20260101", arguments.csv)
        sync(tiny, "2026-01-01")
        fixed = sync(tiny, "2026-01-02")
        print(f"fixed start (ten companies, nothing new)    {fixed}")
        workspace = make_workspace(Path(folder) / "register")
        given = drop(rows, workspace, "list_20260101", arguments.csv)
        first = sync(workspace, "2026-01-01")
        print(f"{rows.num_rows:>9,} companies, first sync             {first}")
        show_steps(workspace, first.cpu)
        least = floor(given, arguments.csv, workspace)
        print(f"floor: read and write alone                 {least:7.1f} CPU-s; {first.cpu / least:.1f} times less")
        change = changed_rows(rows, arguments.share)
        drop(change, workspace, "list_20260102", arguments.csv)
        second = sync(workspace, "2026-01-02")
        print(f"{change.num_rows:>9,} changed, second sync              {second}")
        show_steps(workspace, second.cpu)
        beyond = second.cpu - fixed.cpu
        print(f"beyond the fixed start: {beyond:.1f} CPU-s = {beyond / first.cpu:.1%} of the first sync")


if __name__ == "__main__":
    main()
