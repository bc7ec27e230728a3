"""Measure what a day's change costs matching: everything anew, nothing new, a share of companies and people changed.

usage: python -m benchmarks.match_daily DATA [bench_90k|bench_771k] [share]

The companies and people of a bench stand in a warehouse of their own; on the second day nothing changed, on the third
`share` (0.01) of the companies have another telephone number and as many people another employer's name; on the fourth
a tenth of so many companies have another name, and on the fifth all of so many. The result of the last day is then held
against matching everything anew.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.policy import parse_policy
from abmloop.run import Run
from scoring.match.sides import account_side
from scoring.policies.match import MatchPolicy
from tasks.match.files import read_sides
from tasks.match.profiles import match_profiles
from tasks.policies import DEFAULTS
from tasks.runs import open_run
from warehouse.database import connect
from warehouse.ledger import Ledger
from warehouse.steps import Work

_PARTS = ("name_key", "core", "industry_word", "form", "branch", "region_code")
_FIELDS = ("name", "uscc", "crm_account_id", "province_code", "city_code", "district_code", "city", "domain", "phone")
_RESULTS = ("matched.profile_accounts", "matched.profile_candidates")


def main() -> None:
    """Print CPU seconds of each day, and whether the daily result is that of everything anew."""
    data, bench = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "bench_90k"
    share = float(sys.argv[3]) if len(sys.argv) > 3 else 0.01
    people, companies = read_sides(data / bench / "dir.parquet", data / bench / "contacts.parquet")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "abmloop.yaml").write_text("name: bench\n", encoding="utf-8")
        with open_run(root, None) as run:
            _measure(run, _directory(companies), _profiles(people), share)


def _measure(run: Run, directory: pa.Table, profiles: pa.Table, share: float) -> None:
    policy = parse_policy((DEFAULTS / MatchPolicy.file_name).read_text(encoding="utf-8"), MatchPolicy)
    con = connect(run.root)
    with Ledger.of(run.root, None) as ledger:
        work = Work(run, "match", con, ledger)
        con.execute("create table if not exists resolved.account_members (row_id varchar, account_id varchar)")
        whole = _day(work, policy, "everything anew", directory, profiles, 0.0)
        _day(work, policy, "nothing new", directory, profiles, whole)
        changed = (_changed(directory, "phone", share), _changed(profiles, "company_name", share))
        _day(work, policy, f"{share:.1%} changed", *changed, whole)
        for renamed in (share / 10, share):
            changed = (_renamed(changed[0], renamed), changed[1])
            _day(work, policy, f"{renamed:.1%} of the companies renamed", *changed, whole)
        daily = [work.execute(f"select * from {table} order by all").fetchall() for table in _RESULTS]
        con.execute("delete from ops.match_state")
        _day(work, policy, "that anew", *changed, whole)
        anew = [work.execute(f"select * from {table} order by all").fetchall() for table in _RESULTS]
        print("the daily result is that of everything anew:", daily == anew)
    con.close()


def _day(work: Work, policy: MatchPolicy, what: str, directory: pa.Table, profiles: pa.Table, whole: float) -> float:
    """CPU seconds of matching this day."""
    for name, rows in (("matched.directory", directory), ("matched.company_profiles", profiles)):
        work.con.register("given_rows", rows)
        work.con.execute(f"create or replace table {name} as select * from given_rows")
        work.con.unregister("given_rows")
    before, clock = work.counted.get("profiles_matched", 0), time.process_time()
    match_profiles(work, policy)
    cpu = time.process_time() - clock
    matched = work.counted.get("profiles_matched", 0) - before
    print(
        f"{what}: {matched:,} of {profiles.num_rows:,} matched, {cpu:.1f} CPU s"
        + (f", {cpu / whole:.0%}" if whole else "")
    )
    return cpu


def _directory(companies: pa.Table) -> pa.Table:
    """The companies with their names taken apart, as the dictionary of names has them."""
    side = account_side(companies)
    parts = dict(zip(_PARTS, (side.key, side.core, None, side.form, side.branch, side.region), strict=True))
    size = companies.num_rows
    absent = pa.nulls(size, pa.string())
    stem_rest = np.array([stem[len(core) :] for stem, core in zip(side.stem, side.core, strict=True)], object)
    parts["industry_word"] = stem_rest
    columns = {name: companies[name] if name in companies.column_names else absent for name in _FIELDS}
    return pa.table(
        {
            "account_id": companies["account_id"],
            **{name: pc.cast(column, pa.string()) for name, column in columns.items()},
            **{name: pa.array(column, pa.string()) for name, column in parts.items()},
            "is_parsed": pa.repeat(pa.scalar(True), size),
            "alias_keys": pa.nulls(size, pa.list_(pa.string())),
            "domains": pa.nulls(size, pa.list_(pa.string())),
        }
    )


def _renamed(directory: pa.Table, share: float) -> pa.Table:
    """Some companies under another name, as another day's list has them."""
    is_renamed = np.arange(directory.num_rows) % round(1 / share) == 1
    added = pa.array(np.where(is_renamed, "(新)", ""), pa.string())
    name = pc.binary_join_element_wise(directory["name"], added, "")
    renamed = _directory(directory.set_column(directory.column_names.index("name"), "name", name).filter(is_renamed))
    both = pa.concat_tables([directory.filter(~is_renamed), renamed.select(directory.column_names)])
    return both.take(pc.sort_indices(both["account_id"]))


def _profiles(people: pa.Table) -> pa.Table:
    return people.rename_columns({"contact_id": "profile_id"})


def _changed(rows: pa.Table, column: str, share: float) -> pa.Table:
    """Some rows with another value in a column; people so changed are others."""
    step = round(1 / share)
    places = np.arange(rows.num_rows)
    is_changed = pa.array(places % step == 0)
    other = "+8657112345678" if column == "phone" else pc.binary_join_element_wise(rows[column], "新", "")
    at = rows.column_names.index(column)
    rows = rows.set_column(at, column, pc.if_else(is_changed, other, rows[column]))
    if column == "phone":
        return rows
    ids = pc.binary_join_element_wise(rows["profile_id"], "n", "")
    return rows.set_column(0, "profile_id", pc.if_else(is_changed, ids, rows["profile_id"]))


if __name__ == "__main__":
    main()
