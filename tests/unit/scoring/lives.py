"""Small hand-made leads, score lines and signals for the replay's tests."""

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.policy import read_policy
from scoring.lifecycle import replay_stages
from scoring.policies.scoring import ScoringPolicy

AS_OF = date(2026, 10, 31)
START = datetime(2026, 1, 5, 2)
DEFAULTS = Path(__file__).parents[3] / "scoring" / "policies"

LEADS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("inquiry_at", pa.timestamp("us")),
        ("fit_grade", pa.string()),
        ("mql_from_points", pa.float64()),
        ("leave_below_points", pa.float64()),
        ("blocked_by", pa.string()),
    ]
)
EVENTS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("event_id", pa.string()),
        ("rule_id", pa.string()),
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
        ("lead_id", pa.string()),
        ("stage", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("signal_id", pa.string()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("actor", pa.string()),
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
    """A lead of grade B whose bar is 25 points, left below 12.5."""
    usual = {"inquiry_at": day(0), "fit_grade": "B", "mql_from_points": 25.0, "leave_below_points": 12.5}
    return {"lead_id": lead_id, **usual, "blocked_by": None, **other}


def line(at: float, points: float, lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    """A score line on that day; half-life 60 days unless said otherwise."""
    fading = {} if {"percent_per_month", "window_days"} & other.keys() else {"half_life_days": 60.0}
    named = {"lead_id": lead_id, "event_id": f"t{at:g}", "rule_id": "form_submitted", "event_at": day(at)}
    return {**named, "event_on": day(at).date(), "capped_points": float(points), **fading, **other}


def signal(at: float, stage: str, lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    """Something sales said or did on that day."""
    usual = {"signal_id": f"{stage}{at:g}", "rule": "crm", "reason": "said", "actor": "o1", "is_decided": True}
    return {"lead_id": lead_id, "stage": stage, "occurred_at": day(at), **usual, **other}


def tables(leads: list[Any], lines: list[Any], signals: list[Any]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The three inputs of the replay."""
    return (
        pa.Table.from_pylist(leads, schema=LEADS),
        pa.Table.from_pylist(lines, schema=EVENTS),
        pa.Table.from_pylist(signals, schema=SIGNALS),
    )


def replay(leads: list[Any], lines: list[Any], signals: list[Any], policy: ScoringPolicy | None = None) -> pa.Table:
    """The replay as of 31 October 2026 in Shanghai."""
    return replay_stages(*tables(leads, lines, signals), policy or default_policy(), AS_OF, "Asia/Shanghai")


def stages(lines: list[Any], signals: list[Any], policy: ScoringPolicy | None = None, **other: Any) -> list[Any]:
    """(cycle, stage, days after the start) of one lead, in the order of its life."""
    rows = replay([lead(**other)], lines, signals, policy).to_pylist()
    order = sorted(rows, key=lambda row: (row["cycle"], row["entered_at"]))
    return [(row["cycle"], row["stage"], round((row["entered_at"] - START) / timedelta(days=1), 2)) for row in order]
