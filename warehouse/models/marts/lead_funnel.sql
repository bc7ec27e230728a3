-- One row per stage, month of entering it, channel, region and team: how many leads entered, how many went on, how fast.
-- A cohort: `went_on` counts those of the row that later reached a further stage of the way to won in the same cycle.
-- grain: stage, month, channel, region, team
-- check: went_on <= entered
-- check: rate is null or rate between 0 and 1
-- column: stage | inquiry, mql, sal, sql, opportunity, won, and the ends lost, recycled, disqualified
-- column: stage_rank | its place in the order
-- column: month | first day of the month in which the stage was entered, in the workspace's time zone
-- column: channel | channel of the first touch, else lead source; '(blank)' where there is none
-- column: region | province of the company, else of the person; '(unknown)'
-- column: team | team of the owner; '(none)' without one
-- column: entered | leads that entered the stage, once per cycle
-- column: before_inquiry | of these, dated before the first sign of life
-- column: went_on | of these, reached a further stage later
-- column: rate | went_on / entered; null for won and the ends
-- column: median_days | median days to the next stage reached; null where none went on
with place as (
    select province_code, mode(province order by province) as province
    from resolved.accounts
    where province_code in (select province_code from matched.persons)
    group by all
),
entry as (
    select lead_stages.lead_id, lead_stages.cycle, lead_stages.stage, stages.rank, stages.is_open, lead_stages.entered_at,
           lead_stages.is_before_inquiry,
           date_trunc('month', lead_stages.entered_at at time zone 'UTC' at time zone $timezone)::date as month,
           coalesce(nullif(trim(leads.first_channel), ''), '(blank)') as channel,
           coalesce(accounts.province, place.province, '(unknown)') as region,
           coalesce(owners.team, '(none)') as team
    from scored.lead_stages
    join rules.stages using (stage)
    join scored.leads using (lead_id)
    join matched.persons using (person_id)
    left join resolved.accounts using (account_id)
    left join place on place.province_code = persons.province_code
    left join scored.assignments on assignments.lead_id = leads.lead_id and assignments.is_current
    left join core.owners_today as owners on owners.owner_id = assignments.owner_id
),
way as (
    select lead_id, cycle, stage, entered_at,
           lead(entered_at) over (partition by lead_id, cycle order by rank) as next_at
    from entry
    where is_open or stage = 'won'
)
select entry.stage, min(entry.rank) as stage_rank, entry.month, entry.channel, entry.region, entry.team,
       count(*) as entered,
       count(*) filter (entry.is_before_inquiry) as before_inquiry,
       count(way.next_at) filter (entry.is_open) as went_on,
       case when bool_or(entry.is_open) then count(way.next_at) / count(*) end as rate,
       median(date_diff('second', entry.entered_at, way.next_at) / 86400.0)
           filter (entry.is_open and way.next_at >= entry.entered_at) as median_days
from entry
left join way using (lead_id, cycle, stage)
group by entry.stage, entry.month, entry.channel, entry.region, entry.team
