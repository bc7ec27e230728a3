"""Seeded worlds for measuring attribution: paths of channels, touches of accounts, journeys of millions of visitors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DAY_US = 86_400_000_000
YEAR_START = 1_735_689_600_000_000  # 2025-01-01
END = YEAR_START + 730 * DAY_US
_SPAN = 730 * DAY_US
_GROUP = 1 << 20
_TIME = pa.timestamp("us")


def channel_names(count: int) -> pa.Array:
    """Names such as a channel report has."""
    return pa.array([f"channel_{n:03d}" for n in range(count)])


def popularity(random: Any, count: int) -> Any:
    """Shares of `count` channels or campaigns: few large, many small."""
    share = 1 / np.arange(1, count + 1) ** 0.8
    return random.permutation(share / share.sum())


def path_world(path_count: int, channel_count: int, converting: float, seed: int) -> pa.Table:
    """A path file of about four touches a path: `path, total_conversions, total_conversion_value, total_null`."""
    random = np.random.default_rng(seed)
    length = np.minimum(random.geometric(0.25, path_count), 40)
    step = random.choice(channel_count, int(length.sum()), p=popularity(random, channel_count))
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int32)
    texts = pa.ListArray.from_arrays(pa.array(offsets), channel_names(channel_count).take(pa.array(step)))
    won = random.random(path_count) < converting
    value = np.round(random.lognormal(6, 1, path_count), 2)
    return pa.table(
        {
            "path": pc.binary_join(texts, " > "),
            "total_conversions": won.astype(np.int64),
            "total_conversion_value": np.where(won, value, 0.0),
            "total_null": (~won).astype(np.int64),
        }
    )


def write_accounts(folder: Path, touches: int, accounts: int, people: int, deals: int, seed: int) -> None:
    """`touches.parquet` and `deals.parquet` of two years and 1,000 campaigns, in no order; ids are text."""
    random = np.random.default_rng(seed)
    names = pa.array([f"A{n:07d}" for n in range(accounts)])
    campaigns = pa.array([f"C{n:04d}" for n in range(1_000)])
    share = popularity(random, 1_000)
    account_of = random.integers(0, accounts, people)
    channels = channel_names(12)
    person_names = pa.array([f"P{n:07d}" for n in range(people)])
    ids = random.permutation(touches)
    with pq.ParquetWriter(folder / "touches.parquet", _TOUCHES) as out:
        for begin in range(0, touches, _GROUP):
            size = min(_GROUP, touches - begin)
            person = random.integers(0, people, size)
            campaign = random.choice(1_000, size, p=share)
            at = YEAR_START + random.integers(0, _SPAN // 1_000_000, size) * 1_000_000
            columns = {
                "touch_id": pa.array(np.char.add("t", ids[begin : begin + size].astype("U8"))),
                "account_id": names.take(pa.array(account_of[person])),
                "person_id": person_names.take(pa.array(person)),
                "campaign_id": campaigns.take(pa.array(campaign)),
                "channel": channels.take(pa.array(campaign % 12)),
                "occurred_at": pa.array(at).cast(_TIME),
            }
            out.write_table(pa.table(columns))
    created = YEAR_START + random.integers(90 * DAY_US, 660 * DAY_US, deals)
    rows = {
        "deal_id": pa.array([f"D{n:07d}" for n in range(deals)]),
        "account_id": names.take(pa.array(random.integers(0, accounts, deals))),
        "amount": pa.array(np.round(random.lognormal(9, 1.2, deals), 2)),
        "created_at": pa.array(created).cast(_TIME),
        "closed_at": pa.array(created + random.integers(DAY_US, 70 * DAY_US, deals)).cast(_TIME),
        "lead_created_at": pa.array(created - random.integers(0, 60 * DAY_US, deals)).cast(_TIME),
        "status": pa.array(["won"] * deals),
    }
    pq.write_table(pa.table(rows), folder / "deals.parquet")


_TOUCHES = pa.schema(
    {name: pa.string() for name in ("touch_id", "account_id", "person_id", "campaign_id", "channel")}
    | {"occurred_at": _TIME}
)


def write_visitors(folder: Path, touches: int, journeys: int, converting: float, seed: int) -> None:
    """`touches.parquet` (whole-number ids) and `deals.parquet`: the journeys that converted, each with its value."""
    random = np.random.default_rng(seed)
    channels = channel_names(20)
    share = popularity(random, 20)
    kinds = {"touch_id": pa.int64(), "account_id": pa.int32(), "campaign_id": pa.string(), "channel": pa.string()}
    with pq.ParquetWriter(folder / "touches.parquet", pa.schema(kinds | {"occurred_at": _TIME})) as out:
        for begin in range(0, touches, _GROUP):
            size = min(_GROUP, touches - begin)
            at = YEAR_START + random.integers(0, 60 * 86_400, size) * 1_000_000
            columns = {
                "touch_id": pa.array(np.arange(begin, begin + size)),
                "account_id": pa.array(random.integers(0, journeys, size, dtype=np.int32)),
                "campaign_id": pa.nulls(size, pa.string()),
                "channel": channels.take(pa.array(random.choice(20, size, p=share))),
                "occurred_at": pa.array(at).cast(_TIME),
            }
            out.write_table(pa.table(columns))
    won = np.flatnonzero(random.random(journeys) < converting)
    end = np.full(len(won), YEAR_START + 60 * DAY_US)
    rows = {
        "deal_id": pa.array(won),
        "account_id": pa.array(won.astype(np.int32)),
        "amount": pa.array(np.round(random.lognormal(4, 1, len(won)), 2)),
        "created_at": pa.array(end).cast(_TIME),
        "closed_at": pa.array(end).cast(_TIME),
        "status": pa.array(["won"] * len(won)),
    }
    pq.write_table(pa.table(rows), folder / "deals.parquet")
