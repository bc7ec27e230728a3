"""What a routing came to: how even the loads are, who was over a limit, which leads nobody had."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.routing import RoutingPolicy
from scoring.routing.days import Days
from scoring.routing.sla import deadlines, sla_events

_TIME = pa.timestamp("us")


def gini(loads: npt.ArrayLike) -> float:
    """Gini coefficient of loads ≥ 0: 0 where all have the same, near 1 where one has all; 0 for nothing at all."""
    sizes = np.sort(np.asarray(loads, dtype=np.float64))
    total = sizes.sum()
    if total == 0:
        return 0.0
    ranks = np.arange(1, len(sizes) + 1)
    return float(2 * (ranks * sizes).sum() / (len(sizes) * total) - (len(sizes) + 1) / len(sizes))


def received(days: Days) -> dict[str, int]:
    """How many leads each owner got in all, on any path."""
    told = days.loads.group_by("owner_id").aggregate([("received", "sum")])
    return dict(zip(told["owner_id"].to_pylist(), told["received_sum"].to_pylist(), strict=True))


def over_limits(days: Days, owners: pa.Table) -> int:
    """Days on which somebody got more leads than their day's, or held more than they may."""
    limits = owners.select(["owner_id", "daily_capacity", "holding_limit"])
    joined = days.loads.join(limits, "owner_id")
    over = pc.or_kleene(
        pc.greater(joined["received"], joined["daily_capacity"]), pc.greater(joined["held"], joined["holding_limit"])
    )
    return int(pc.sum(over).as_py() or 0)


def told(days: Days, deeds: pa.Table, policy: RoutingPolicy, until: int, timezone: str) -> pa.Table:
    """Reminders, warnings and what was overdue in those days, by assignment (SLA_EVENTS with lead_id and owner_id).

    `deeds` as given to the simulation; whoever does something has accepted. `until`: microseconds UTC.
    """
    log = stints(days, deeds)
    due = deadlines(log, policy, timezone)
    for name, column in due.items():
        log = log.append_column(name, column)
    events = sla_events(log, policy, until, timezone)
    return events.join(log.select(["assignment_id", "lead_id", "owner_id"]), "assignment_id")


def stints(days: Days, deeds: pa.Table) -> pa.Table:
    """The log as deadlines are asked of it: each line with its end and with what its owner did in between."""
    rows = days.log.to_pylist()
    ends: list[Any] = [None] * len(rows)
    newest: dict[str, int] = {}
    done: list[list[int]] = [[] for _ in rows]
    deed_rows = [deed for deed in deeds.to_pylist() if deed["kind"] in ("activity", "close")]
    place = 0
    for number, row in enumerate(rows):
        while place < len(deed_rows) and deed_rows[place]["at"] < row["assigned_at"]:
            _do(deed_rows[place], rows, newest, ends, done)
            place += 1
        before = newest.get(row["lead_id"])
        if before is not None and ends[before] is None:
            ends[before] = row["assigned_at"]
        newest[row["lead_id"]] = number
    for deed in deed_rows[place:]:
        _do(deed, rows, newest, ends, done)
    activity = pa.array(done, pa.list_(pa.int64())).cast(pa.list_(_TIME))
    first = pa.array([times[0] if times else None for times in done], pa.int64()).cast(_TIME)
    return pa.table(
        {
            "assignment_id": pa.array([str(number) for number in range(len(rows))], pa.string()),
            "lead_id": days.log["lead_id"],
            "owner_id": days.log["owner_id"],
            "assigned_at": days.log["assigned_at"].cast(_TIME),
            "is_owned": days.log["owner_id"].is_valid(),
            "is_timed": pa.array([True] * len(rows), pa.bool_()),
            "activity_at": activity,
            "accepted_at": first,
            "first_action_at": first,
            "last_action_at": pa.array([times[-1] if times else None for times in done], pa.int64()).cast(_TIME),
            "until_at": pa.array(ends, pa.int64()).cast(_TIME),
        }
    )


def _do(
    deed: dict[str, Any],
    rows: list[dict[str, Any]],
    newest: dict[str, int],
    ends: list[Any],
    done: list[list[int]],
) -> None:
    """Something done with a lead belongs to the line that stands, if it is its owner's."""
    number = newest.get(deed["lead_id"])
    if number is None or ends[number] is not None or rows[number]["owner_id"] is None:
        return
    if deed["kind"] == "close":
        ends[number] = deed["at"]
    elif deed["owner_id"] in (None, rows[number]["owner_id"]):
        done[number].append(deed["at"])
