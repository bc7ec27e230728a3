"""Thirty daily increments against a rebuild, against other orders of rows, files and threads, and against one landing.

`python -m benchmarks.stable_days [--entities 3000] [--seed 5] [--days 30] [--names FOLDER]`

A world of overlapping lists (benchmarks.directory_world) is dealt out over the days: every record comes once, one in
ten comes again later with other values, and people merge, split and pin on the way. Printed, each line `equal` or what
differs: the warehouse after all increments against the one rebuilt from the raw store; the same days with rows
shuffled, files named otherwise and one thread; all of it landed at once, where clusters and fields must agree, whatever
the ids. The control does the same increments without following links beyond the changed rows: it must differ.
"""

import argparse
import json
import shutil
import tempfile
import time
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from abmloop.errors import AbmError
from abmloop.run import Run
from benchmarks.directory_world import write_directory_world
from tasks.land import land
from tasks.parse import parse
from tasks.resolve import resolve, segment
from tasks.runs import make_person, open_run
from warehouse.database import remove_warehouse, warehouse_path
from warehouse.ledger import Ledger

FIRST = date(2026, 9, 1)
STEPS = (land, parse, resolve, segment)
TABLES = (
    "staging.companies",
    "resolved.account_members",
    "resolved.accounts",
    "resolved.merged_rows",
    "resolved.merged_accounts",
    "resolved.hierarchy",
    "resolved.account_redirects",
    "resolved.account_history",
    "resolved.account_tags",
    "resolved.account_fit",
    "resolved.rule_targets",
)
# What tells where a row lay, or in which run it was made.
_PLACES = ("line", "file_sha", "sheet", "record", "config_hash", "sequence")
# What names accounts and days: other landing days may give other ids, never other clusters or fields.
_NAMES = ("account_id", "parent_account_id", "ultimate_parent_id", "first_landed_on")


def deal_out(world: Path, days: int, seed: int) -> dict[tuple[int, str], pa.Table]:
    """(day, source) → the rows that come on it, in canonical columns."""
    with open_run(world, FIRST) as run:
        land(run)
    with duckdb.connect(str(warehouse_path(world)), read_only=True) as con:
        table = con.sql(
            "select * exclude (extra, landed_on, run_id) from raw.companies order by source, row_hash"
        ).to_arrow_table()
    random = np.random.default_rng(seed)
    columns = [name for name in table.column_names if table[name].null_count < table.num_rows and name in _given(table)]
    day = random.integers(0, days, table.num_rows)
    again = np.flatnonzero((random.random(table.num_rows) < 0.1) & (day < days - 1))
    changed = table.take(pa.array(again))
    for name in ("city", "phone", "address"):
        if name in columns:
            kept = pa.array(random.random(len(again)) < 0.5)
            changed = changed.set_column(
                changed.column_names.index(name), name, pc.if_else(kept, changed[name], pa.scalar(None, pa.string()))
            )
    pool = pa.concat_tables([table, changed])
    on = np.concatenate([day, random.integers(day[again] + 1, days)])
    sources = np.asarray(pool["source"].to_pylist())
    return {
        (int(one), str(source)): pool.select(columns).filter(pa.array((on == one) & (sources == source)))
        for one in range(days)
        for source in np.unique(sources)
    }


def _given(table: pa.Table) -> list[str]:
    """The columns that a list gives, in their order: those before the trace of the row."""
    return table.column_names[: table.column_names.index("source")]


def new_workspace(root: Path, sources: list[str], threads: int = 0) -> Path:
    """An empty workspace that knows these sources, the first the most trusted."""
    (root / "config").mkdir(parents=True)
    (root / "abmloop.yaml").write_text(f"name: stable\nthreads: {threads}\n", encoding="utf-8")
    rules = [
        {
            "name": source,
            "files": [f"companies/{source}*"],
            "rank": 1 + place // 2,
            "date": {"in_name": "YYYYMMDD"},
            "why": "benchmark",
        }
        for place, source in enumerate(sources)
    ]
    # JSON is YAML.
    policy = json.dumps({"version": 1, "settle_seconds": 0, "sources": rules})
    (root / "config" / "sources.yaml").write_text(policy, encoding="utf-8")
    return root


def put_day(root: Path, dealt: dict[tuple[int, str], pa.Table], day: int, shuffle: int | None = None) -> None:
    """Drops a day's lists, rows shuffled and file names in another order where `shuffle` (a seed) says so."""
    inbox = root / "inbox" / "companies"
    inbox.mkdir(parents=True, exist_ok=True)
    for (on, source), rows in dealt.items():
        if on == day and rows.num_rows:
            middle = "" if shuffle is None else f"_{(hash_of(source) + shuffle) % 97:02d}"
            if shuffle is not None:
                rows = rows.take(pa.array(np.random.default_rng(shuffle + day).permutation(rows.num_rows)))
            pq.write_table(rows, inbox / f"{source}{middle}_{(FIRST + timedelta(day)):%Y%m%d}.parquet")


def hash_of(text: str) -> int:
    """A number for a name, the same in every process."""
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))


def decide(root: Path, day: int) -> None:
    """A person pins a field of one account, merges one with one that has no code, and takes a row out of another."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        rows = con.execute(
            "select row_id, account_id, code from resolved.account_members order by hash(row_id || $day) limit 40",
            {"day": str(day)},
        ).fetchall()
        apart = con.execute(
            "select max(row_id), min(row_id) from resolved.account_members where method <> 'code' group by account_id"
            " having count(*) > 1 order by hash(account_id || $day) limit 1",
            {"day": str(day)},
        ).fetchall()
    uncoded = [row_id for row_id, _, code in rows if code is None]
    decisions = [
        *[("split", {"kept": [kept], "apart": [out]}, {}) for out, kept in apart],
        ("pin", {"rows": [rows[0][0]]}, {"field": "status", "value": "active"}),
        *([("merge", {"rows": [rows[1][0], uncoded[0]]}, {})] if uncoded else []),
    ]
    with Ledger.of(root, None) as ledger:
        person = make_person(root, "benchmark", FIRST + timedelta(day))
        ledger.append(
            "decisions",
            [
                {
                    "decision_id": f"{kind}-{day}",
                    "kind": kind,
                    "subject": json.dumps(subject),
                    "verdict": "yes",
                    "payload": json.dumps(payload),
                    "actor": "benchmark",
                    "reason": "drawn",
                    "undoes": None,
                }
                for kind, subject, payload in decisions
            ],
            person,
        )


def run_day(root: Path, day: date) -> float:
    """The steps of the directory; gives CPU seconds."""
    started = time.process_time()
    with open_run(root, day) as run:
        _steps(run)
    return time.process_time() - started


def _steps(run: Run) -> None:
    for step in STEPS:
        step(run)


def contents(root: Path, leave_out: tuple[str, ...] = _PLACES) -> dict[str, tuple[int, int]]:
    """Per table its rows and a sum of their hashes, without the columns that say where a row lay."""
    found = {}
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        for table in TABLES:
            columns = [row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] not in leave_out]
            listed = ", ".join(f'"{column}"' for column in columns)
            found[table] = con.execute(
                f"select count(*), coalesce(sum(hash(({listed}))::hugeint), 0) from {table}"
            ).fetchall()[0]
    return found


def partition(root: Path) -> tuple[int, int]:
    """Clusters as sets of rows, with the fields of their accounts, without what names accounts and days."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        columns = [row[0] for row in con.execute("describe resolved.accounts").fetchall() if row[0] not in _NAMES]
        listed = ", ".join(f'accounts."{column}"' for column in columns)
        rows, told = con.execute(
            "with members as ("
            "select account_id, list_sort(list(row_id)) as row_ids from resolved.account_members group by account_id)"
            f" select count(*), sum(hash((row_ids, {listed}))::hugeint)"
            " from members join resolved.accounts using (account_id)"
        ).fetchall()[0]
    return int(rows), int(told)


def compare(name: str, one: object, other: object) -> bool:
    """Prints whether both are equal, else where they differ."""
    if one == other:
        print(f"{name:<58} equal")
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        print(f"{name:<58} DIFFERS in {', '.join(key for key in one if one[key] != other.get(key))}")
    else:
        print(f"{name:<58} DIFFERS: {one} and {other}")
    return False


def play(root: Path, dealt: dict[tuple[int, str], pa.Table], days: int) -> list[float]:
    """All days one after the other, with decisions; gives each day's CPU seconds."""
    spent = []
    for day in range(days):
        put_day(root, dealt, day)
        spent.append(run_day(root, FIRST + timedelta(day)))
        if day % 7 == 3:
            decide(root, day)
    return spent


def without_following() -> AbstractContextManager[object]:
    """The guard off: only changed rows are judged anew."""
    return patch("tasks.resolve.reach._follow_links", lambda work: None)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--names", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        write_directory_world(base / "world", given.entities, given.seed, given.names)
        dealt = deal_out(base / "world", given.days, given.seed)
        sources = sorted({source for _, source in dealt})
        last = FIRST + timedelta(given.days - 1)
        daily = new_workspace(base / "daily", sources)
        spent = play(daily, dealt, given.days)
        run_day(daily, last)
        by_day, clusters = contents(daily), partition(daily)
        rows = sum(part.num_rows for part in dealt.values())
        accounts = by_day["resolved.accounts"][0]
        print(f"{rows:,} rows of {len(sources)} lists on {given.days} days, {accounts:,} accounts")
        print(f"a day took {np.mean(spent[1:]):.1f} CPU-s")
        remove_warehouse(daily)
        rebuilt = run_day(daily, last)
        compare(f"rebuilt from the raw store ({rebuilt:.1f} CPU-s)", by_day, contents(daily))
        other = new_workspace(base / "other", sources, threads=1)
        shutil.copytree(daily / "ledger", other / "ledger")
        for day in range(given.days):
            put_day(other, dealt, day, shuffle=13)
            run_day(other, FIRST + timedelta(day))
        compare("rows shuffled, files in another order, one thread", by_day, contents(other))
        once = new_workspace(base / "once", sources)
        shutil.copytree(daily / "ledger", once / "ledger")
        for day in range(given.days):
            put_day(once, dealt, day)
        run_day(once, last)
        compare("all days landed at once: clusters and fields", clusters, partition(once))
        control = new_workspace(base / "control", sources)
        shutil.copytree(daily / "ledger", control / "ledger")
        try:
            with without_following():
                for day in range(given.days):
                    put_day(control, dealt, day)
                    run_day(control, FIRST + timedelta(day))
            compare("control, links not followed (must differ)", by_day, contents(control))
        except AbmError as error:
            print(f"{'control, links not followed (must differ)':<58} DIFFERS: refused by a table's grain: {error}")


if __name__ == "__main__":
    main()
