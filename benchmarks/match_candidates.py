"""Measure candidates: for how many contacts the right account is among the pairs to be judged, by kind of key.

usage: python -m benchmarks.match_candidates DATA [bench_90k|bench_771k ...]

DATA is a folder with bench_*/dir.parquet, contacts.parquet, truth.parquet (as in benchmarks.match_bench). Recall is
the share of contacts that have an account in the directory and meet it by this kind of key; `alone` the share that meet
it by no other kind. What is no candidate cannot be matched, so that recall of all kinds together bounds the matcher's.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet

from abmloop.policy import parse_policy
from scoring.match.pairs import Pairs
from scoring.match.tables import find_pairs
from scoring.policies.match import MatchPolicy
from tasks.match.files import read_sides
from tasks.policies import DEFAULTS


def main() -> None:
    """Print recall per kind of key and slice for each bench named."""
    data, benches = Path(sys.argv[1]), sys.argv[2:] or ["bench_90k"]
    for bench in benches:
        measure(data / bench)


def measure(folder: Path) -> None:
    """One bench: cost of reading and of finding pairs, then recall by kind."""
    policy = parse_policy((DEFAULTS / MatchPolicy.file_name).read_text(encoding="utf-8"), MatchPolicy)
    clock = time.process_time()
    people, companies = read_sides(folder / "dir.parquet", folder / "contacts.parquet")
    read = time.process_time()
    pairs, given, directory = find_pairs(people, companies, policy)
    found = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{folder.name}: {people.num_rows:,} contacts, {companies.num_rows:,} companies, {len(pairs):,} pairs"
        f" ({len(pairs) / people.num_rows:.1f} a contact); files read in {read - clock:.1f} CPU s,"
        f" names and pairs {found - read:.1f} CPU s, peak {peak:,.0f} MB"
    )
    print_recall(pairs, given.ids, directory.side.ids, folder / "truth.parquet")


def print_recall(pairs: Pairs, contacts: np.ndarray, accounts: np.ndarray, truth_file: Path) -> None:
    """A table: rows are kinds of keys, columns slices."""
    truth = parquet.read_table(truth_file).to_pandas()
    truth = truth[truth["ids"].notna()].explode("ids")
    right = pd.DataFrame(
        {
            "given": pd.Index(contacts).get_indexer(truth["cid"]),
            "account": pd.Index(accounts).get_indexer(truth["ids"]),
            "slice": truth["slice"].to_numpy(),
        }
    )
    kinds = {**pairs.via, "grams": pairs.cosine > 0}
    met = pd.DataFrame({"given": pairs.given, "account": pairs.account, **kinds}).merge(right, on=["given", "account"])
    by_contact = met.groupby("given")[list(kinds)].max()
    asked = right.drop_duplicates("given").set_index("given")["slice"]
    found = by_contact.reindex(asked.index, fill_value=False).astype(bool)
    shown = {name: found[name] for name in kinds}
    shown["all together"] = found.any(axis=1)
    table = pd.DataFrame({name: _per_slice(flags, asked) for name, flags in shown.items()}).T
    table["alone"] = [(found[name] & (found.sum(axis=1) == 1)).mean() if name in found else np.nan for name in shown]
    table["pairs"] = [flags.sum() for flags in kinds.values()] + [len(pairs)]
    with pd.option_context("display.width", 250, "display.max_columns", 50):
        print(table.to_string(float_format=lambda share: f"{share:.4f}", na_rep=""))


def _per_slice(flags: pd.Series, slices: pd.Series) -> pd.Series:
    return pd.concat([pd.Series({"all": flags.mean()}), flags.groupby(slices).mean()])


if __name__ == "__main__":
    main()
