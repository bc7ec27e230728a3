-- One row per reminder, escalation or warning that still stands: told, and what it is about is not done yet.
-- grain: event_id
-- check: lead_id is not null
-- check: is_escalation or told_to = owner_id
-- column: event_id | the ledger's name of it
-- column: kind | accept_reminder, first_touch_reminder, follow_up_reminder; …_overdue; no_follow_up_warning, no_deal_warning
-- column: is_escalation | whether it is told to somebody above the owner
-- column: told_to | owner id of who is told; null where an escalation finds nobody named
-- column: told_to_name | their name
-- column: told_at | when it came due to be told, UTC
-- column: due_at | the deadline: of acceptance, first touch or follow-up, or when the lead goes back, UTC
-- column: lead_id | the lead
-- column: cycle | its cycle
-- column: account_id | its company; null where undecided
-- column: stage | its stage
-- column: grid | A1 to D3
-- column: owner_id | who has it
-- column: owner_name | their name
-- column: team | their team
with workable as (
    select lead_stages.lead_id, lead_stages.cycle, lead_stages.stage
    from scored.lead_stages
    join rules.stages using (stage)
    where lead_stages.is_current and stages.rank >= (select rank from rules.stages where is_handover)
      and stages.rank < (select rank from rules.stages where stage = 'opportunity')
),
standing as (
    select events.*, assignments.accept_due_at, assignments.first_touch_due_at, assignments.follow_up_due_at,
           assignments.reclaim_at,
           case when events.kind like 'accept_%' then assignments.accepted_at is null
                when events.kind like 'first_touch_%' then assignments.first_action_at is null
                when events.kind like 'follow_up_%'
                    then coalesce(assignments.last_action_at, assignments.accepted_at) < events.happened_at
                else assignments.warn_at = events.happened_at and assignments.reclaim_at > $at
           end as is_open
    from scored.sales_events as events
    join scored.assignments using (assignment_id)
    where assignments.is_current and events.actor = 'abmloop' and events.happened_at <= $at
)
select standing.event_id, standing.kind, standing.kind like '%\_overdue' escape '\' as is_escalation,
       standing.told_to, told.name as told_to_name, standing.happened_at as told_at,
       case when standing.kind like 'accept_%' then accept_due_at
            when standing.kind like 'first_touch_%' then first_touch_due_at
            when standing.kind like 'follow_up_%' then follow_up_due_at
            else reclaim_at end as due_at,
       standing.lead_id, workable.cycle, leads.account_id, workable.stage, grades.grid,
       standing.owner_id, owners.name as owner_name, owners.team
from standing
join workable on workable.lead_id = standing.lead_id
join scored.leads on leads.lead_id = standing.lead_id
join scored.grades on grades.lead_id = standing.lead_id
left join core.owners_today as owners on owners.owner_id = standing.owner_id
left join core.owners_today as told on told.owner_id = standing.told_to
where standing.is_open
