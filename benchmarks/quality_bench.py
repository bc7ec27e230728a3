"""What the two gates' metrics cost on a list of any size, apart from reading it and from the library's import.

    python -m benchmarks.quality_bench                        # 1.5 million made-up companies
    python -m benchmarks.quality_bench --companies 200000

Prints CPU seconds of our process: profiling a new snapshot, comparing it, a day of 1 % more rows, and the published
door's look at keys with and without taking tables of like keys together.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import raw_tables
from tasks.land.store import Manifest
from tasks.quality.profiles import count_snapshot
from tasks.quality.snapshots import snapshots_of
from tasks.runs import open_run
from warehouse.quality.metrics import _duplicate_keys
from warehouse.steps import Work, step
from warehouse.tables import parse_spec

_ROWS = """
insert into raw.companies by name
select '样本' || i || '有限公司' as name, '91' || lpad(i::varchar, 16, '0') as uscc,
       ['存续', '注销'][1 + i % 2] as status,
       (date '1990-01-01' + (i % 12000)::int)::varchar as founded_on, ['上海', '浙江省', '江苏'][1 + i % 3] as province,
       '杭州' as city, (i % 900)::varchar as employees, '0571' || i as phone, '样本路' || i || '号' as address,
       left(md5(i::varchar), 32) as row_hash, $sha as file_sha, 'vendor' as source, $day::date as landed_on
from range($rows) as r(i)
"""
_COLUMNS = ("name", "uscc", "status", "founded_on", "province", "city", "employees", "phone", "address")
_ONE_PER_ACCOUNT = ("resolved.account_fit", "resolved.hierarchy", "resolved.rule_targets")


def cpu(what: str, act: Callable[[], Any]) -> Any:
    """Do it and print what it took."""
    started = time.process_time()
    found = act()
    print(f"{what:<58} {time.process_time() - started:6.2f} CPU-s")
    return found


def _profile(work: Work, sha: str, rows: int, day: date) -> None:
    work.execute(_ROWS, {"sha": sha, "rows": rows, "day": day})
    manifest = Manifest(sha, "companies", "companies/v.csv", "vendor", 1, None, "full", day.isoformat(), "r", "k", "l")
    manifest = Manifest(**{**vars(manifest), "columns": {name: name for name in _COLUMNS}})
    file = {
        "file_sha": sha, "entity": "companies", "file_name": "companies/v.csv", "source": "vendor", "landed_on": day,
        "source_date": None, "rows_loaded": rows, "run_id": "r",
    }  # fmt: skip
    (snapshot,) = snapshots_of([file], SourcesPolicy())
    cpu(f"profile a new snapshot of {rows:,} rows", lambda: count_snapshot(work, snapshot, [manifest]))


def _fill_keys(work: Work, rows: int) -> None:
    """Tables of one row per account, as most that are published."""
    for name in _ONE_PER_ACCOUNT:
        work.execute(
            f"insert into {name} (account_id) select 'A' || left(md5(i::varchar), 16) from range({rows}) as r(i)"
        )


def _keys(work: Work) -> None:
    present = set(_ONE_PER_ACCOUNT)
    for name in _ONE_PER_ACCOUNT:
        work.query(f"select max(account_id) from {name}")  # read from the disk once, so that both find it in memory
    cpu(f"keys of {len(present)} such tables, like ones together", lambda: _duplicate_keys(work.query, present))

    def one_by_one() -> None:
        for name in _ONE_PER_ACCOUNT:
            work.query(f"select count(*) from (select account_id from {name} group by 1 having count(*) > 1)")

    cpu("the same, each table by itself", one_by_one)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=1_500_000)
    rows = parser.parse_args().companies
    with tempfile.TemporaryDirectory(prefix="abmloop-bench-") as folder:
        root = Path(folder)
        (root / "abmloop.yaml").write_text("name: benchmark\n", encoding="utf-8")
        with open_run(root, date(2026, 3, 1)) as run, step(run, "measure") as work:
            work.ensure(parse_spec("raw.companies", raw_tables()["raw.companies"]))
            _profile(work, "a" * 64, rows, date(2026, 3, 1))
            _profile(work, "b" * 64, rows // 100, date(2026, 3, 2))
            _fill_keys(work, rows)
            work.con.execute("commit")
            work.con.execute("begin")
            _keys(work)
    print(f"duckdb {duckdb.__version__}")


if __name__ == "__main__":
    main()
