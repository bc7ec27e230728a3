"""What a first and a second sync cost, step by step, and what share of them the quality gates take.

    python -m benchmarks.sync_bench                                  # the bundled sample
    python -m benchmarks.sync_bench --companies 200000               # a generated world of that size
    python -m benchmarks.sync_bench --inbox FOLDER                   # your own files, as under inbox/

Prints per step rows, wall seconds and CPU seconds; peak memory is the process's. The import of Great Expectations is
printed apart: it is paid once a process, in the background.
"""

import argparse
import resource
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

from abmloop.run import Run, StepCounts
from benchmarks.world import AS_OF, SMALL, WorldSize, write_world
from tasks.loop import Act, run_steps
from tasks.runs import open_run
from warehouse.quality.gate import import_seconds

SAMPLE = Path(__file__).parent.parent / "sample"
GATES = ("check_landed", "check_published")
Timings = dict[str, tuple[float, float]]


def fill(root: Path, inbox: Path | None, companies: int | None) -> None:
    """A workspace in `root` with the files to measure on."""
    if companies:
        size = WorldSize(companies, companies // 7, companies * 2, companies // 70, SMALL.months)
        write_world(root, size, seed=7)
    else:
        shutil.copytree(inbox or SAMPLE / "inbox", root / "inbox")
    if inbox is None and not companies:
        shutil.copytree(SAMPLE / "config", root / "config")
    (root / "abmloop.yaml").write_text("name: benchmark\n", encoding="utf-8")


def timed_sync(root: Path, as_of: date) -> Timings:
    """Step → (wall seconds, CPU seconds of our process) of one sync."""
    timings: Timings = {}

    def perform(act: Act, run: Run) -> StepCounts:
        wall, cpu = time.perf_counter(), time.process_time()
        counts = act(run)
        timings[act.__name__] = (time.perf_counter() - wall, time.process_time() - cpu)
        print(f"  {act.__name__:<16} {timings[act.__name__][0]:7.1f} s {timings[act.__name__][1]:7.1f} CPU-s  {counts}")
        return counts

    with open_run(root, as_of) as run:
        run_steps(run, perform)
    return timings


def show(name: str, timings: Timings) -> None:
    """Total, gates' share and peak memory of one sync."""
    wall, cpu = (sum(pair[index] for pair in timings.values()) for index in (0, 1))
    gates = sum(timings[gate][0] for gate in GATES)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {wall:.1f} s, {cpu:.1f} CPU-s, gates {gates:.2f} s = {gates / wall:.1%}, peak {peak:,.0f} MB\n")


def main() -> None:
    """Sync twice, printing both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inbox", type=Path)
    parser.add_argument("--companies", type=int)
    arguments = parser.parse_args()
    print(f"import of Great Expectations: {import_seconds():.1f} s")
    with tempfile.TemporaryDirectory(prefix="abmloop-bench-") as folder:
        root = Path(folder)
        fill(root, arguments.inbox, arguments.companies)
        show("first sync", timed_sync(root, AS_OF))
        show("second sync, nothing new", timed_sync(root, AS_OF))


if __name__ == "__main__":
    main()
