"""Deadlines of an assignment, and what is told when: a reminder before, an escalation after, each once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.routing import RoutingPolicy
from scoring.routing.timers import day_ends, local_days, timers
from scoring.working_time import add_working_minutes

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).max)
_TIME, _TIMES = pa.timestamp("us"), pa.list_(pa.timestamp("us"))
REMINDERS = ("accept_reminder", "first_touch_reminder", "follow_up_reminder", "no_follow_up_warning", "no_deal_warning")
OVERDUE = ("accept_overdue", "first_touch_overdue", "follow_up_overdue")

SLA_EVENTS = pa.schema([("assignment_id", pa.string()), ("kind", pa.string()), ("happened_at", pa.timestamp("us"))])


def deadlines(log: pa.Table, policy: RoutingPolicy, timezone: str) -> dict[str, pa.Array]:
    """The due times of every assignment by name of the column; null where nobody owns the lead.

    `log`: assigned_at, is_owned, is_timed (sales activities are known at all), activity_at (list, of the owner, while
    theirs), accepted_at. The follow-up is due at the end of a local day, so many days after the last activity, else
    after the acceptance.
    """
    sla = policy.sla
    at = _micros(log["assigned_at"])
    owned = log["is_owned"].to_numpy(zero_copy_only=False).astype(bool)
    timed = owned & log["is_timed"].to_numpy(zero_copy_only=False).astype(bool)
    back = timers(_times(at), log["activity_at"].combine_chunks().cast(_TIMES), policy.reclaim, timezone)

    def due(minutes: int) -> pa.Array:
        return _where(owned, _times(add_working_minutes(at, minutes, policy.working_time, timezone)))

    last = pc.coalesce(log["last_action_at"], log["accepted_at"]).combine_chunks().cast(_TIME)
    follow_up = (
        pa.nulls(len(at), _TIME)
        if sla.follow_up_days is None
        else day_ends(local_days(last, timezone) + sla.follow_up_days, timezone)
    )
    return {
        "accept_due_at": due(sla.accept_minutes),
        "first_touch_due_at": due(sla.first_touch_hours * 60),
        "follow_up_due_at": _where(timed, follow_up),
        "reclaim_at": _where(timed, back.reclaim_at),
        "timer": _where(timed, back.timer),
        "warn_at": _where(timed, back.warn_at),
    }


def sla_events(log: pa.Table, policy: RoutingPolicy, at: int, timezone: str) -> pa.Table:
    """What was due to be told by `at` (microseconds UTC), once each (SLA_EVENTS), of assignments that somebody owns.

    `log`: as of `deadlines`, with what it gives, `until_at` (when the assignment ended or the lead left sales' hands;
    null: not yet) and first_action_at. Told is only what was still open at that instant.
    """
    assigned, until = _micros(log["assigned_at"]), _micros(log["until_at"])
    accepted, acted = _micros(log["accepted_at"]), _micros(log["first_action_at"])
    sla, working = policy.sla, policy.working_time
    is_owned = log["is_owned"].to_numpy(zero_copy_only=False).astype(bool)
    is_timed = is_owned & log["is_timed"].to_numpy(zero_copy_only=False).astype(bool)
    warned = _micros(log["warn_at"])
    timer = np.asarray(log["timer"].to_pylist(), dtype=object)

    def before(minutes: int) -> Ints:
        return add_working_minutes(assigned, minutes, working, timezone)

    hours, early = sla.first_touch_hours, sla.first_touch_remind_hours
    due_columns = {name: _micros(log[f"{name}_due_at"]) for name in ("accept", "first_touch")}
    rows = np.arange(log.num_rows)
    told = [
        ("accept_reminder", rows, before(sla.accept_minutes - sla.accept_remind_minutes), accepted, is_owned),
        ("accept_overdue", rows, due_columns["accept"], accepted, is_owned),
        ("first_touch_reminder", rows, before((hours - early) * 60), acted, is_timed),
        ("first_touch_overdue", rows, due_columns["first_touch"], acted, is_timed),
        ("no_follow_up_warning", rows, warned, np.full(len(rows), NEVER), timer == "no_follow_up"),
        ("no_deal_warning", rows, warned, np.full(len(rows), NEVER), timer == "no_deal"),
        *_follow_ups(log, policy, is_timed, timezone),
    ]
    tables = []
    for kind, row, instant, done, asked in told:
        is_told = asked & (instant <= at) & (instant < until[row]) & (done > instant)
        picked = np.flatnonzero(is_told)
        tables.append(
            pa.table(
                [log["assignment_id"].take(row[picked]), pa.array([kind] * len(picked)), _times(instant[picked])],
                schema=SLA_EVENTS,
            )
        )
    return pa.concat_tables(tables)


def _follow_ups(log: pa.Table, policy: RoutingPolicy, is_timed: Flags, timezone: str) -> list[tuple[Any, ...]]:
    """Reminder and deadline after each thing that sales did: due unless the next one came before."""
    days, early = policy.sla.follow_up_days, policy.sla.follow_up_remind_days
    if days is None:
        return []
    lists = log["activity_at"].combine_chunks().cast(_TIMES)
    counts = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    row = np.repeat(np.arange(len(lists)), counts)
    done = lists.flatten()
    # Who accepted and has not done anything since: the acceptance is what the days run from.
    waiting = np.flatnonzero((counts == 0) & log["accepted_at"].is_valid().to_numpy(zero_copy_only=False))
    row = np.r_[row, waiting]
    base = pa.concat_arrays([done, log["accepted_at"].combine_chunks().cast(_TIME).take(pa.array(waiting))])
    micros = _micros(pa.chunked_array([base]))
    order = np.lexsort((micros, row))
    row, micros = row[order], micros[order]
    is_last = np.r_[row[1:] != row[:-1], True][: len(row)]
    following = np.where(is_last, NEVER, np.r_[micros[1:], NEVER][: len(row)])
    day = local_days(base.take(pa.array(order)), timezone)
    ends = [_micros(pa.chunked_array([day_ends(day + n, timezone)])) for n in (days - early, days)]
    return [
        (kind, row, instant, following, is_timed[row])
        for kind, instant in zip(("follow_up_reminder", "follow_up_overdue"), ends, strict=True)
    ]


def _micros(column: pa.ChunkedArray) -> Ints:
    """Microseconds UTC; NEVER for null."""
    whole = column.cast(_TIME).cast(pa.int64()).fill_null(NEVER)
    return np.asarray(whole.to_numpy(), dtype=np.int64)


def _times(micros: Ints) -> pa.Array:
    return pa.array(micros, _TIME)


def _where(flags: Flags, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(flags), values, pa.scalar(None, values.type))
