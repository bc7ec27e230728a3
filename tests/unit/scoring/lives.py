"""Small hand-made leads, score lines and signals for the replay's tests."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.policy import read_policy
from scoring.lifecycle import RANK, replay_stages
from scoring.policies.scoring import ScoringPolicy

AS_OF = date(2026, 10, 31)
START = datetime(2026, 1, 5, 2)
DEFAULTS = Path(__file__).parents[3] / "scoring" / "policies"

LEADS = pa.schema(
    [
        ("inquiry_at", pa.timestamp("us")),
        ("mql_from_points", pa.float64()),
        ("leave_below_points", pa.float64()),
        ("may_qualify", pa.bool_()),
    ]
)
LINES = pa.schema(
    [
        ("lead", pa.int64()),
        ("event_at", pa.timestamp("us")),
        ("event_on", pa.date32()),
        ("capped_points", pa.float64()),
        ("half_life_days", pa.float64()),
        ("percent_per_month", pa.float64()),
        ("window_days", pa.float64()),
    ]
)
SIGNALS = pa.schema(
    [
        ("lead", pa.int64()),
        ("stage", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("is_decided", pa.bool_()),
    ]
)


@cache
def default_policy() -> ScoringPolicy:
    """The shipped scoring.yaml."""
    return read_policy(DEFAULTS / "scoring.yaml", ScoringPolicy)


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=number)


def lead(lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    """A lead whose bar is 25 points, left below 12.5."""
    usual = {"inquiry_at": day(0), "mql_from_points": 25.0, "leave_below_points": 12.5}
    return {"lead_id": lead_id, **usual, "may_qualify": True, **other}


def line(at: float, points: float, lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    """A score line on that day; half-life 60 days unless said otherwise."""
    fading = {} if {"percent_per_month", "window_days"} & other.keys() else {"half_life_days": 60.0}
    named = {"lead_id": lead_id, "event_id": f"t{at:g}", "rule_id": "form_submitted", "event_at": day(at)}
    return {**named, "event_on": day(at).date(), "capped_points": float(points), **fading, **other}


def signal(at: float, stage: str, lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    """Something sales said or did on that day."""
    usual = {"signal_id": f"{stage}{at:g}", "is_decided": True}
    return {"lead_id": lead_id, "stage": stage, "occurred_at": day(at), **usual, **other}


def replay(leads: list[Any], lines: list[Any], signals: list[Any], policy: ScoringPolicy | None = None) -> list[Any]:
    """The replay as of 31 October 2026 in Shanghai: rows of ENTERED with lead_id, and the ids of line and signal."""
    leads = sorted(leads, key=lambda row: row["lead_id"])
    number = {row["lead_id"]: place for place, row in enumerate(leads)}
    lines = _numbered(lines, number, lambda row: (row["event_at"], row["event_id"], row["rule_id"]))
    signals = _numbered(signals, number, lambda row: (row["occurred_at"], RANK[row["stage"]], row["signal_id"]))
    told = replay_stages(
        pa.Table.from_pylist(leads, schema=LEADS),
        pa.Table.from_pylist(lines, schema=LINES),
        pa.Table.from_pylist(signals, schema=SIGNALS),
        policy or default_policy(),
        AS_OF,
        "Asia/Shanghai",
    ).to_pylist()
    for row in told:
        row["lead_id"] = leads[row["lead"]]["lead_id"]
        row["event_id"] = None if row["line"] is None else lines[row["line"]]["event_id"]
        row["signal_id"] = None if row["signal"] is None else signals[row["signal"]]["signal_id"]
    return told


def _numbered(rows: list[Any], number: dict[str, int], order: Callable[[Any], Any]) -> list[Any]:
    """The rows with their lead's number, in the order that the replay asks for."""
    found = [{**row, "lead": number[row["lead_id"]]} for row in rows]
    return sorted(found, key=lambda row: (row["lead"], order(row)))


def stages(lines: list[Any], signals: list[Any], policy: ScoringPolicy | None = None, **other: Any) -> list[Any]:
    """(cycle, stage, days after the start) of one lead, in the order of its life."""
    rows = replay([lead(**other)], lines, signals, policy)
    return [(row["cycle"], row["stage"], round((row["entered_at"] - START) / timedelta(days=1), 2)) for row in rows]
