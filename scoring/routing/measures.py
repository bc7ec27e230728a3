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
    # What stood before comes lead by lead; the sort keeps the order of lines of one instant.
    story = _Story(sorted(days.log.to_pylist(), key=lambda row: int(row["assigned_at"])))
    log = pa.Table.from_pylist(story.rows, days.log.schema)
    deed_rows = [deed for deed in deeds.to_pylist() if deed["kind"] in ("activity", "accept", "close")]
    place = 0
    for number, row in enumerate(story.rows):
        while place < len(deed_rows) and deed_rows[place]["at"] < row["assigned_at"]:
            story.do(deed_rows[place])
            place += 1
        story.begin(number)
    for deed in deed_rows[place:]:
        story.do(deed)
    first = [times[0] if times else None for times in story.done]
    accepted = [min(filter(None, pair), default=None) for pair in zip(first, story.accepted, strict=True)]
    return pa.table(
        {
            "assignment_id": pa.array([str(number) for number in range(len(first))], pa.string()),
            "lead_id": log["lead_id"],
            "owner_id": log["owner_id"],
            "assigned_at": log["assigned_at"].cast(_TIME),
            "is_owned": log["owner_id"].is_valid(),
            "is_timed": pa.array([True] * len(first), pa.bool_()),
            "activity_at": pa.array(story.done, pa.list_(pa.int64())).cast(pa.list_(_TIME)),
            "accepted_at": _times(accepted),
            "first_action_at": _times(first),
            "last_action_at": _times([times[-1] if times else None for times in story.done]),
            "until_at": _times(story.ends),
        }
    )


class _Story:
    """The lines of all leads while what sales did is gone through in time."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.ends: list[int | None] = [None] * len(rows)
        self.accepted: list[int | None] = [None] * len(rows)
        self.done: list[list[int]] = [[] for _ in rows]
        self._newest: dict[str, int] = {}

    def begin(self, number: int) -> None:
        """A line takes the place of the lead's last one."""
        row = self.rows[number]
        before = self._newest.get(row["lead_id"])
        if before is not None and self.ends[before] is None:
            self.ends[before] = row["assigned_at"]
        self._newest[row["lead_id"]] = number

    def do(self, deed: dict[str, Any]) -> None:
        """Something done with a lead belongs to the line that stands, if it is its owner's."""
        number = self._newest.get(deed["lead_id"])
        if number is None or self.ends[number] is not None or self.rows[number]["owner_id"] is None:
            return
        if deed["kind"] == "close":
            self.ends[number] = deed["at"]
        elif deed["owner_id"] in (None, self.rows[number]["owner_id"]):
            if deed["kind"] == "activity":
                self.done[number].append(deed["at"])
            elif self.accepted[number] is None:
                self.accepted[number] = deed["at"]


def _times(micros: list[int | None]) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(_TIME)
