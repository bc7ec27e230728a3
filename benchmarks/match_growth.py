"""Measure how matching grows with the directory: CPU seconds and peak memory of building and matching, with exponents.

usage: python -m benchmarks.match_growth DATA [companies ...]

DATA is a folder with registry_1_5m.parquet, gleif_200k.parquet (name) and bench_771k/dir.parquet, contacts.parquet. Of
each number of companies (90,000, 771,000 and 3,000,000 by default) a directory is made: those of the bench, then of the
two lists, then names of the lists recombined (the beginning of one, the rest of another). The same 20,000 people are
matched to each, each time in a process of its own. Building is: names taken apart, what is rare counted; matching:
pairs found and judged. An exponent of 1 says that twice the companies cost twice as much, 2 that they cost four times.
"""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from scoring.match.blocks import Block, in_blocks
from scoring.match.counts import Counts
from scoring.match.pairs import collect_pairs
from scoring.match.sides import given_side
from scoring.match.tables import directory_of, judge_block
from scoring.match.training.learn import default_policy
from scoring.values.regions import parse_places

_SIZES = (90_000, 771_000, 3_000_000)
_PEOPLE = 20_000
_ONE = "--one"


def main() -> None:
    """Measure each size in a process of its own; print the table."""
    data = sys.argv[1]
    if _ONE in sys.argv:
        print(json.dumps(measure(Path(data), int(sys.argv[3]))))
        return
    print("| companies | build CPU s | match CPU s | peak GB | pairs a person |\n|---:|---:|---:|---:|---:|")
    found = []
    for size in [int(size) for size in sys.argv[2:]] or _SIZES:
        row = _apart(data, size)
        told = f"{row['build']:.1f} | {row['match']:.1f} | {row['peak_gb']:.2f} | {row['pairs']:.1f}"
        print(f"| {row['companies']:,} | {told} |", flush=True)
        found.append(row)
    for one, other in pairwise(found):
        shares = {name: math.log(other[name] / one[name]) for name in ("build", "match", "peak_gb")}
        whole = math.log(other["companies"] / one["companies"])
        told = ", ".join(f"{name} {share / whole:.2f}" for name, share in shares.items())
        print(f"exponents from {one['companies']:,} to {other['companies']:,}: {told}")


def _apart(data: str, size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.match_growth", data, _ONE, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(data: Path, size: int) -> dict[str, Any]:
    """CPU seconds and memory for a directory of so many companies."""
    companies, people = _companies(data, size), _people(data)
    policy = default_policy()
    build, (directory, counts) = _timed(lambda: (lambda made: (made, Counts.of(made)))(directory_of(companies)))

    def match() -> int:
        given, bare_key = given_side(people)
        rule = policy.candidates
        pairs = collect_pairs(given, bare_key, directory, rule, policy.most_shared, counts.epoch)
        whole = Block(pairs, given, bare_key, directory.side, {}, policy, counts.rarity, None)
        for block in in_blocks(whole, 1):
            judge_block(block)
        return len(pairs)

    cpu, pairs = _timed(match)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000
    return {"companies": companies.num_rows, "build": build, "match": cpu, "peak_gb": peak, "pairs": pairs / _PEOPLE}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    clock = time.process_time()
    result = work()
    return time.process_time() - clock, result


def _companies(data: Path, size: int) -> pa.Table:
    columns = ["name", "province", "city"]
    tables = [
        parquet.read_table(data / "bench_771k" / "dir.parquet", columns=columns),
        parquet.read_table(data / "registry_1_5m.parquet", columns=columns),
        parquet.read_table(data / "gleif_200k.parquet", columns=["name"]),
    ]
    every = pa.concat_tables([table.cast(_as_text(table)) for table in tables], promote_options="default")
    # In an order without meaning, so that every size has its share of each list.
    order = np.random.default_rng(7).permutation(every.num_rows)
    some = every.take(pa.array(order[:size]))
    if size > every.num_rows:
        some = pa.concat_tables([some, _recombined(every, size - every.num_rows)])
    return _placed(some, "account_id")


def _recombined(every: pa.Table, count: int) -> pa.Table:
    """Companies named by the beginning of one name and the rest of another, where that one sits."""
    random = np.random.default_rng(8)
    one, other = (every.take(pa.array(random.integers(every.num_rows, size=count))) for _ in range(2))
    begins = pc.utf8_slice_codeunits(one["name"], 0, 4)
    name = pc.binary_join_element_wise(begins, pc.utf8_slice_codeunits(other["name"], 4), "")
    return one.set_column(one.column_names.index("name"), "name", name)


def _as_text(table: pa.Table) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in table.column_names])


def _people(data: Path) -> pa.Table:
    contacts = parquet.read_table(data / "bench_771k" / "contacts.parquet", columns=["company", "city"])
    step = contacts.num_rows // _PEOPLE
    some = contacts.cast(_as_text(contacts)).take(pa.array(np.arange(_PEOPLE) * step))
    return _placed(some.rename_columns(["company_name", "city"]), "contact_id")


def _placed(rows: pa.Table, identity: str) -> pa.Table:
    """Rows with an id and the codes of their places."""
    absent = pa.nulls(rows.num_rows, pa.string())
    given = [rows[name] if name in rows.column_names else absent for name in ("province", "city")]
    joined = pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in given), "|")
    distinct = joined.combine_chunks().dictionary_encode()
    places = parse_places(distinct.dictionary)
    for name in ("province_code", "city_code", "district_code"):
        rows = rows.append_column(name, places[name].combine_chunks().take(distinct.indices))
    ids = pa.array(np.char.mod("%08d", np.arange(rows.num_rows)))
    return rows.append_column(identity, ids).combine_chunks()


if __name__ == "__main__":
    main()
