"""The forecast's back-test on a pipeline that is shaped like life, beside the naive ones.

    python -m benchmarks.forecast_bench DATA/maven [--from 2017-05] [--to 2017-10]

DATA/maven holds sales_pipeline.csv and products.csv (a fictitious CRM). For the first day of each month: the value won
within 30 and within 90 days, seen from that day, by the forecast, by the last period repeated and by open pipeline ×
win rate; WAPE = Σ|forecast − actual| / Σ actual. A deal that is still open counts with its product's list price.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from scoring.forecast import NEVER, Spells, forecast, last_period, pipeline_times_rate, won_between


def read_spells(folder: Path) -> Spells:
    """The engaged opportunities as spells of one stage each."""
    rows = pd.read_csv(folder / "sales_pipeline.csv")
    rows = rows[rows["engage_date"].notna()]
    prices = pd.read_csv(folder / "products.csv").set_index("product")["sales_price"]
    price = rows["product"].str.replace("GTXPro", "GTX Pro").map(prices)
    is_closed = rows["deal_stage"].isin(["Won", "Lost"])
    began = _days(rows["engage_date"])
    ended = np.where(is_closed, _days(rows["close_date"].fillna("1/1/1970")), NEVER)
    won = rows["deal_stage"] == "Won"
    return Spells(
        deal=np.arange(len(rows)),
        born=began,
        begins=began,
        ends=ended,
        outcome=np.where(won, 1, np.where(is_closed, -1, 0)),
        stage=np.zeros(len(rows), dtype=np.int64),
        amount=np.where(won, rows["close_value"], price).astype(np.float64),
    )


def _days(column: pd.Series) -> np.ndarray:
    days = pd.to_datetime(column, format="%m/%d/%Y").to_numpy().astype("datetime64[D]")
    return np.asarray(days.astype(np.int64))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="since", default="2017-05")
    parser.add_argument("--to", dest="until", default="2017-10")
    asked = parser.parse_args()
    spells = read_spells(asked.folder)
    months = np.arange(np.datetime64(asked.since), np.datetime64(asked.until) + 1)
    starts = [int(month.astype("datetime64[D]").astype(np.int64)) for month in months]
    methods: dict[str, Callable[[int, int], float]] = {
        "forecast": lambda day, days: forecast(spells, day, days).total,
        "last period": lambda day, days: last_period(spells, day, days),
        "pipeline x win rate": lambda day, _: pipeline_times_rate(spells, day),
    }
    for days in (30, 90):
        actual = np.array([won_between(spells, day, days) for day in starts])
        print(
            f"{days} days  "
            + "  ".join(f"{month} {value:>10,.0f}" for month, value in zip(months, actual, strict=True))
        )
        for name, method in methods.items():
            said = np.array([method(day, days) for day in starts])
            wape = np.abs(said - actual).sum() / actual.sum()
            print(f"  {name:<20} WAPE {wape:6.1%}  " + "  ".join(f"{value:>10,.0f}" for value in said))
        inside = [
            f.low <= v <= f.high for f, v in zip((forecast(spells, d, days) for d in starts), actual, strict=True)
        ]
        print(f"  inside the 80 % interval: {sum(inside)} of {len(inside)}")


if __name__ == "__main__":
    main()
