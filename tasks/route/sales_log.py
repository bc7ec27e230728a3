"""The log of who had which lead, and of what sales did with it: the ledger's rows as tables, with their deadlines."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pyarrow as pa

from scoring.policies.routing import RoutingPolicy
from scoring.routing.sla import deadlines
from tasks.route.telling import told_reason
from warehouse.steps import Work

# Leads' ids begin with L; what else stands in the log is about customers.
_CUSTOMERS = """
with told as (
    select recorded.*, coalesce(redirects.account_id, recorded.lead_id) as account_id
    from recorded
    left join resolved.account_redirects as redirects on redirects.old_account_id = recorded.lead_id
    where recorded.lead_id not like 'L%'
)
select assignment_id, account_id, owner_id, pool_id, path, reason, details, actor, assigned_at,
       row_number() over (partition by account_id order by seq) as number,
       row_number() over (partition by account_id order by seq desc) = 1 as is_current
from told
"""

_EVENTS = """
with bearer as (
    select key_hash, min(person_id) as person_id from matched.person_keys where is_strong group by all
)
select event_id, assignment_id,
       coalesce('L' || substr(coalesce(persons.person_id, bearer.person_id), 2), recorded.lead_id) as lead_id,
       kind, happened_at, owner_id, told_to, actor, reason
from recorded
left join matched.persons on persons.person_id = 'P' || substr(recorded.lead_id, 2)
left join bearer on bearer.key_hash = recorded.person_key
"""

_LOG = """
with known as (
    select recorded_lead_id, max(lead_id) as lead_id from scored.stage_transitions group by all
),
told as (
    select recorded.* exclude (lead_id), coalesce(known.lead_id, recorded.lead_id) as lead_id
    from recorded
    left join known on known.recorded_lead_id = recorded.lead_id
    where recorded.lead_id like 'L%'
),
line as (
    select told.*, row_number() over lead_lines as number,
           lead(assigned_at) over lead_lines as ended_at,
           row_number() over (partition by lead_id order by seq desc) = 1 as is_current
    from told
    window lead_lines as (partition by lead_id order by seq)
),
-- What sales noted at a company without naming the person is work on each of its leads.
acted as (
    select leads.lead_id, activities.owner_id, activities.occurred_at
    from core.activities
    join scored.leads using (person_id)
    where activities.occurred_at <= $at
    union all
    select leads.lead_id, activities.owner_id, activities.occurred_at
    from core.activities
    join scored.leads using (account_id)
    where activities.person_id is null and activities.occurred_at <= $at
),
action as (
    select line.assignment_id, list(acted.occurred_at order by acted.occurred_at) as activity_at
    from line
    join acted using (lead_id, owner_id)
    where acted.occurred_at >= line.assigned_at and (line.ended_at is null or acted.occurred_at < line.ended_at)
    group by all
),
accepted as (
    select assignment_id, min(happened_at) as accepted_at
    from scored.sales_events
    where kind = 'accepted' and happened_at <= $at
    group by all
),
-- Sales said so in the CRM, or the lead went on. Who is first to get a lead that was taken on before has accepted it.
taken_on as (
    select line.assignment_id, min(greatest(lead_stages.entered_at, line.assigned_at)) as taken_on_at
    from line
    join scored.lead_stages using (lead_id)
    join rules.stages using (stage)
    where stages.is_open and stages.rank >= (select rank from rules.stages where stage = 'sal')
      and (lead_stages.entered_at >= line.assigned_at or line.number = 1)
      and (line.ended_at is null or lead_stages.entered_at < line.ended_at)
    group by all
),
-- A lead that became a deal, was lost or went back to marketing is no longer sales' to act on.
closed as (
    select line.assignment_id, min(lead_stages.entered_at) as closed_at
    from line
    join scored.lead_stages using (lead_id)
    join rules.stages using (stage)
    where lead_stages.entered_at >= line.assigned_at
      and (not stages.is_open or stages.rank >= (select rank from rules.stages where stage = 'opportunity'))
    group by all
)
select line.assignment_id, line.lead_id, line.owner_id, line.pool_id, coalesce(line.path, 'assigned') as path, method,
       reason, details, gates, actor, assigned_at, turn, number, is_current, ended_at,
       case when line.owner_id is not null
           then least(accepted.accepted_at, activity_at[1], taken_on_at) end as accepted_at,
       activity_at[1] as first_action_at, activity_at[-1] as last_action_at, coalesce(activity_at, []) as activity_at,
       least(ended_at, closed_at) as until_at,
       line.owner_id is not null as is_owned, exists (from core.activities) as is_timed
from line
left join action using (assignment_id)
left join accepted using (assignment_id)
left join closed using (assignment_id)
left join taken_on using (assignment_id)
order by line.seq
"""
# What is asked on the way and stands in no table.
_ASIDE = ("activity_at", "is_owned", "is_timed")


def project_events(work: Work) -> None:
    """scored.sales_events from the ledger: what people did with leads, and what they were told, by today's leads."""
    work.replace("scored.sales_events", query_with(work, _EVENTS, recorded=work.ledger.read("sales_events", work.run)))


def project_customers(work: Work) -> None:
    """scored.customer_log from the ledger, and who holds each customer as of the run."""
    work.replace("scored.customer_log", query_with(work, _CUSTOMERS, work.ledger.read("assignments", work.run)))
    work.build("scored.customer_holders")


def project_assignments(work: Work, policy: RoutingPolicy) -> pa.Table:
    """scored.assignments from the ledger, with the deadlines as they stand; gives it with what sales did (_ASIDE)."""
    log = query_with(work, _LOG, recorded=work.ledger.read("assignments", work.run), at=work.parameters["at"])
    for name, column in deadlines(log, policy, work.run.timezone).items():
        log = log.append_column(name, column)
    texts = {
        key: told_reason({"reason": key[0], "details": key[1]}, work.run.language)
        for key in set(zip(log["reason"].to_pylist(), log["details"].to_pylist(), strict=True))
    }
    told = [texts[key] for key in zip(log["reason"].to_pylist(), log["details"].to_pylist(), strict=True)]
    log = log.append_column("told", pa.array(told, pa.string()))
    work.replace("scored.assignments", log.drop_columns([*_ASIDE, "until_at"]))
    return log


def query_with(work: Work, sql: str, recorded: pa.Table, **parameters: Any) -> pa.Table:
    """A SELECT's rows, over tables of the warehouse and the ledger's rows as `recorded`."""
    work.con.register("recorded", recorded)
    try:
        return work.query(sql, **parameters)
    finally:
        work.con.unregister("recorded")


def assignment_id(lead_id: str, follows: str | None) -> str:
    """The name of the assignment of a lead that follows another one; of the lead's first where that is None.

    Of two that follow the same one, be it another run's or a claim, the first recorded wins.
    """
    return hashlib.sha256(f"{lead_id}|{follows or ''}".encode()).hexdigest()[:32]


def new_line(lead_id: str, follows: str | None, **said: Any) -> dict[str, Any]:
    """A line for the log of assignments: `said` are its columns, those not given are null; details as fields."""
    details = {name: value for name, value in said.pop("details", {}).items() if value is not None}
    usual = {"owner_id": None, "pool_id": None, "method": said["path"], "gates": "[]", "turn": None, "reclaim_at": None}
    named = {"assignment_id": assignment_id(lead_id, follows), "lead_id": lead_id, "details": json_text(details)}
    return {**usual, **said, **named}


def json_text(values: dict[str, Any]) -> str:
    """Fields of a reason as the log keeps them."""
    return json.dumps(values, ensure_ascii=False)
