"""Ten thousand broken files, each landed through the real limited child: nothing crashes, hangs, swells or loses a row.

    python -m benchmarks.fuzz_files                      # 10,000 mutations of 40 seeds, two processes
    python -m benchmarks.fuzz_files --mutations 400 --seed 7

Counts crashes of the parent, defects of the reader, hangs above 60 s, children above 1 GB resident, files whose records
are not rows, refused and skipped ones together, and messages that name no place. All must be 0. Beside them stand two
controls that must fail: a lenient CSV reader that loses records silently, and a child without its limits.
"""

import argparse
import contextlib
import gzip
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from abmloop.errors import AbmError
from abmloop.messages import LANGUAGES
from benchmarks.fuzz_mutations import mutate
from benchmarks.fuzz_seeds import PEOPLE, Seed, people, seeds, text
from scoring.policies.sources import Limits, SourcesPolicy
from tasks.land.faults import Refused
from tasks.land.loading import tell_row
from tasks.land.plans import job_for, plan_file
from tasks.land.sandbox import Sandbox

SEED = 20261122
MUTATIONS = 10_000
HANG_SECONDS = 60
MOST_MB = 1_000
FAULTS = ("crashes", "defects", "hangs", "swollen", "unconserved", "nameless")


@dataclass
class Result:
    """What became of many files: `ends` by outcome, `faults` by kind with the mutation that showed each."""

    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    longest: float = 0.0
    largest_mb: float = 0.0

    def add(self, kind: str, shown: str) -> None:
        """Count a fault."""
        self.faults[kind] += 1
        self.shown.append(f"{kind}: {shown}")

    def merge(self, other: "Result") -> None:
        """Take over another's counts."""
        self.ends += other.ends
        self.faults += other.faults
        self.shown += other.shown
        self.longest, self.largest_mb = max(self.longest, other.longest), max(self.largest_mb, other.largest_mb)


def land_one(
    seed: Seed, sandbox: Sandbox, folder: Path, policy: SourcesPolicy
) -> tuple[dict[str, Any] | None, list[str]]:
    """A file read as landing reads it: (what was read or None, the faults found in its messages and its counts)."""
    path = folder / "file"
    path.write_bytes(seed.data)
    plans = plan_file(policy, seed.name)
    job = job_for(policy, seed.name, (str(path), str(folder)), tuple(plan.reading for plan in plans))
    read = sandbox.read(job)
    faults: list[str] = []
    for tally in read["tallies"]:
        rows = pq.read_metadata(folder / f"{tally['entity']}.parquet").num_rows
        found = pq.read_table(folder / f"{tally['entity']}.faults.parquet").to_pylist()
        rejected = [fault for fault in found if fault["action"] == "reject_row"]
        counted = rows + len(rejected) + sum(tally["skipped"].values())
        if tally["rows_in"] != counted or rows != tally["rows_loaded"]:
            faults.append("unconserved")
        faults += ["nameless" for fault in rejected if not _names_its_place(fault)]
    return read, faults


def _names_its_place(fault: dict[str, Any]) -> bool:
    """Whether a refused row has a line and a whole message with advice in both languages."""
    told = [part for each in LANGUAGES for part in tell_row(fault["rule"], json.loads(fault["fields"]), each)]
    return (
        fault["line"] >= 1 and fault["record"] >= 1 and all(part and "{" not in part.partition("'")[0] for part in told)
    )


def fuzz(numbers: range, seed: int, limits: dict[str, Any] | None = None) -> Result:
    """Land the mutations of those numbers; each has a generator of its own, so any can be made again alone."""
    result, policy, good = Result(), SourcesPolicy.model_validate({"limits": limits or {}}), seeds()
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        for number in numbers:
            chance = random.Random(f"{seed} {number}")
            mutant = mutate(good[number % len(good)], chance)
            started = time.monotonic()
            try:
                _, faults = land_one(mutant, sandbox, Path(name), policy)
                result.ends["read"] += 1
                for kind in faults:
                    result.add(kind, f"mutation {number} ({mutant.name})")
            except Refused as refusal:
                result.ends[refusal.rule] += 1
                if not all(refusal.told(language) for language in LANGUAGES):
                    result.add("nameless", f"mutation {number} ({mutant.name}): {refusal.rule}")
            except AbmError as error:
                result.add("defects", f"mutation {number} ({mutant.name}): {error}")
            except Exception as error:  # what the parent must never meet is what is counted here
                result.add("crashes", f"mutation {number} ({mutant.name}): {type(error).__name__} {error}")
            seconds = time.monotonic() - started
            result.longest = max(result.longest, seconds)
            if seconds > HANG_SECONDS:
                result.add("hangs", f"mutation {number} ({mutant.name}): {seconds:.0f} s")
            _watch_size(sandbox, result, f"mutation {number} ({mutant.name})")
    return result


def _watch_size(sandbox: Sandbox, result: Result, shown: str) -> None:
    """The child's highest resident memory so far, where the system tells it."""
    peak = sandbox.peak_mb()
    if peak > MOST_MB and peak > result.largest_mb:
        result.add("swollen", f"{shown}: {peak:.0f} MB")
    result.largest_mb = max(result.largest_mb, peak)


def lenient_losses(seed: int, mutations: int) -> tuple[int, int]:
    """(files, files that lose records without a word) under DuckDB's CSV reader told to ignore errors."""
    data = text([row[:4] for row in people()], PEOPLE[:4]).encode()
    lost = 0
    with tempfile.TemporaryDirectory() as name, duckdb.connect() as con:
        path = Path(name) / "x.csv"
        for number in range(mutations):
            chance = random.Random(f"{seed} lenient {number}")
            lines = data.split(b"\n")
            lines[chance.randrange(1, 30)] = chance.choice(
                (b'"a,b,c,d', b"a,b", b"a,b,c,d,e", b"a,\xff\xfe,c,d", b'a"b",c,d,e"')
            )
            path.write_bytes(b"\n".join(lines))
            try:
                (rows,) = con.execute(
                    "select count(*) from read_csv(?, ignore_errors=true)", [str(path)]
                ).fetchone() or (0,)
                lost += rows != 30
            except duckdb.Error:
                pass
    return mutations, lost


def unlimited_child() -> tuple[float, float]:
    """Highest megabytes of a child that reads a small bomb: with our limits, and without any."""
    bomb = Seed("contacts/bomb.csv.gz", gzip.compress(b"name,email\n" + b"a,b\n" * 15_000_000, compresslevel=1))
    none = {"ratio": 10**6, "unpacked_mb": 10**6, "memory_mb": 10**6, "large_memory_mb": 10**6, "seconds": 600}
    peaks: list[float] = []
    for limits in ({}, none):
        policy = SourcesPolicy.model_validate({"limits": {**Limits().model_dump(), **limits}})
        with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
            with contextlib.suppress(Refused, AbmError):
                land_one(bomb, sandbox, Path(name), policy)
            peaks.append(sandbox.peak_mb())
    return peaks[0], peaks[1]


def main() -> None:
    """Fuzz and print the figures with their controls; ends with 1 where one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=MUTATIONS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    step = max(1, asked.mutations // (asked.processes * 30))
    parts = [range(at, min(at + step, asked.mutations)) for at in range(0, asked.mutations, step)]
    total = Result()
    with multiprocessing.Pool(asked.processes) as pool:
        for part in pool.imap_unordered(partial(fuzz, seed=asked.seed), parts):
            total.merge(part)
            print(f"\r{sum(total.ends.values()):,} of {asked.mutations:,}", end="", file=sys.stderr, flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"seed {asked.seed}: {asked.mutations:,} mutations of {len(seeds())} files")
    print("  " + ", ".join(f"{name} {total.faults[name]}" for name in FAULTS))
    print(f"  longest {total.longest:.1f} s, largest child {total.largest_mb:.0f} MB, {cpu:.0f} CPU s")
    print("  ends: " + ", ".join(f"{name} {count:,}" for name, count in total.ends.most_common()))
    for line in total.shown[:20]:
        print(f"  {line}")
    files, lost = lenient_losses(asked.seed, 200)
    print(f"control, a lenient CSV reader: {lost} of {files} files lose records without an error (must not be 0)")
    ours, none = unlimited_child()
    print(f"control, one bomb: child {ours:.0f} MB with our limits, {none:.0f} MB without (must be above {MOST_MB})")
    if sum(total.faults.values()) or not lost or none <= MOST_MB:
        sys.exit(1)


if __name__ == "__main__":
    main()
