"""abmloop beside public matchers on the same contacts and companies: quality, false accepts, CPU and memory.

`python -m benchmarks.matching_peers DATA --environments FOLDER [--bench bench_90k] [--contacts N] [--limit 600]
[--only NAME ...]`

DATA is a folder with bench_*/dir.parquet, contacts.parquet, truth.parquet (as in benchmarks.match_bench). Each matcher
of matching_peers.yaml gets an environment of its own in FOLDER, filled from the package registry, and runs when the one
before has ended; what cannot be installed or does not end within `--limit` seconds is told with its error. The best
company of each contact counts, whatever the matcher would decide itself: the threshold is chosen afterwards, in its
favour.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import yaml

from benchmarks.peers import Cost, NotInstalledError, environment, run_measured

_HERE = Path(__file__).parent
_SCORED = """
with best as (
    select contact_id, account_id, confidence from read_parquet($matches) where account_id is not null
    qualify row_number() over (partition by contact_id order by confidence desc, account_id) = 1
)
select truth.slice, truth.ids is not null as has_account, best.confidence,
       coalesce(list_contains(truth.ids, best.account_id), false) as is_right
from read_parquet($truth) as truth
join read_parquet($contacts) as contacts using (cid)
left join best on best.contact_id = truth.cid
order by truth.cid
"""
_HEAD = (
    "| matcher | given | best F1 | recall at precision .99 | namesake traps accepted | CPU s | peak MB |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)


class Quality(NamedTuple):
    """A matcher at the thresholds that are best for it."""

    f1: float
    threshold: float
    recall_at_99: float
    traps_accepted: float


def quality(scored: pd.DataFrame) -> Quality:
    """The best a threshold can do with `scored`: slice, has_account, confidence (null: no company), is_right.

    What shares a confidence is accepted together. Precision is right / accepted, recall is right / contacts that have
    an account; the traps are those accepted where F1 is best.
    """
    given = scored[scored["confidence"].notna()]
    by_level = given.groupby("confidence")["is_right"].agg(["size", "sum"]).sort_index(ascending=False).cumsum()
    if by_level.empty:
        return Quality(0.0, float("nan"), 0.0, 0.0)
    precision = (by_level["sum"] / by_level["size"]).to_numpy()
    recall = (by_level["sum"] / max(int(scored["has_account"].sum()), 1)).to_numpy()
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    threshold = float(by_level.index[best])
    traps = scored.loc[scored["slice"] == "neg_trap", "confidence"]
    accepted = float((traps >= threshold).mean()) if len(traps) else 0.0
    return Quality(float(f1[best]), threshold, float(recall[precision >= 0.99].max(initial=0.0)), accepted)


def sampled(folder: Path, wanted: int | None, scratch: Path) -> Path:
    """The file of contacts: all, or `wanted` of them, the same ones each time."""
    if wanted is None:
        return folder / "contacts.parquet"
    contacts = pd.read_parquet(folder / "contacts.parquet")
    chosen = contacts.sample(min(wanted, len(contacts)), random_state=1).sort_values("cid")
    chosen.to_parquet(scratch / "contacts.parquet", index=False)
    return scratch / "contacts.parquet"


def command(name: str, packages: list[str] | None, environments: Path) -> list[str | Path]:
    """How the matcher is called, before its files: ours from here, a peer's in its environment."""
    if packages is None:
        return [sys.executable, "-c", "from cli.main import main; main()", "match"]
    return [environment(environments / name, packages), _HERE / "matching_adapters.py", name]


def line(name: str, given: str, cost: Cost, scored: pd.DataFrame | None) -> str:
    """A row of the table; a matcher without result tells its error instead."""
    if scored is None:
        return f"| {name} | {given} | {cost.error[:200]} | | | {cost.cpu_s:.0f} | {cost.peak_mb:,.0f} |"
    best = quality(scored)
    return (
        f"| {name} | {given} | {best.f1:.3f} | {best.recall_at_99:.3f} | {best.traps_accepted:.3f}"
        f" | {cost.cpu_s:.1f} | {cost.peak_mb:,.0f} |"
    )


def measure(name: str, peer: dict, folder: Path, contacts: Path, given: argparse.Namespace) -> str:
    """Install, run and score one matcher."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "matches.parquet"
        try:
            start = command(name, peer.get("packages"), given.environments)
        except NotInstalledError as refused:
            return line(name, peer["given"], Cost("", f"not installed: {refused}", 0, 0), None)
        files = [folder / "dir.parquet", contacts, *([out] if "packages" in peer else ["--out", out])]
        cost = run_measured([*start, *files], given.limit)
        if cost.error:
            return line(name, peer["given"], cost, None)
        asked = {"matches": str(out), "truth": str(folder / "truth.parquet"), "contacts": str(contacts)}
        return line(name, peer["given"], cost, duckdb.connect().execute(_SCORED, asked).df())


def main() -> None:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--environments", type=Path, required=True, help="folder of the peers' environments")
    arguments.add_argument("--bench", default="bench_90k")
    arguments.add_argument("--contacts", type=int, help="a sample of so many; all without it")
    arguments.add_argument("--limit", type=float, default=600, help="seconds a matcher may take")
    arguments.add_argument("--only", nargs="+", help="these matchers")
    given = arguments.parse_args()
    peers = yaml.safe_load((_HERE / "matching_peers.yaml").read_text(encoding="utf-8"))
    folder = given.data / given.bench
    with tempfile.TemporaryDirectory() as scratch:
        contacts = sampled(folder, given.contacts, Path(scratch))
        print(_HEAD, flush=True)
        for name, peer in peers.items():
            if not given.only or name in given.only:
                print(measure(name, peer, folder, contacts, given), flush=True)


if __name__ == "__main__":
    main()
