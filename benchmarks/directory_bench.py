"""How well and how cheaply rows become accounts, against the truth of seeded worlds, with other resolvers beside ours.

`python -m benchmarks.directory_bench [--entities 20000] [--seeds 1 2 3] [--names FOLDER] [--peers PYTHON]`

Lands and resolves each world by the real steps and prints pairwise precision, recall and F1, accounts with two codes,
CPU seconds and peak memory; `--control` once more with shared telephones allowed to join, which must cost precision;
with `--slices` by kind of company and of writing. PYTHON is the interpreter of a throw-away environment with the peers
(`python -m venv peers && peers/bin/pip install splink recordlinkage`); without it they are left out. Peers get our
cleaned values, and the threshold that gives them their best F1.
"""

import argparse
import json
import resource
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.directory_world import MIXES, write_directory_world
from benchmarks.peers import run_measured
from tasks.land import land
from tasks.parse import parse
from tasks.resolve import resolve
from tasks.runs import open_run
from warehouse.database import warehouse_path

DAY = date(2026, 10, 31)
# A peer that needs longer is told as not run.
_LIMIT_S = 3600
# Agents' telephones and groups' domains count like any other; all else is as it was.
_UNGUARDED = "version: 1\nshared_from: 1000000\nkeys_up_to: 1000\n"
_ROWS = """
select member.row_id, member.account_id, member.code as known_code, truth.*
from resolved.account_members as member
join truth on truth.source || ':' || truth.source_key = member.row_id
"""
_FOR_PEERS = """
select row_id as unique_id, told.entity, name_key, name_core, name_form,
       case when uscc_state = 'valid' then uscc end as uscc, registration_no, phone, email,
       case when domain_kind = 'own' then domain end as domain, province_code, city_code, legal_representative,
       founded_on::varchar as founded_on, address, name_en_key, company.source
from staging.companies as company
join (select entity, source || ':' || source_key as row_id from truth) as told using (row_id)
order by row_id
"""
_CODES = """
select count(*) from (
    select account_id from resolved.account_members join staging.companies using (row_id)
    where uscc_state = 'valid' group by account_id having count(distinct uscc) > 1)
"""


def measure(root: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """Lands and resolves the world in `root`; gives its rows with account and entity, and what it took."""
    with open_run(root, DAY) as run:
        land(run)
        parse(run)
        resolve(run)
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        con.execute(f"create temp view truth as from read_parquet('{root / 'truth.parquet'}')")
        rows = con.execute(_ROWS).df()
        ((two_codes,),) = con.execute(_CODES).fetchall()
        cpu = dict(con.execute("select step, sum(cpu_seconds) from ops.steps group by step").fetchall())
        con.execute(f"copy ({_FOR_PEERS}) to '{root / 'peers.parquet'}'")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return rows, {**score(rows), "two_codes": two_codes, "cpu_s": cpu["resolve"], "peak_gb": peak}


def score(rows: pd.DataFrame) -> dict[str, float]:
    """Pairwise precision, recall and F1 of `account_id` against `entity`."""
    true, made, both = (_pairs(rows, keys) for keys in (["entity"], ["account_id"], ["entity", "account_id"]))
    precision, recall = both / max(made, 1), both / max(true, 1)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-9)}


def _pairs(rows: pd.DataFrame, keys: list[str]) -> int:
    size = rows.groupby(keys).size().to_numpy()
    return int((size * (size - 1) // 2).sum())


def slices(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Per value of a truth column: rows, and the precision and recall of the pairs they stand in."""
    rows = rows.assign(
        mates=rows.groupby("entity")["entity"].transform("size") - 1,
        made=rows.groupby("account_id")["entity"].transform("size") - 1,
        found=rows.groupby(["entity", "account_id"])["entity"].transform("size") - 1,
    )
    told = rows.groupby(by)[["mates", "made", "found"]].sum().assign(rows=rows.groupby(by).size())
    return told.assign(precision=told["found"] / told["made"], recall=told["found"] / told["mates"])


def _print(name: str, figures: dict[str, float]) -> None:
    told = "  ".join(
        f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items()
    )
    print(f"{name:<34} {told}", flush=True)


def _peers(python: str, root: Path) -> None:
    """Each peer in a process of its own, on the rows as we cleaned them."""
    script = Path(__file__).with_name("directory_peers.py")
    for peer in ("splink", "recordlinkage"):
        cost = run_measured([python, script, peer, root / "peers.parquet"], _LIMIT_S)
        if cost.error:
            print(f"  {peer}: not run: {cost.error}")
            continue
        _print(f"  {peer}", json.loads(cost.printed.strip().splitlines()[-1]))


def main() -> None:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--entities", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--names", type=Path)
    arguments.add_argument("--peers")
    arguments.add_argument("--control", action="store_true")
    arguments.add_argument("--slices", action="store_true")
    arguments.add_argument("--mix", choices=sorted(MIXES), default="plain")
    arguments.add_argument("--keep", type=Path, help="folder in which the worlds stay")
    given = arguments.parse_args()
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            root = (given.keep or Path(folder)) / f"seed{seed}"
            told = write_directory_world(root, given.entities, seed, given.names, given.mix)
            rows, figures = measure(root)
            _print(f"seed {seed}: {len(told):,} rows, {told['source'].nunique()} lists", figures)
            if given.slices:
                for by in ("way", "kind", "code"):
                    print(slices(rows, by).round(4).to_string())
            if given.peers:
                _peers(given.peers, root)
            if given.control:
                (root / "config" / "directory.yaml").write_text(_UNGUARDED, encoding="utf-8")
                _print("  control: shared contacts may join", measure(root)[1])


if __name__ == "__main__":
    main()
