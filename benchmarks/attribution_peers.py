"""abmloop beside public packages on the same path file: CPU, memory, and how far from the exact values each one is.

    python -m benchmarks.attribution_peers --environments FOLDER [--paths 1000000] [--channels 100] [--seed 7]
    [--limit 600] [--only NAME ...]

Each package of attribution_peers.yaml gets an environment of its own in FOLDER, filled from the package registry. Three
worlds: 5 % of the paths convert, all convert, and for Markov 5 %. CPU seconds are those between the read file and the
result, start of the process and imports before left out, and beside them those from file to file, which is all that
can be told of ours. `apart` is
Σ|value − exact| / Σ exact, after scaling to the same sum, where exact is ours: it agrees with the reference cases.
`from its own` is the same against what the package means by the model, written anew in attribution_definitions.py:
where that is nothing, the difference is one of definition, and explained there. MAM's second line are its removal
effects.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from benchmarks.attribution_definitions import OWN
from benchmarks.attribution_world import path_world
from benchmarks.peers import NotInstalledError, environment, run_measured
from tasks.attribute.paths import read_paths

_HERE = Path(__file__).parent
# Imports are left out on both sides: Arrow loads pandas by itself where it is there, in the midst of the work.
_OURS = """
import sys, time
from pathlib import Path
import pandas
from tasks.attribute.paths import attribute_paths
model, order = sys.argv[3], int(sys.argv[4])
if model == "markov":
    import scipy.sparse
started = time.process_time()
attribute_paths(Path(sys.argv[1]), model, order, out=Path(sys.argv[2]))
print(time.process_time() - started)
"""
_HEAD = (
    "| model | converting | package | CPU s | file to file | with start | peak MB | apart from exact | from its own |\n"
    "|---|---:|---|---:|---:|---:|---:|---:|---:|"
)
_TASKS = (("rules", 0.05), ("rules", 1.0), ("markov 1", 0.05), ("markov 2", 0.05))


def shares(path: Path, model: str) -> dict[str, float]:
    """Channel → share of the conversions, of our file or a peer's."""
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    wanted = "linear" if model == "rules" else "markov"
    kept = [
        row for row in rows if row.get("model", wanted) == wanted and row.get("metric", "conversions") == "conversions"
    ]
    values = {row["channel"]: float(row["value"]) for row in kept}
    whole = sum(values.values()) or 1.0
    return {channel: value / whole for channel, value in values.items()}


def apart(found: dict[str, float], exact: dict[str, float]) -> float:
    """Σ|difference| of the shares."""
    return sum(abs(found.get(name, 0.0) - exact.get(name, 0.0)) for name in {*found, *exact})


def distance(found: dict[str, float], other: dict[str, float]) -> str:
    """How far apart the shares are; nothing where there is nothing to compare."""
    return f"{apart(found, other):.1e}" if found and other else ""


def own(name: str, model: str, paths: Path) -> dict[str, float]:
    """Channel → share by what the package means by the model, where that is known to be something else."""
    if (name, model) not in OWN:
        return {}
    rows = read_paths(paths, without_null=False)
    values = OWN[name, model](rows)
    return dict(zip(rows.channels, (values / values.sum()).tolist(), strict=True))


def run_one(name: str, peer: dict[str, Any], model: str, paths: Path, asked: argparse.Namespace) -> tuple[str, Path]:
    """The row of the table, and the file of results (which may be missing)."""
    out = paths.parent / f"{name}.csv"
    if "packages" not in peer:
        ours = "first_touch,last_touch,linear" if model == "rules" else "markov"
        order = model.split()[-1] if model != "rules" else "1"
        command = [sys.executable, "-c", _OURS, paths, out, ours, order]
    else:
        try:
            python = environment(asked.environments / name, peer["packages"])
        except NotInstalledError as refused:
            return f"not installed: {refused}", out
        command = [python, _HERE / "attribution_adapters.py", name, model, paths, out]
    cost = run_measured(command, asked.limit)
    if cost.error:
        return f"{cost.error[:120]} | | {cost.cpu_s:.0f} in all | {cost.peak_mb:,.0f}", out
    spent = [float(seconds) for seconds in cost.printed.strip().splitlines()[-1].split()]
    told = f"{spent[0]:.2f} | {spent[1]:.2f}" if len(spent) > 1 else f"| {spent[0]:.2f}"
    return f"{told} | {cost.cpu_s:.2f} | {cost.peak_mb:,.0f}", out


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--paths", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--only", nargs="+")
    asked = parser.parse_args()
    peers = yaml.safe_load((_HERE / "attribution_peers.yaml").read_text(encoding="utf-8"))
    print(_HEAD)
    with tempfile.TemporaryDirectory() as scratch:
        for number, (model, converting) in enumerate(_TASKS):
            paths = Path(scratch) / str(number) / "paths.parquet"
            paths.parent.mkdir()
            pq.write_table(path_world(asked.paths, asked.channels, converting, asked.seed), paths)
            exact: dict[str, float] = {}
            for name, peer in peers.items():
                if asked.only and name not in (*asked.only, "abmloop"):
                    continue
                told, out = run_one(name, peer, model, paths, asked)
                found = shares(out, model) if out.is_file() else {}
                exact = exact or found
                row = f"| {model} | {converting:.0%} | {name} | {told}"
                print(f"{row} | {distance(found, exact)} | {distance(found, own(name, model, paths))} |", flush=True)
                effects = out.with_suffix(".effects.csv")
                if effects.is_file():
                    row = f"| {model} | {converting:.0%} | {name}, removal effects | | | | "
                    print(f"{row} | {distance(shares(effects, model), exact)} | |", flush=True)


if __name__ == "__main__":
    main()
