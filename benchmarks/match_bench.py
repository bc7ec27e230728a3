"""Measure reading names and matching: rows, seconds, CPU seconds, peak memory, precision and recall.

usage: python -m benchmarks.match_bench DATA [bench_90k|bench_771k]

DATA is a folder with registry_1_5m.parquet (name) and bench_*/dir.parquet, contacts.parquet, truth.parquet (cid, slice,
ids: the right accounts, null where the company is not in the directory). Precision is right / decided, recall is
right / contacts that have an account; slices named neg_* have none, so that every decision there is a false accept.
"""

import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as parquet

from scoring.names import parse_names
from tasks.match.files import match_files

_RIGHT = """
with judged as (
    select truth.slice, truth.ids is not null as has_account, matches.decision = 'auto' as is_decided,
           matches.decision = 'auto' and coalesce(list_contains(truth.ids, matches.account_id), false) as is_right
    from read_parquet($truth) as truth
    join read_parquet($matches) as matches on matches.contact_id = truth.cid
)
select coalesce(slice, 'all') as slice, count(*) as contacts, count(*) filter (is_decided) as decided,
       count(*) filter (is_right) / nullif(count(*) filter (is_decided), 0) as precision,
       count(*) filter (is_right) / nullif(count(*) filter (has_account), 0) as recall
from judged group by grouping sets ((), (slice)) order by slice nulls first
"""


def main() -> None:
    """Run both measurements and print them."""
    data, bench = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "bench_90k"
    print(f"Python {platform.python_version()}, {platform.machine()}")
    names = parquet.read_table(data / "registry_1_5m.parquet", columns=["name"])["name"]
    parse_names(names.slice(0, 10))
    _measure("names read", len(names), lambda: parse_names(names))
    folder = data / bench
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "matches.parquet"
        contacts = parquet.read_metadata(folder / "contacts.parquet").num_rows
        summary = _measure(
            "contacts matched", contacts, lambda: match_files(folder / "dir.parquet", folder / "contacts.parquet", out)
        )
        print(summary)
        _print_quality(folder / "truth.parquet", out)


def _measure(what: str, rows: int, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {rows:,} in {wall:.1f} s, {cpu:.1f} CPU s ({rows / cpu:,.0f} a CPU second), peak {peak:,.0f} MB")
    return result


def _print_quality(truth: Path, matches: Path) -> None:
    rows = duckdb.connect().execute(_RIGHT, {"truth": str(truth), "matches": str(matches)}).fetchall()
    for name, contacts, decided, precision, recall in rows:
        shown = f"recall {recall:.4f}" if recall is not None else f"false accepts {decided / contacts:.4f}"
        print(f"  {name:12s} contacts {contacts:7,d}  decided {decided:7,d}  precision {precision or 0:.4f}  {shown}")


if __name__ == "__main__":
    main()
