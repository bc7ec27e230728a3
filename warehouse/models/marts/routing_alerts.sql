-- One row per thing in routing that somebody should put right today: leads that fell back to something less than was meant.
-- grain: kind, subject
-- check: leads > 0
-- column: kind | nobody_free (an assigned pool), reserved_waits (team of a reserved account), holder_unknown and holder_inactive (who should have had the lead), owner_gone (leads taken over today), nobody_to_tell (escalations)
-- column: subject | the pool, account or owner
-- column: leads | how many leads it is about
-- column: since | since when the oldest of them, UTC
-- column: example_lead_id | one of them
with open_line as (
    select assignments.*, leads.account_id
    from scored.assignments
    join scored.leads using (lead_id)
    join scored.lead_stages on lead_stages.lead_id = assignments.lead_id and lead_stages.is_current
    join rules.stages using (stage)
    where assignments.is_current and stages.is_open and assignments.path <> 'reject'
),
gate as (
    select lead_id, assigned_at, unnest(from_json(gates, '[{"owner": "VARCHAR", "rule": "VARCHAR", "gate": "VARCHAR"}]')) as passed
    from open_line
    where gates is not null
),
alert as (
    select 'nobody_free' as kind, pool_id as subject, lead_id, assigned_at from open_line where reason = 'pool_nobody_free'
    union all
    select 'reserved_waits', coalesce(account_id, pool_id), lead_id, assigned_at from open_line where reason = 'reserved_waits'
    union all
    select 'holder_' || passed.gate, passed.owner, lead_id, assigned_at
    from gate
    where passed.rule in ('holder', 'reserved') and passed.gate in ('unknown', 'inactive')
    union all
    select 'owner_gone', details ->> 'from', lead_id, assigned_at
    from scored.assignments
    where path = 'owner_gone' and (assigned_at at time zone 'UTC' at time zone $timezone)::date = $as_of
    union all
    select 'nobody_to_tell', owner_id, lead_id, told_at from marts.sales_reminders where is_escalation and told_to is null
)
select kind, subject, count(distinct lead_id) as leads, min(assigned_at) as since, min(lead_id) as example_lead_id
from alert
where subject is not null
group by kind, subject
