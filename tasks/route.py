"""Routing: every lead that is handed over gets an owner or a pool, and every assignment its deadlines."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.faultpoint import fault_point
from abmloop.run import Run, StepCounts
from scoring.policies.routing import RoutingPolicy
from scoring.routing import assign_owners, reclaim_at
from scoring.working_time import add_working_minutes
from tasks.policies import load_policy
from warehouse.steps import Work, step

_TEXTS, _TIMES = pa.list_(pa.string()), pa.list_(pa.timestamp("us"))

_OWNERS = """
with load as (
    select assignments.owner_id,
           count(*) filter (assignments.is_current and stages.is_open) as held,
           count(*) filter ((assigned_at at time zone 'UTC' at time zone $timezone)::date = $as_of) as taken_today
    from scored.assignments
    left join scored.lead_stages on lead_stages.lead_id = assignments.lead_id and lead_stages.is_current
    left join rules.stages using (stage)
    where assignments.owner_id is not null
    group by all
)
select owner_id, team,
       [regexp_replace(lower(trim(name)), '(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|省|市)$', '')
           for name in provinces] as provinces,
       [lower(trim(name)) for name in industries] as industries, [lower(trim(name)) for name in sizes] as sizes,
       [lower(trim(name)) for name in products] as products, [lower(trim(name)) for name in languages] as languages,
       daily_capacity, holding_limit, is_active, away_until::date as away_until,
       coalesce(held, 0) as held, coalesce(taken_today, 0) as taken_today
from core.owners_today
left join load using (owner_id)
"""

_TURNS = """
select case when method = 'territory' then 'territory' else pool_id end as pool_id, owner_id, max(turn) as last_turn,
       count(*) filter (assigned_at > $at - to_days($fairness_days)) as taken
from scored.assignments
where turn is not null
group by all
"""

_LOG = """
with known as (
    select recorded_lead_id, max(lead_id) as lead_id from scored.stage_transitions group by all
),
-- What sales noted at a company without naming the person is work on each of its leads.
acted as (
    select leads.lead_id, activities.owner_id, activities.occurred_at
    from core.activities
    join scored.leads using (person_id)
    union all
    select leads.lead_id, activities.owner_id, activities.occurred_at
    from core.activities
    join scored.leads using (account_id)
    where activities.person_id is null
),
told as (
    select recorded.*, coalesce(known.lead_id, recorded.lead_id) as today_lead_id
    from recorded
    left join known on known.recorded_lead_id = recorded.lead_id
)
select assignment_id, today_lead_id as lead_id, told.owner_id, pool_id, method, reason, gates, assigned_at,
       turn, row_number() over (partition by today_lead_id order by seq) as number,
       row_number() over (partition by today_lead_id order by seq desc) = 1 as is_current,
       (select list(acted.occurred_at order by acted.occurred_at)
        from acted
        where acted.lead_id = today_lead_id and acted.owner_id = told.owner_id and acted.occurred_at <= $at
       ) as activity_at,
       told.owner_id is not null and exists (from core.activities) as is_timed
from told
"""


def route(run: Run) -> StepCounts:
    """Give every lead that sales should have and nobody has an owner or a pool.

    The ledger is told first; scored.assignments is its projection, with the deadlines as they stand today.
    """
    policy = load_policy(run, RoutingPolicy)
    with step(run, "route") as work:
        work.replace("rules.reclaim", pa.Table.from_pylist([policy.reclaim.model_dump()]))
        _project(work, policy)
        work.build("scored.held_leads", "scored.unrouted_leads")
        leads = work.query("select * from scored.unrouted_leads where held_by is null")
        decided = assign_owners(leads, _owners(work), policy, run.as_of, _turns(work, policy))
        work.count(unrouted=leads.num_rows, assigned=_record(work, leads, decided, policy))
        _project(work, policy)
        work.build("scored.unrouted_leads")  # what is left, so that a repetition finds the same
        _count(work)
    return work.counts


def _owners(work: Work) -> pa.Table:
    return work.query(_OWNERS, timezone=work.run.timezone, as_of=work.run.as_of)


def _turns(work: Work, policy: RoutingPolicy) -> pa.Table:
    return work.query(_TURNS, at=work.parameters["at"], fairness_days=policy.fairness_days)


def _project(work: Work, policy: RoutingPolicy) -> None:
    """scored.assignments from the ledger, with due times in working time and the return to the pool."""
    work.con.register("recorded", work.ledger.read("assignments", work.run))
    try:
        log = work.query(_LOG, at=work.parameters["at"])
    finally:
        work.con.unregister("recorded")
    timezone = work.run.timezone
    at = log["assigned_at"].combine_chunks().cast(pa.timestamp("us"))
    is_timed, is_owned = log["is_timed"].combine_chunks(), log["owner_id"].combine_chunks().is_valid()
    back = reclaim_at(at, log["activity_at"].combine_chunks().cast(_TIMES), policy.reclaim, timezone)
    columns: dict[str, Any] = {
        "accept_due_at": _due(at, is_owned, policy.sla.accept_minutes, policy, timezone),
        "first_touch_due_at": _due(at, is_owned, policy.sla.first_touch_hours * 60, policy, timezone),
        "reclaim_at": pc.if_else(is_timed, back, pa.scalar(None, pa.timestamp("us"))),
    }
    log = log.drop_columns(["activity_at", "is_timed"])
    for name, column in columns.items():
        log = log.append_column(name, column)
    work.replace("scored.assignments", log)


def _due(at: pa.Array, is_owned: Any, minutes: int, policy: RoutingPolicy, timezone: str) -> pa.Array:
    micros = at.cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.int64)
    due = add_working_minutes(micros, minutes, policy.working_time, timezone)
    return pc.if_else(is_owned, pa.array(due, pa.timestamp("us")), pa.scalar(None, pa.timestamp("us")))


def _record(work: Work, leads: pa.Table, decided: pa.Table, policy: RoutingPolicy) -> int:
    """Tell the ledger; gives the rows really added.

    An assignment is named by its lead and its number, not by its owner: of two runs that assign one lead the first
    wins.
    """
    before = dict(zip(leads["lead_id"].to_pylist(), leads["assignments"].to_pylist(), strict=True))
    at = work.parameters["at"]
    back = reclaim_at(pa.array([at], pa.timestamp("us")), pa.array([[]], _TIMES), policy.reclaim, work.run.timezone)
    rows = [
        {
            **row,
            "assignment_id": hashlib.sha256(f"{row['lead_id']}|{before[row['lead_id']] + 1}".encode()).hexdigest()[:32],
            "assigned_at": at,
            "reclaim_at": back[0].as_py() if row["owner_id"] else None,
        }
        for row in decided.to_pylist()
    ]
    fault_point("route:before_ledger")
    added = work.ledger.append("assignments", rows, work.run)
    fault_point("route:after_ledger")
    return added


def _count(work: Work) -> None:
    """Leads with owners and in pools, for the screen."""
    owned, pooled = work.execute(
        "select count(owner_id), count(*) - count(owner_id) from scored.assignments where is_current"
    ).fetchall()[0]
    held = work.execute("select count(held_by) from scored.unrouted_leads").fetchall()[0][0]
    work.count(with_owner=owned, in_pool=pooled, held_by_directory=held)
