"""Routing: every lead that is handed over gets an owner or a pool, every assignment its deadlines, told in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.faultpoint import fault_point
from abmloop.run import Run, StepCounts
from scoring.policies.routing import RoutingPolicy
from scoring.routing import assign_owners, home_pool, reclaim_at
from scoring.routing.sla import OVERDUE, sla_events
from tasks.policies import load_policy
from tasks.route.crm_feedback import take_feedback
from tasks.route.crm_transfers import take_transfers
from tasks.route.customers import take_back_customers
from tasks.route.sales_log import assignment_id, new_line, project_assignments, project_events, query_with
from warehouse.steps import Work, step

_TIME, _TIMES = pa.timestamp("us"), pa.list_(pa.timestamp("us"))

# Sales people with their territory as routing compares it, and their load.
OWNERS = """
with load as (
    select assignments.owner_id,
           count(*) filter (assignments.is_current and stages.is_open and coalesce(reclaim_at > $at, true)) as held,
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
       [trim(name) for name in skills] as skills,
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

# Who is told what is overdue: the owner's manager, their team's lead, the pool's, else whom routing.yaml names.
_TOLD = """
select told.event_id, assignments.lead_id, told.assignment_id, told.kind, told.happened_at, assignments.owner_id,
       leads.person_key,
       case when not list_contains($overdue, told.kind) then assignments.owner_id
            else coalesce(nullif(owners.manager_id, assignments.owner_id),
                          nullif(team_lead.owner_id, assignments.owner_id),
                          nullif(pool_lead.owner_id, assignments.owner_id), $escalate_to)
       end as told_to
from (
    select md5(assignment_id || '|' || kind || '|' || epoch_us(happened_at)) as event_id, *
    from recorded
) as told
join scored.assignments using (assignment_id)
left join scored.leads on leads.lead_id = assignments.lead_id
left join core.owners_today as owners on owners.owner_id = assignments.owner_id
left join (select unnest($teams) as team, unnest($team_leads) as owner_id) as team_lead on team_lead.team = owners.team
left join (select unnest($pools) as pool_id, unnest($pool_leads) as owner_id) as pool_lead
    on pool_lead.pool_id = assignments.pool_id
anti join scored.sales_events on sales_events.event_id = told.event_id
order by told.happened_at, told.event_id
"""


def route(run: Run) -> StepCounts:
    """Give every lead that sales should have and nobody has an owner or a pool; take back what nobody works.

    The ledger is told first; scored.assignments and scored.sales_events are its projections, with the deadlines as they
    stand today.
    """
    policy = load_policy(run, RoutingPolicy)
    with step(run, "route") as work:
        work.replace("rules.reclaim", pa.Table.from_pylist([policy.reclaim.model_dump()]))
        take_back_customers(work, policy)
        project_events(work)
        project_assignments(work, policy)
        work.build("scored.routing_facts")
        # One after the other: a hand-over follows the line that an answer of sales has just written.
        for take in (take_feedback, take_transfers):
            if take(work, policy):
                project_events(work)
                project_assignments(work, policy)
        work.build("scored.held_leads", "scored.unrouted_leads")
        leads = work.table("scored.unrouted_leads")
        returned = _returned(work, leads, policy)
        waiting = _waiting(leads, returned)
        decided = assign_owners(waiting, _owners(work), policy, run.as_of, _turns(work, policy))
        work.count(unrouted=waiting.num_rows, returned=len(returned), assigned=decided.num_rows)
        follows = dict(zip(leads["lead_id"].to_pylist(), leads["last_assignment_id"].to_pylist(), strict=True))
        follows |= {row["lead_id"]: row["assignment_id"] for row in returned}
        _record(work, [*returned, *_assigned(work, follows, decided, policy)])
        log = project_assignments(work, policy)
        work.count(**_tell(work, log, policy))
        work.build("scored.unrouted_leads")  # what is left, so that a repetition finds the same
        _count(work)
    return work.counts


def _owners(work: Work) -> pa.Table:
    told = {"timezone": work.run.timezone, "as_of": work.run.as_of, "at": work.parameters["at"]}
    return work.query(OWNERS, **told)


def _turns(work: Work, policy: RoutingPolicy) -> pa.Table:
    return work.query(_TURNS, at=work.parameters["at"], fairness_days=policy.fairness_days)


def _returned(work: Work, leads: pa.Table, policy: RoutingPolicy) -> list[dict[str, Any]]:
    """The lines of leads that go back to their pool: reclaimed at the end of their day, or their owner is gone."""
    why = pc.field("why_unrouted")
    rows = leads.filter((why == "reclaimed") | (why == "owner_gone")).sort_by("lead_id").to_pylist()
    return [
        new_line(
            lead["lead_id"],
            lead["last_assignment_id"],
            pool_id=home_pool(lead, policy),
            path="reclaim" if lead["reclaimed_at"] else "owner_gone",
            reason=lead["timer"] if lead["reclaimed_at"] else "owner_gone",
            details={"from": lead["last_owner_id"]},
            assigned_at=lead["reclaimed_at"] or work.parameters["at"],
            actor="abmloop",
        )
        for lead in rows
    ]


def _waiting(leads: pa.Table, returned: list[dict[str, Any]]) -> pa.Table:
    """The leads to give out; those that went back just now wait in their pool like all others there."""
    pools = {row["lead_id"]: row["pool_id"] for row in returned}
    waits = [
        pools.get(lead, pool)
        for lead, pool in zip(*(leads[n].to_pylist() for n in ("lead_id", "waits_in")), strict=True)
    ]
    place = leads.column_names.index("waits_in")
    told = leads.set_column(place, "waits_in", pa.array(waits, pa.string()))
    return told.filter(pc.is_null(told["held_by"]))


def _assigned(
    work: Work, follows: dict[str, str | None], decided: pa.Table, policy: RoutingPolicy
) -> list[dict[str, Any]]:
    """The lines of leads that were given out; `follows`: lead → its newest line."""
    at = work.parameters["at"]
    back = reclaim_at(pa.array([at], _TIME), pa.array([[]], _TIMES), policy.reclaim, work.run.timezone)[0].as_py()
    return [
        {
            **row,
            "assignment_id": assignment_id(row["lead_id"], follows[row["lead_id"]]),
            "path": "assigned",
            "assigned_at": at,
            "reclaim_at": back if row["owner_id"] else None,
            "actor": "abmloop",
        }
        for row in decided.to_pylist()
    ]


def _record(work: Work, rows: list[dict[str, Any]]) -> None:
    """Tell the ledger, in one transaction.

    Leads that somebody moved since the run began, and owners who got one, are left to the next run: it knows of it.
    """
    fault_point("route:before_ledger")
    with work.ledger.alone() as connection:
        leads, owners = (
            work.ledger.others_since(connection, "assignments", name, work.run) for name in ("lead_id", "owner_id")
        )
        owners -= {None}
        kept = [row for row in rows if row["lead_id"] not in leads and row["owner_id"] not in owners]
        added = work.ledger.append_in(connection, "assignments", kept, work.run)
    fault_point("route:after_ledger")
    work.count(lines=added)


def _tell(work: Work, log: pa.Table, policy: RoutingPolicy) -> dict[str, int]:
    """Record reminders and escalations that have come due, each once."""
    at = work.run.at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    told = sla_events(log, policy, at.days * 86_400_000_000 + at.seconds * 1_000_000, work.run.timezone)
    sla, pools = policy.sla, [pool for pool in policy.pools if pool.escalate_to]
    named = {
        "overdue": list(OVERDUE),
        "escalate_to": sla.escalate_to,
        "teams": list(sla.team_leads),
        "team_leads": list(sla.team_leads.values()),
        "pools": [pool.id for pool in pools],
        "pool_leads": [pool.escalate_to for pool in pools],
    }
    rows = query_with(work, _TOLD, told, **named).to_pylist()
    if rows:
        work.ledger.append("sales_events", [{**row, "actor": "abmloop", "reason": None} for row in rows], work.run)
        project_events(work)
    overdue = sum(row["kind"] in OVERDUE for row in rows)
    return {"reminded": len(rows) - overdue, "escalated": overdue}


def _count(work: Work) -> None:
    """Leads with owners and in pools, for the screen."""
    owned, pooled = work.execute(
        "select count(owner_id), count(*) - count(owner_id) from scored.assignments where is_current"
    ).fetchall()[0]
    held = work.execute("select count(held_by) from scored.unrouted_leads").fetchall()[0][0]
    work.count(with_owner=owned, in_pool=pooled, held_by_directory=held)
