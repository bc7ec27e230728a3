"""How fast behaviour events come in: an export of a seeded world through the inbox to touches, in CPU seconds.

    python -m benchmarks.events_bench [--events 10000000] [--form parquet] [--seed 7]

A tenth as many devices as events; a fifth of the devices belong to somebody who logged in at some time, whose earlier
events are then theirs too. Of the events 2 % are sent twice, 1 % are programs', 0.01 % have no readable time. Prints
events per CPU second of the engine alone (floor), of landing and of making touches of them, what became of them, and
two controls: without the association of devices to logins, and without telling duplicates, the numbers must differ.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from datetime import date
from pathlib import Path

import duckdb

from tasks.land import land
from tasks.parse import parse
from tasks.runs import open_run
from tasks.workspace import make_workspace
from warehouse.database import Limits, held_open, warehouse_path
from warehouse.models import all_models, build_model

AS_OF = date(2026, 3, 31)
_EVENTS = """
with drawn as (
    select i, hash(i, $seed) as h, hash(i, $seed, 1) % greatest($events // 10, 1) as device,
           1772294400000 + hash(i, $seed, 2) % 2592000000 as happened_at
    from range($events) as r(i)
),
told as (
    select *, device % 5 = 0 as is_login_device, hash(device, $seed, 3) % 2592000000 + 1772294400000 as login_at,
           'u' || (device // 3) as login
    from drawn
),
sent as (
    select 'd' || device as anonymous_id,
           case when is_login_device and happened_at >= login_at then login end as login_id,
           case when h % 20 < 15 then '$pageview' when h % 20 = 15 then '$WebClick' when h % 20 = 16 then 'download'
                when h % 20 = 17 then '$AppStart' when h % 200 = 18 then 'apply_trial' else '$pageview' end as event,
           case when h % 10000 = 7 then 'unknown' else happened_at::varchar end as time,
           'https://example.cn/p/' || (h % 5000) || case when h % 20 = 0 then '/pricing?utm=1' else '' end as "$url",
           case when h % 50 = 0 then 'C' || (h % 100) end as "$utm_campaign",
           case when h % 100 = 3 then 'Mozilla/5.0 (compatible; Baiduspider/2.0)' else 'Mozilla/5.0 (Windows)' end
               as "$user_agent",
           'js' as "$lib", '10.0.' || (h % 250) || '.' || (h % 200) as "$ip", h::varchar as _track_id, h
    from told
)
select coalesce(login_id, anonymous_id) as distinct_id, * exclude (h) from sent
union all
select coalesce(login_id, anonymous_id) as distinct_id, * exclude (h) from sent where h % 50 = 11
"""
_FATES = "select fate, events, touches from staging.event_counts order by fate"
_LOST = "select sum(raw_rows - staging_rows - superseded_rows - rejected_rows) from staging.row_counts"
_CONTROLS = {
    "devices belong to nobody": "delete from staging.visitor_logins",
    "each sending is an event": "update raw.events set event_id = rowid::varchar",
}


def _cpu_seconds() -> float:
    """CPU seconds of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def make_export(path: Path, events: int, seed: int) -> int:
    """Write the export, a table of events as a tracking tool hands it out; gives its rows."""
    how = "format parquet, compression zstd" if path.suffix == ".parquet" else "format csv, header"
    sql = _EVENTS.replace("$seed", str(seed)).replace("$events", str(events))
    with duckdb.connect() as con:
        return int(con.execute(f"copy ({sql}) to '{path}' ({how})").fetchall()[0][0])


def measure(root: Path, form: str, events: int, seed: int) -> None:
    """Bring the export in; prints what that cost and gave."""
    make_workspace(root)
    folder = root / "inbox" / "exports"
    rows = make_export(folder / f"events.{form}", events, seed)
    _print_floor(folder / f"events.{form}", rows)
    with held_open(root, Limits("2GB", 2)):
        for step in (land, parse):
            started = _cpu_seconds()
            with open_run(root, AS_OF) as run:
                counts = step(run)
            used = _cpu_seconds() - started
            print(f"{counts.step:<6} {used:6.1f} CPU-s, {rows / used:,.0f} events a CPU-s")
    with duckdb.connect(str(warehouse_path(root))) as con:
        con.execute("set timezone = 'UTC'")
        for fate, number, touches in con.execute(_FATES).fetchall():
            print(f"  {fate:<12} {number:>12,}" + (f"  →  {touches:,} touches" if touches is not None else ""))
        lost = con.execute(
            "select sum(raw_rows - staging_rows - superseded_rows - rejected_rows) from staging.row_counts"
        )
        print(f"  events not accounted for: {lost.fetchall()[0][0]:,}")
        _control(con)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _print_floor(path: Path, rows: int) -> None:
    """What the engine alone needs to bring the file into a table of a database on disk, as text."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/floor.duckdb") as con:
        con.execute("set threads = 2")
        reader = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
        started = _cpu_seconds()
        con.execute(f"create table events as select * from {reader}", [str(path)])
        con.execute("checkpoint")
        used = _cpu_seconds() - started
        print(f"floor  {used:6.1f} CPU-s, {rows / used:,.0f} events a CPU-s: the engine alone, to a table of text")


def _control(con: duckdb.DuckDBPyConnection) -> None:
    """The same with a guard off: what it does must show."""
    for name, sql in _CONTROLS.items():
        con.execute("begin")
        con.execute(sql)
        build_model(con, all_models()["staging.event_facts"], {})
        told = dict(con.execute("select fate, count(*) from staging.event_facts group by all order by all").fetchall())
        con.execute("rollback")
        print(f"  control, {name}: touch {told['touch']:,}, duplicate {told.get('duplicate', 0):,}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--form", choices=("csv", "parquet"), default="parquet")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder) / "w", asked.form, asked.events, asked.seed)


if __name__ == "__main__":
    main()
