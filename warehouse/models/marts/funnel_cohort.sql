-- One row per month of first inquiry, segment and later stage: of the leads that came in that month, how many have
-- reached the stage, and how many within 30, 90, 180 and 365 days. A figure that not every lead of the month has had
-- the time for is null. A segment's rows add up to those of '(all)'; rows of different dimensions do not add up.
-- grain: cohort_month, dimension, member, stage
-- check: reached <= leads
-- check: coalesce(within_30_days, 0) <= reached and coalesce(within_365_days, 0) <= reached
-- column: cohort_month | first day of the month of the lead's first inquiry, in the workspace's time zone
-- column: dimension | all, channel, region, industry, grade, team
-- column: member | of that dimension; '(all)'
-- column: member_name | what it is called, in the workspace's language
-- column: stage | mql, sal, sql, opportunity, won
-- column: stage_rank | its place in the order
-- column: leads | leads whose first inquiry fell in the month
-- column: reached | of these, have been in the stage since, in whichever cycle
-- column: rate | reached / leads
-- column: within_30_days | of these, within 30 days of the inquiry; null while the month is younger
-- column: within_90_days | within 90 days; null while the month is younger
-- column: within_180_days | within 180 days; null while the month is younger
-- column: within_365_days | within 365 days; null while the month is younger
-- column: median_days | median days from inquiry to stage; null where none reached it
with inquiry as (
    select lead_id, min(entered_at) as inquired_at
    from scored.lead_stages
    where stage = 'inquiry'
    group by lead_id
),
cohort as (
    select inquiry.lead_id, inquiry.inquired_at,
           date_trunc('month', inquiry.inquired_at at time zone 'UTC' at time zone $timezone)::date as cohort_month,
           unnest([{dimension: 'all', member: '(all)'}, {dimension: 'channel', member: channel},
                   {dimension: 'region', member: region}, {dimension: 'industry', member: industry},
                   {dimension: 'grade', member: grade}, {dimension: 'team', member: team}], recursive := true)
    from inquiry
    join marts.lead_segments using (lead_id)
),
size as (
    select cohort_month, dimension, member, count(*) as leads from cohort group by all
),
later as (
    select lead_stages.lead_id, lead_stages.stage, min(lead_stages.entered_at) as reached_at
    from scored.lead_stages
    join rules.stages using (stage)
    where (stages.is_open or stage = 'won') and stage <> 'inquiry'
    group by lead_stages.lead_id, lead_stages.stage
),
reached as (
    select cohort_month, dimension, member, stage, count(*) as reached,
           count(*) filter (days <= 30) as within_30, count(*) filter (days <= 90) as within_90,
           count(*) filter (days <= 180) as within_180, count(*) filter (days <= 365) as within_365,
           median(days) filter (days >= 0) as median_days
    from (
        select cohort.*, later.stage, date_diff('second', inquired_at, reached_at) / 86400.0 as days
        from cohort
        join later using (lead_id)
    )
    group by all
),
wanted as (
    select size.*, stages.stage, stages.rank as stage_rank, $as_of - last_day(cohort_month) as age
    from size
    cross join rules.stages
    where (stages.is_open or stages.stage = 'won') and stages.stage <> 'inquiry'
)
select cohort_month, dimension, member, coalesce(names.name, member) as member_name, stage, stage_rank, leads, coalesce(reached, 0) as reached,
       coalesce(reached, 0) / leads as rate,
       case when age > 30 then coalesce(within_30, 0) end as within_30_days,
       case when age > 90 then coalesce(within_90, 0) end as within_90_days,
       case when age > 180 then coalesce(within_180, 0) end as within_180_days,
       case when age > 365 then coalesce(within_365, 0) end as within_365_days,
       median_days
from wanted
left join reached using (cohort_month, dimension, member, stage)
left join marts.member_names as names using (dimension, member)
