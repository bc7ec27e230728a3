"""One million rows with every row-level defect of the catalogue: what is refused, mended and told, against the truth.

    python -m benchmarks.dirty_million                       # a million rows, then a smaller control
    python -m benchmarks.dirty_million --rows 50000 --seed 3

The control run lets a fatal rule pass (a table of actions in which a deal's amount may be anything) and must not hold.
"""

import argparse
import resource
import sys
import time

from benchmarks.dirty_million.check import (
    dirty_workspace,
    fatal_rule_let_pass,
    judge,
    land_and_parse,
    peak_mb,
    show,
)
from benchmarks.dirty_million.defects import DEFECTS

CONTROL_ROWS = 20_000


def main() -> None:
    """Run, then run the control; exit code 1 where the first does not hold, or the second does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    lines = len({defect.catalogue for defect in DEFECTS})
    print(f"{arguments.rows:,} rows, seed {arguments.seed}, {len(DEFECTS)} kinds of defects for {lines} lines")
    started = time.perf_counter()
    with dirty_workspace(arguments.rows, arguments.seed) as (root, truth):
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        spent = f"{time.perf_counter() - started:.1f} s ({cpu:.1f} CPU-s)"
        print(f"  written in {spent}, {len(truth.rows):,} rows spoilt", flush=True)
        verdict = judge(truth, land_and_parse(root, tell=True))
        show(verdict)
    print(f"  peak {peak_mb():,.0f} MB")
    print(f"control, {CONTROL_ROWS:,} rows: a fatal rule let pass")
    with dirty_workspace(CONTROL_ROWS, arguments.seed) as (root, truth), fatal_rule_let_pass():
        control = judge(truth, land_and_parse(root))
        show(control)
    sys.exit(0 if verdict.holds and not control.holds else 1)


if __name__ == "__main__":
    main()
