"""The forecast's back-test on a pipeline that is shaped like life and on seeded worlds, beside the naive ones.

    python -m benchmarks.forecast_bench [DATA/maven] [--from 2017-05] [--to 2017-10] [--seeds 1 2 3] [--deals 100000]

DATA/maven holds sales_pipeline.csv and products.csv (a fictitious CRM; an open deal counts with its list price).
For the first day of each month: the value won within 30 and within 90 days, seen from that day; WAPE =
Σ|forecast − actual| / Σ actual. How much each way to look ahead counts, and how far cells are smoothed, is settled
anew for each month from what was known on its first morning: with all that came later made up, each month's forecast
must be the same to the bit. The control, in which ends are known from the beginning, must differ.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_worlds import KINDS, month_starts, world
from scoring.forecast.combining import HORIZONS, Forecast, Teller
from scoring.forecast.spells import (
    NEVER,
    Spells,
    last_period,
    of_one_stage,
    pipeline_times_rate,
    seen_from,
    won_between,
)


def read_spells(folder: Path) -> Spells:
    """The engaged opportunities as spells of one stage each."""
    rows = pd.read_csv(folder / "sales_pipeline.csv")
    rows = rows[rows["engage_date"].notna()]
    prices = pd.read_csv(folder / "products.csv").set_index("product")["sales_price"]
    price = rows["product"].str.replace("GTXPro", "GTX Pro").map(prices)
    is_closed = rows["deal_stage"].isin(["Won", "Lost"])
    ended = np.where(is_closed, _days(rows["close_date"].fillna("1/1/1970")), NEVER)
    outcome = np.where(rows["deal_stage"] == "Won", 1, np.where(is_closed, -1, 0))
    closing = rows["close_value"].to_numpy(np.float64)
    return of_one_stage(_days(rows["engage_date"]), ended, outcome, price.to_numpy(np.float64), closing)


def _days(column: pd.Series) -> np.ndarray:
    days = pd.to_datetime(column, format="%m/%d/%Y").to_numpy().astype("datetime64[D]")
    return np.asarray(days.astype(np.int64))


def scrambled(spells: Spells, today: int) -> Spells:
    """The same deals with all that came to be known from that day on made up, and later stretches gone."""
    known = spells.of(spells.told < today)
    later = known.ended_told >= today
    return replace(
        known,
        ends=np.where(later, today + 1, known.ends),
        outcome=np.where(later, -known.outcome, known.outcome),
        closing=np.where(later, 1e9, known.closing),
    )


def peeking(spells: Spells) -> Spells:
    """The control: every end is known from the beginning."""
    return replace(spells, ended_told=spells.begins)


def wape(said: np.ndarray, actual: np.ndarray) -> float:
    """Σ|said − actual| / Σ actual."""
    return float(np.abs(said - actual).sum() / actual.sum())


def back_test(spells: Spells, starts: list[int]) -> list[dict[str, float]]:
    """Per horizon of HORIZONS: the WAPE of each method, the control's, and the share inside the 80 % interval."""
    teller = Teller(spells)
    told = [teller.forecasts(start) for start in starts]
    seen = [(seen_from(spells, start), start) for start in starts]
    found = []
    for place, days in enumerate(HORIZONS):
        ours: list[Forecast] = [one[place] for one in told if one is not None]
        actual = np.array([won_between(spells, start, days) for start in starts])
        said = np.array([one.total for one in ours])
        found.append(
            {
                "forecast": wape(said, actual),
                "last period": wape(np.array([last_period(one, start, days) for one, start in seen]), actual),
                "pipeline x win rate": wape(np.array([pipeline_times_rate(one) for one, _ in seen]), actual),
                "inside": float(np.mean([one.low <= came <= one.high for one, came in zip(ours, actual, strict=True)])),
                "width": float(np.mean([(one.high - one.low) / one.total for one in ours])),
            }
        )
    return found


def changed_by_the_future(spells: Spells, starts: list[int], guard: Callable[[Spells], Spells]) -> int:
    """Months whose forecast is another one when what came later is made up; `guard` says when ends are known."""
    return sum(_totals(guard(spells), start) != _totals(guard(scrambled(spells, start)), start) for start in starts)


def as_told(spells: Spells) -> Spells:
    """Ends are known when they were told."""
    return spells


def _totals(spells: Spells, start: int) -> list[float]:
    return [one.total for one in Teller(spells).forecasts(start) or []]


def _print(name: str, found: list[dict[str, float]]) -> None:
    for days, row in zip(HORIZONS, found, strict=True):
        print(f"{name:<12} {days} days  " + "  ".join(f"{method} {value:6.1%}" for method, value in row.items()))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--from", dest="since", default="2017-05")
    parser.add_argument("--to", dest="until", default="2017-10")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--deals", type=int, default=100_000)
    asked = parser.parse_args()
    if asked.folder:
        months = np.arange(np.datetime64(asked.since), np.datetime64(asked.until) + 1)
        starts = [int(month.astype("datetime64[D]").astype(np.int64)) for month in months]
        spells = read_spells(asked.folder)
        _print("maven", back_test(spells, starts))
        honest, control = (changed_by_the_future(spells, starts, guard) for guard in (as_told, peeking))
        print(f"maven: months of {len(starts)} whose forecast the future changes: {honest}; control: {control}")
    for kind in KINDS[:-1]:
        each = [back_test(world(kind, seed), month_starts(12, 90)) for seed in asked.seeds]
        _print(kind, [{key: float(np.mean([one[i][key] for one in each])) for key in each[0][i]} for i in range(2)])
    large = world("stages", 1, asked.deals / 1_095)
    started = time.process_time()
    back_test(large, month_starts(12, 90))
    deals, rows = len(np.unique(large.deal)), len(large.deal)
    print(f"{deals:,} deals, {rows:,} stretches: twelve months' back-test {time.process_time() - started:.2f} CPU-s")


if __name__ == "__main__":
    main()
