"""Measure whether promises are kept: of what is taken without asking at a promise, how much is right, for several.

usage: python -m benchmarks.match_promises DATA [bench_90k|bench_771k]

DATA as in benchmarks.match_bench. Everything is matched once; each promise is then a threshold of its own. A second
table says, by method and by what the confidence said, how much of it was right: where a promise fails, it shows why.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from abmloop.blocks import mapper_for
from abmloop.policy import parse_policy
from scoring.match.promise import Promised, Rehearsed, match_rehearsed
from scoring.policies.match import MatchPolicy
from tasks.match.files import read_sides
from tasks.policies import DEFAULTS

_PROMISES = (0.95, 0.97, 0.98, 0.985, 0.99, 0.995)
_EDGES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.001)


def main() -> None:
    """Match once; print precision and recall per promise, then reliability per method."""
    folder = Path(sys.argv[1]) / (sys.argv[2] if len(sys.argv) > 2 else "bench_90k")
    policy = parse_policy((DEFAULTS / MatchPolicy.file_name).read_text(encoding="utf-8"), MatchPolicy)
    people, companies = read_sides(folder / "dir.parquet", folder / "contacts.parquet")
    rehearsed = match_rehearsed(people, companies, policy, mapper=mapper_for(people.num_rows, 0))
    truth = parquet.read_table(folder / "truth.parquet").to_pandas().set_index("cid")
    print(f"{folder.name}: {people.num_rows:,} contacts, {companies.num_rows:,} companies")
    print("| promise | taken | precision | kept within | recall | of absent companies | from confidence |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for promise in _PROMISES:
        print(_line(promise, rehearsed.promised(promise, policy.review_from), truth))
    print(reliability(rehearsed, truth).to_string(float_format="%.4f"))


def _line(promise: float, promised: Promised, truth: pd.DataFrame) -> str:
    rows = _judged(promised.decisions, truth)
    taken = rows[rows["decision"] == "auto"]
    has_account = rows["ids"].notna()
    absent = (taken["ids"].isna()).sum() / max((~has_account).sum(), 1)
    precision = taken["is_right"].mean()
    return (
        f"| {promise} | {len(taken):,} | {precision:.4f} | {precision - promise:+.4f} |"
        f" {taken['is_right'].sum() / has_account.sum():.4f} | {absent:.4f} | {promised.threshold:.3f} |"
    )


def reliability(rehearsed: Rehearsed, truth: pd.DataFrame) -> pd.DataFrame:
    """Matches, what they said on average and how many were right, by method and confidence; guarded ones left out."""
    open_rows = rehearsed.decisions.filter(~rehearsed.guarded)
    rows = _judged(open_rows, truth).assign(confidence=rehearsed.confidence[~rehearsed.guarded])
    rows = rows[rows["account_id"].notna()]
    bins = pd.cut(rows["confidence"], list(_EDGES), right=False)
    found = rows.groupby(["method", bins], observed=True).agg(
        matches=("is_right", "size"), said=("confidence", "mean"), right=("is_right", "mean")
    )
    return found.reset_index()


def _judged(decisions: pa.Table, truth: pd.DataFrame) -> pd.DataFrame:
    rows = decisions.select(["contact_id", "account_id", "decision", "method", "confidence"]).to_pandas()
    rows = rows.join(truth, on="contact_id")
    pairs = zip(rows["account_id"], rows["ids"], strict=True)
    return rows.assign(is_right=np.array([ids is not None and one in ids for one, ids in pairs], bool))


if __name__ == "__main__":
    main()
