"""What the marts cost over ten million touches: CPU seconds of each, built or asked.

    python -m benchmarks.marts_bench [--share 1.0] [--seed 7]

A seeded world of 10 million touches of 1 million people in 200,000 accounts, 1,000 campaigns, 100,000 deals with orders
and payments, their credits by six models on three bases (every eligible touch of 180 days), and the leads' stages; put
straight into the tables that the marts read. `--share` makes it smaller. Tables are built once; views are asked as a
page asks them: one dimension, one model and basis.
"""

import argparse
import tempfile
import time
from pathlib import Path

import duckdb

from tests.models.skeleton import PARAMETERS, Skeleton
from warehouse.models import all_models, build_model

TABLES = (
    "workspace", "member_names", "models_and_bases", "deal_cost_shares", "lead_segments", "account_360", "campaign_roi",
    "channel_roi", "attribution_compare", "deal_journey", "lead_funnel", "funnel_cohort", "funnel_change", "velocity",
    "pool_sla", "payments", "renewals", "renewal_rates", "unit_economics",
)  # fmt: skip
ASKED = {
    "campaign_reach by campaign": "from marts.campaign_reach where dimension = 'campaign' and period = 'all'",
    "campaign_reach by channel, each month": "from marts.campaign_reach where dimension = 'channel' "
    "and period = 'month'",
    "campaign_reach by region": "from marts.campaign_reach where dimension = 'region' and period = 'all'",
    "campaign_returns by campaign": "from marts.campaign_returns where dimension = 'campaign' and model = 'linear' "
    "and basis = 'cash' and period = 'all'",
    "campaign_returns by region, each month": "from marts.campaign_returns where dimension = 'region' and "
    "model = 'linear' and basis = 'cash' and period = 'month'",
    "campaign_accounts of one campaign": "from marts.campaign_accounts where campaign_id = 'C7'",
}


def _timed(what: str, seconds: float, rows: int) -> None:
    print(f"{what:<40} {seconds:7.2f} CPU-s  {rows:>12,} rows", flush=True)


def main() -> None:
    """Make the world, build the tables, ask the views; print CPU seconds of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    sizes = {"touches": 10_000_000, "people": 1_000_000, "accounts": 200_000, "deals": 100_000}
    sizes = {name: round(size * asked.share) for name, size in sizes.items()}
    with tempfile.TemporaryDirectory() as folder:
        world = Skeleton()
        world.con = duckdb.connect(str(Path(folder) / "world.duckdb"), config={"memory_limit": "3GB"})
        world.con.execute("set timezone = 'UTC'; set preserve_insertion_order = false")
        for schema in ("raw", "staging", "resolved", "matched", "core", "scored", "marts", "rules", "quality", "ops"):
            world.con.execute(f"create schema {schema}")
        wanted = [f"marts.{name}" for name in (*TABLES, "campaign_accounts", "campaign_reach", "campaign_returns")]
        for name in wanted:
            world.ensure(name)
        text = Path(__file__).with_name("marts_world.sql").read_text(encoding="utf-8")
        for statement in text.format(seed=asked.seed, **sizes).split(";\n"):
            world.con.execute(statement)
        counts = world.con.execute("select (select count(*) from core.touches), (select count(*) from scored.credits)")
        print("touches and credits: {:,}, {:,}".format(*counts.fetchall()[0]))
        _measure(world.con)


def _measure(con: duckdb.DuckDBPyConnection) -> None:
    total = 0.0
    for model in all_models().values():
        if model.zone == "marts" and model.table in (*TABLES, "registration_check"):
            started = time.process_time()
            rows = build_model(con, model, PARAMETERS)
            total += time.process_time() - started
            _timed(model.name, time.process_time() - started, rows)
    _timed("all tables", total, 0)
    for what, sql in ASKED.items():
        started = time.process_time()
        rows = len(con.execute(sql).fetchall())
        _timed(what, time.process_time() - started, rows)


if __name__ == "__main__":
    main()
