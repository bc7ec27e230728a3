"""Small worlds of touches and deals for the tests of attribution."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.attribution.journeys import Journeys, build_journeys
from scoring.policies.attribution import AttributionPolicy

TIME = pa.timestamp("us")
AS_OF_END = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp()) * 1_000_000
EVERY_TOUCH = AttributionPolicy(repeats="every_touch")


def time(text: str | None) -> datetime | None:
    """`2026-03-01` or `2026-03-01 10:00:00.5` as a naive time."""
    return None if text is None else datetime.fromisoformat(text)


def touches(*rows: tuple[Any, ...]) -> pa.Table:
    """Rows (touch_id, occurred_at) with, as wanted, campaign, channel, person, type, party (default A)."""
    filled = [(*row, *(None,) * (7 - len(row))) for row in rows]
    ids, times, campaigns, channels, people, types, parties = zip(*filled, strict=True) if filled else ((),) * 7
    return pa.table(
        {
            "touch_id": pa.array(ids, pa.string()),
            "party_id": pa.array([party or "A" for party in parties], pa.string()),
            "campaign_id": pa.array(campaigns, pa.string()),
            "channel": pa.array(channels, pa.string()),
            "person_id": pa.array(people, pa.string()),
            "type": pa.array(types, pa.string()),
            "occurred_at": pa.array([time(text) for text in times], TIME),
        }
    )


def deals(*rows: dict[str, Any]) -> pa.Table:
    """Deals of party A, won, unless said otherwise; times as text."""
    whole = [{"deal_id": f"d{n}", "party_id": "A", "status": "won", "type": "new"} | row for n, row in enumerate(rows)]
    columns: dict[str, Any] = {
        name: pa.array([row.get(name) for row in whole], pa.string())
        for name in ("deal_id", "party_id", "status", "type")
    }
    for name in ("created_at", "closed_at", "lead_created_at"):
        columns[name] = pa.array([time(row.get(name)) for row in whole], TIME)
    return pa.table(columns)


def journeys_of(
    touched: pa.Table, dealt: pa.Table, policy: AttributionPolicy = EVERY_TOUCH, people: pa.Table | None = None
) -> Journeys:
    """The journeys under the policy, as of the end of 2026."""
    return build_journeys(touched, dealt, policy, AS_OF_END, people)


def touch_ids(journeys: Journeys, touched: pa.Table, deal: int = 0) -> list[str]:
    """The ids of a deal's eligible touches, in order."""
    return [str(touched["touch_id"][int(row)]) for row in journeys.touch[journeys.deal == deal]]


def rounded(values: Iterable[float]) -> list[float]:
    """Floats to nine places, for comparing."""
    return [round(float(value), 9) for value in np.asarray(list(values))]
