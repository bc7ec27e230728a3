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
select steps.stage, min(steps.stage_rank) as stage_rank,
       date_trunc('month', steps.entered_at at time zone 'UTC' at time zone $timezone)::date as month,
       leads.channel, leads.region, leads.team,
       count(*) as entered,
       count(*) filter (steps.is_before_inquiry) as before_inquiry,
       count(steps.next_at) as went_on,
       case when bool_or(steps.is_open) then count(steps.next_at) / count(*) end as rate,
       median(steps.days) as median_days
from marts.lead_steps as steps
join marts.lead_segments as leads using (lead_id)
group by all
