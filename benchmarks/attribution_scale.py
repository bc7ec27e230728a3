"""Attribution at scale, each measurement in a process of its own; worlds are made from a seed and kept in FOLDER.

    python -m benchmarks.attribution_scale FOLDER [--only accounts credits visitors paths] [--share 1.0] [--seed 7]

accounts: 10 million touches of 1 million people in 200,000 accounts, 100,000 deals, 1,000 campaigns; totals by campaign
by six models with 90 and 180 days of lookback. credits: the same with every credit written in cents. visitors: 100
million touches in 24 million journeys of which 5 % convert, totals by channel by five models. paths: a file of 1
million paths, 100 channels, 5 % converting: rule models, Markov of order 1 and 2. `--share` makes all of them smaller.
Prints CPU seconds from the files to the written result (the start of the process and the making of the world left out,
the start printed) and the peak memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.attribution_world import path_world, write_accounts, write_visitors

SIX = ("first_touch", "last_touch", "linear", "position_based", "w_shaped", "time_decay")
FIVE = ("first_touch", "last_touch", "linear", "position_based", "time_decay")
HEURISTICS = ("first_touch", "last_touch", "linear")


def world(folder: Path, kind: str, share: float, seed: int) -> Path:
    """The folder of the measurement's files, made where they are not there yet."""
    place = folder / f"{kind}_{share:g}_{seed}"
    if not place.is_dir():
        place.mkdir(parents=True)
        if kind == "accounts":
            counts = (round(count * share) for count in (10_000_000, 200_000, 1_000_000, 100_000))
            write_accounts(place, *counts, seed)
        elif kind == "visitors":
            write_visitors(place, round(100_000_000 * share), round(24_000_000 * share), 0.05, seed)
        else:
            pq.write_table(path_world(round(1_000_000 * share), 100, 0.05, seed), place / "paths.parquet")
    return place


def measure(name: str, place: Path) -> None:
    """Do it once in this process and print what it took."""
    from tasks.attribute.files import attribute_files
    from tasks.attribute.paths import attribute_paths
    from tasks.attribute.totals import attribute_totals

    touches, deals, out = place / "touches.parquet", place / "deals.parquet", place / "out.parquet"
    started = time.process_time()
    if name == "accounts":
        attribute_totals(touches, deals, SIX, (90, 180), "campaign", repeats="every_touch", out=out)
    elif name == "visitors":
        attribute_totals(touches, deals, FIVE, (0,), "channel", repeats="every_touch", out=out)
    elif name == "credits":
        for days in (90, 180):
            attribute_files(touches, deals, ",".join(SIX), "closed", days, "every_touch", place / f"{days}.parquet")
    else:
        model, _, order = name.partition(" ")
        attribute_paths(place / "paths.parquet", model, int(order or 1), out=out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<36} {time.process_time() - started:6.2f} CPU-s  {peak:6,.0f} MB  (start {started:.2f} CPU-s)")


def main() -> None:
    """Make the worlds, then measure, one process after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=["accounts", "credits", "visitors", "paths"])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--one", help="measure this in the folder as it is")
    asked = parser.parse_args()
    if asked.one:
        measure(asked.one, asked.folder)
        return
    for kind in asked.only:
        place = world(asked.folder, "accounts" if kind == "credits" else kind, asked.share, asked.seed)
        names = [",".join(HEURISTICS), "markov 1", "markov 2"] if kind == "paths" else [kind]
        for name in names:
            command = [sys.executable, "-m", "benchmarks.attribution_scale", str(place), "--one", name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
