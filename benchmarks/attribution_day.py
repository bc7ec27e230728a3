"""A day of attribution in the loop: 1 % new touches and ten changed deals, against crediting everything.

    python -m benchmarks.attribution_day [--share 0.1] [--seed 7] [--models linear,w_shaped,...]

The world of attribution_scale (accounts) stands in a warehouse's core tables, every tenth deal open. Prints CPU
seconds, deals credited anew and rows written of the step `attribute`: everything, the same again, the day, and
everything again, whose tables must be those of the day.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.attribution_world import write_accounts
from scoring.policies.attribution import AttributionPolicy
from tasks.attribute.step import attribute, load_attribution_rules
from tasks.policies import load_policy
from tasks.runs import open_run
from warehouse.database import Limits, connect, held_open
from warehouse.hashes import table_hashes
from warehouse.models import all_models
from warehouse.steps import Work, step

AS_OF = date(2026, 12, 31)
_TOUCHES = """
insert into core.touches by name
select touch_id, person_id, account_id, account_id as party_id, campaign_id, channel, 'visit' as type, occurred_at,
       false as is_future
from given_touches
"""
_DEALS = """
insert into core.deals by name
select deal_id, account_id as party_id, account_id, 'new' as type, amount, amount as amount_base, created_at,
       lead_created_at, case when open then 'open' else 'won' end as status,
       case when open then null else closed_at end as closed_at
from (select *, deal_id like '%0' as open from given_deals)
"""
_NEW_TOUCHES = """
insert into core.touches by name
select 'new' || touch_id as touch_id, * exclude (touch_id) replace (timestamp '2026-12-31 08:00:00' as occurred_at)
from core.touches where hash(touch_id) % 100 = 0
"""
_CHANGED = """
update core.deals set amount_base = amount_base + 100
where deal_id in (select deal_id from core.deals where status = 'won' order by hash(deal_id) limit 10)
"""


def given(work: Work, place: Path) -> None:
    """The core tables of the world, and whatever else the step reads, empty."""
    for model in all_models().values():
        if model.zone not in ("core", "matched", "scored", "resolved") or model.kind == "view":
            continue
        columns = ", ".join(f'"{name}" {_type(name)}' for name in model.columns)
        work.execute(f"create or replace table {model.name} ({columns})")
    for name, sql in (("touches", _TOUCHES), ("deals", _DEALS)):
        work.con.register(f"given_{name}", pq.read_table(place / f"{name}.parquet"))
        work.execute(sql)
        work.con.unregister(f"given_{name}")
    work.build("core.deal_parts")


def _type(column: str) -> str:
    """The type of a column of core, by its name."""
    kinds = {"_at": "timestamp", "_on": "date"}
    if column.startswith("is_"):
        return "boolean"
    return "decimal(18, 2)" if column.startswith(("amount", "percent")) else kinds.get(column[-3:], "varchar")


def credited(root: Path, told: str) -> float:
    """The step, timed; what it did on screen."""
    with open_run(root, AS_OF, push="off") as run, held_open(root, Limits()):
        started = time.process_time()
        counts = attribute(run).counts
        spent = time.process_time() - started
    print(f"{told:<28} {spent:7.2f} CPU-s  {counts['recredited_deals']:>8,} deals anew  {counts['rows_out']:>10,} rows")
    return spent


def tables(root: Path) -> dict[str, str]:
    """The credits and journeys, as hashes."""
    with connect(root) as con:
        found = table_hashes(con, ("scored",))
        return {name: found[name] for name in ("scored.credits", "scored.deal_touches")}


def main() -> None:
    """Make the world and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--models", default=",".join(AttributionPolicy().models))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        (root / "config").mkdir(parents=True)
        (root / "abmloop.yaml").write_text("name: a day\n", encoding="utf-8")
        (root / "config" / "attribution.yaml").write_text(f"models: [{asked.models}]\n", encoding="utf-8")
        counts = (round(count * asked.share) for count in (10_000_000, 200_000, 1_000_000, 100_000))
        write_accounts(Path(folder), *counts, asked.seed)
        with open_run(root, AS_OF, push="off") as run, step(run, "given") as work:
            load_attribution_rules(work, load_policy(run, AttributionPolicy))
            given(work, Path(folder))
        full = credited(root, "everything")
        credited(root, "the same again")
        with connect(root) as con:
            con.execute(_NEW_TOUCHES)
            con.execute(_CHANGED)
        day = credited(root, "1 % new touches, ten deals")
        found = tables(root)
        with connect(root) as con:
            con.execute("delete from ops.credit_models")
        full = credited(root, "everything again")
        print(f"the day is {day / full:.0%} of everything; equal to it: {tables(root) == found}; seed {asked.seed}")


if __name__ == "__main__":
    main()
