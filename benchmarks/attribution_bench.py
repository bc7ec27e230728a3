"""How long attribution takes: touches and deals of a seeded world, every rule model to the cent, credits conserved.

    python benchmarks/attribution_bench.py [--touches 1000000] [--deals 100000] [--seed 7]

Prints seconds per part, rows, peak memory, and the largest difference between a deal's amount and its credits (0).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent))

from scoring.attribution.credits import split_amounts
from scoring.attribution.journeys import Journeys, build_journeys
from scoring.attribution.rules import weigh
from scoring.attribution.spread import journey_paths, weigh_paths
from scoring.policies.attribution import RULE_MODELS, AttributionPolicy

DAY_US = 86_400_000_000
YEAR_START = 1_735_689_600_000_000  # 2025-01-01
CHANNELS = ["edm", "sms", "call", "ad", "webinar", "event", "wechat", "website", "direct"]


def make_world(touch_count: int, deal_count: int, seed: int) -> tuple[pa.Table, pa.Table, np.ndarray]:
    """Touches, deals and amounts in cents; accounts differ in size as in life: a few have very many touches."""
    random = np.random.default_rng(seed)
    accounts = max(deal_count * 3 // 4, 1)
    weight = random.pareto(1.5, accounts) + 0.2
    of_touch = random.choice(accounts, touch_count, p=weight / weight.sum())
    of_deal = random.choice(accounts, deal_count, p=weight / weight.sum())
    created = YEAR_START + random.integers(0, 365 * DAY_US, deal_count)
    closed = created + random.integers(0, 120 * DAY_US, deal_count)
    names = pa.array([f"A{n:07d}" for n in range(accounts)])
    campaign = random.integers(0, 400, touch_count)
    touches = pa.table(
        {
            "touch_id": pa.array([f"t{n:08d}" for n in random.permutation(touch_count)]),
            "party_id": names.take(pa.array(of_touch)),
            "campaign_id": pa.array([f"c{n:03d}" for n in range(400)]).take(pa.array(campaign)),
            "channel": pa.array(CHANNELS).take(pa.array(campaign % len(CHANNELS))),
            "person_id": names.take(pa.array((of_touch * 7 + random.integers(0, 4, touch_count)) % accounts)),
            "type": pa.array(["click", "form", "visit", "attended"]).take(pa.array(random.integers(0, 4, touch_count))),
            "occurred_at": pa.array(YEAR_START + random.integers(0, 450 * DAY_US, touch_count)).cast(
                pa.timestamp("us")
            ),
        }
    )
    deals = pa.table(
        {
            "party_id": names.take(pa.array(of_deal)),
            "status": pa.array(["won", "lost", "open"]).take(pa.array(random.integers(0, 3, deal_count))),
            "created_at": pa.array(created).cast(pa.timestamp("us")),
            "closed_at": pa.array(closed).cast(pa.timestamp("us")),
            "lead_created_at": pa.array(created - random.integers(0, 60 * DAY_US, deal_count)).cast(pa.timestamp("us")),
        }
    )
    return touches, deals, random.integers(-(10**6), 10**9, deal_count)


def timed(text: str, work: Callable[[], Any]) -> Any:
    """The work's result; its wall and CPU seconds on screen."""
    started, cpu = time.perf_counter(), time.process_time()
    result = work()
    print(f"{text:<24} {time.perf_counter() - started:8.2f} s  {time.process_time() - cpu:8.2f} CPU-s")
    return result


def credited(journeys: Journeys, weight: np.ndarray, cents: np.ndarray) -> int:
    """Largest difference between a deal's amount and its credits, in cents."""
    rows = weight > 0
    deal = journeys.deal[rows]
    split = split_amounts(deal, weight[rows], cents)
    sums = np.zeros(len(cents), dtype=np.int64)
    np.add.at(sums, deal, split)
    given = np.unique(deal)
    return int(np.abs(sums[given] - cents[given]).max(initial=0))


def main() -> None:
    """Make the world, time every part, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touches", type=int, default=1_000_000)
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    touches, deals, cents = make_world(asked.touches, asked.deals, asked.seed)
    policy = AttributionPolicy()
    started, cpu = time.perf_counter(), time.process_time()
    journeys = timed("journeys", lambda: build_journeys(touches, deals, policy, YEAR_START + 500 * DAY_US))
    print(f"{len(journeys.deal):,} eligible (deal, touch) rows of {asked.touches:,} touches x {asked.deals:,} deals")
    worst = 0
    for model in RULE_MODELS:
        difference = timed(model, lambda m=model: credited(journeys, weigh(journeys, m, policy).weight, cents))
        worst = max(worst, difference)
    spent = f"{time.perf_counter() - started:8.2f} s  {time.process_time() - cpu:8.2f} CPU-s"
    print(f"{'all rule models':<24} {spent}, largest difference {worst} cents")
    status = np.asarray(deals["status"].to_pylist())
    paths = journey_paths(journeys, status == "won", status == "lost", "channel")
    for model, order in (("markov", 1), ("markov", 3), ("shapley", 1)):
        timed(f"{model} order {order}", lambda m=model, k=order: weigh_paths(journeys, paths, m, k, "channel"))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, seed {asked.seed}")


if __name__ == "__main__":
    main()
