"""Leads: the touch that made each person a marketing-qualified lead, and what sales said of it."""

import numpy as np
import pandas as pd

from .common import DAY_SECONDS, WorldSize, stream
from .touches import COLD_FIT

POINTS = {
    "open": 1, "click": 3, "visit": 2, "reply": 10, "registration": 8, "attendance": 15,
    "form": 15, "demo_request": 30, "meeting": 30, "unsubscribe": -20,
}  # fmt: skip
MQL_POINTS = 30
REJECTIONS = ["无需求", "预算不足", "联系不上", "非目标行业", "重复线索"]


def make_leads(
    size: WorldSize, seed: int, people: pd.DataFrame, touches: pd.DataFrame, fit: np.ndarray
) -> pd.DataFrame:
    """One row per person who reached MQL_POINTS: the touch that carried them over (`cause_touch`), and the seconds of
    inquiry, MQL, SAL and SQL (0 where not reached). A lead of a fitting company is accepted and qualified more often.
    """
    rng = stream(seed, "leads")
    points = touches["type"].map(POINTS).to_numpy()
    dozed = (touches["type"] == "attendance") & (touches["minutes"] < 20)
    total = pd.Series(np.where(dozed, 3, points)).groupby(touches["person"]).cumsum()
    over = touches[total >= MQL_POINTS].drop_duplicates("person")
    first = touches.drop_duplicates("person").set_index("person")
    person = over["person"].to_numpy()
    count, suits = len(over), fit[person]
    mql_at = over["second"].to_numpy()
    sal_at = mql_at + (rng.lognormal(np.log(1.5), 0.6, count) * DAY_SECONDS).astype(np.int64)
    sql_at = sal_at + (rng.lognormal(np.log(9), 0.7, count) * DAY_SECONDS).astype(np.int64)
    accepted = (rng.random(count) < 0.45 + 0.5 * suits) & (suits >= COLD_FIT)
    qualified = accepted & (rng.random(count) < 0.25 + 0.6 * suits)
    return pd.DataFrame(
        {
            "person": person,
            "entity": people["entity"].to_numpy()[person],
            "cause_touch": over["touch"].to_numpy(),
            "campaign": over["campaign"].to_numpy(),
            "inquiry_at": first["second"].reindex(person).to_numpy(),
            "mql_at": mql_at,
            "sal_at": np.where(accepted & (sal_at <= size.last_second), sal_at, 0),
            "sql_at": np.where(qualified & (sql_at <= size.last_second), sql_at, 0),
            "decided_at": np.minimum(sal_at, size.last_second),
            "is_rejected": ~accepted,
            "reason": np.array(REJECTIONS)[rng.integers(0, len(REJECTIONS), count)],
        }
    ).reset_index(drop=True)
