"""Leads for sales to look at: who has which, what is due, what waits in a pool; and the whole story of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from abmloop.messages import say
from scoring.policies.routing import RoutingPolicy
from scoring.routing.sla import deadlines
from tasks.route.desk import find_lead
from tasks.route.state import Now, lead_events, lead_lines, lead_row, newer
from tasks.route.telling import told_assignment, told_reason, told_time
from tasks.summary import Rows

_TIME = pa.timestamp("us")

# What is published, with the newest line of the ledger in place of the one the last run knew.
_LIST = """
with open_lead as (
    select lead_stages.lead_id, lead_stages.stage
    from scored.lead_stages
    join rules.stages using (stage)
    where lead_stages.is_current and stages.rank >= (select rank from rules.stages where is_handover)
      and stages.rank < (select rank from rules.stages where stage = 'opportunity')
),
newest as (
    select * from recent qualify row_number() over (partition by lead_id order by seq desc) = 1
),
standing as (
    select lead_id, owner_id, pool_id, path, reason, details, assigned_at, accepted_at, first_action_at, accept_due_at,
           first_touch_due_at, follow_up_due_at, reclaim_at, assignment_id
    from scored.assignments
    where is_current and lead_id not in (select lead_id from newest)
    union all by name
    select lead_id, owner_id, pool_id, path, reason, details, assigned_at, null as accepted_at, null as first_action_at,
           accept_due_at, first_touch_due_at, null as follow_up_due_at, reclaim_at, assignment_id
    from newest
),
said as (
    select assignment_id, min(happened_at) as said_at from events where kind = 'accepted' group by all
)
select open_lead.lead_id, persons.name, coalesce(accounts.name, persons.company_name) as company, open_lead.stage,
       grades.grid, predictions.probability as sql_probability, standing.owner_id as owner,
       case when standing.owner_id is null then standing.pool_id end as pool,
       standing.path, standing.assigned_at as since, least(accepted_at, said_at) as accepted_at, first_action_at,
       accept_due_at, first_touch_due_at, follow_up_due_at, standing.reclaim_at, standing.reason, standing.details,
       case when standing.owner_id is null then null
            when coalesce(accepted_at, said_at) is null then accept_due_at
            when first_action_at is null then first_touch_due_at
            else follow_up_due_at end as due_at,
       due_at < $at as is_overdue
from open_lead
join scored.grades using (lead_id)
join scored.leads using (lead_id)
join matched.persons on persons.person_id = leads.person_id
left join resolved.accounts on accounts.account_id = leads.account_id
left join standing on standing.lead_id = open_lead.lead_id
left join said on said.assignment_id = standing.assignment_id
left join scored.predictions on predictions.lead_id = open_lead.lead_id and predictions.target = 'sql'
where standing.path is distinct from 'reject'
  and ($owner is null or standing.owner_id = $owner)
  and ($pool is null or (standing.owner_id is null and standing.pool_id = $pool))
  and ($stage is null or open_lead.stage = $stage)
  and (not $only_overdue or coalesce(due_at < $at, false))
order by due_at nulls last, grades.grid, sql_probability desc nulls last, open_lead.lead_id
limit $most
"""


@dataclass(frozen=True)
class Wanted:
    """Which leads; None asks for all."""

    owner: str | None = None
    pool: str | None = None
    stage: str | None = None
    only_overdue: bool = False
    most: int = 20


def list_leads(now: Now, policy: RoutingPolicy, wanted: Wanted, language: str = "en") -> Rows:
    """Leads that sales may work on, the most overdue first, as they stand now."""
    recent = _with_deadlines(newer(now, "assignments", "assignment_id"), policy, now.timezone)
    now.con.register("recent", recent)
    now.con.register("events", newer(now, "sales_events", "event_id"))
    try:
        asked = {name: getattr(wanted, name) for name in ("owner", "pool", "stage", "only_overdue", "most")}
        rows: Rows = now.con.sql(_LIST, params={**asked, "at": now.at}).to_arrow_table().to_pylist()
    finally:
        now.con.unregister("recent")
        now.con.unregister("events")
    for row in rows:
        row["reason"] = told_reason(row, language)
        del row["details"]
    return rows


def show_lead(now: Now, policy: RoutingPolicy, key: str, language: str = "en") -> str:
    """One lead's story with sales: where it is, who had it, what was done and told."""
    lead_id = find_lead(now, key)
    lead, lines = lead_row(now, lead_id) or {}, lead_lines(now, lead_id)
    heading = say(
        "lead_show_heading",
        language,
        lead=lead_id,
        name=lead["name"] or lead["person_id"],
        company=lead["company_name"] or "-",
        stage=lead["stage"],
        cycle=lead["cycle"],
    )
    if not lines:
        return "\n".join([heading, say("lead_not_assigned", language)])
    events = lead_events(now, lead_id)
    told = [heading, *told_assignment(_current(now, lines[-1], events, policy), language)]
    told += ["", say("lead_show_log", language), *(_line(row, language) for row in lines)]
    if events:
        told += ["", say("lead_show_events", language), *(_event(row, language) for row in events)]
    return "\n".join(told)


def _with_deadlines(recent: pa.Table, policy: RoutingPolicy, timezone: str) -> pa.Table:
    """Lines that no run has seen yet, with their deadlines as if nothing had been done."""
    rows = recent.num_rows
    asked = pa.table(
        {
            "assigned_at": recent["assigned_at"],
            "is_owned": recent["owner_id"].is_valid(),
            "is_timed": pa.array([True] * rows, pa.bool_()),
            "activity_at": pa.array([[]] * rows, pa.list_(_TIME)),
            "accepted_at": pa.nulls(rows, _TIME),
            "last_action_at": pa.nulls(rows, _TIME),
        }
    )
    due = deadlines(asked, policy, timezone)
    for name in ("accept_due_at", "first_touch_due_at"):
        recent = recent.append_column(name, due[name])
    return recent


def _current(now: Now, line: dict[str, Any], events: Rows, policy: RoutingPolicy) -> dict[str, Any]:
    """The lead's newest line with its deadlines, also where no run has seen it yet."""
    if "accept_due_at" not in line:
        one = pa.Table.from_pylist([line], schema=pa.schema([("assigned_at", _TIME), ("owner_id", pa.string())]))
        due = _with_deadlines(one, policy, now.timezone).to_pylist()[0]
        line = {**due, **line}
    said = [
        event["happened_at"]
        for event in events
        if event["kind"] == "accepted" and event["assignment_id"] == line["assignment_id"]
    ]
    return {**line, "accepted_at": line.get("accepted_at") or min(said, default=None)}


def _line(row: dict[str, Any], language: str) -> str:
    return say(
        "lead_show_line",
        language,
        day=told_time(row["assigned_at"]),
        path=say(f"path_{row['path'] or 'assigned'}", language),
        who=row["owner_id"] or row["pool_id"],
        reason=told_reason(row, language),
        actor=row["actor"] or "abmloop",
    )


def _event(row: dict[str, Any], language: str) -> str:
    told = ""
    if row["actor"] == "abmloop":
        told = (
            say("lead_told_to", language, who=row["told_to"]) if row["told_to"] else say("lead_told_nobody", language)
        )
    reason = say("assigned_note", language, note=row["reason"]) if row["reason"] else ""
    kind = say(f"event_{row['kind']}", language)
    return say("lead_show_event", language, day=told_time(row["happened_at"]), kind=kind, told=told, reason=reason)
