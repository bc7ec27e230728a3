-- One row per stage and segment: does the funnel convert worse than it did, where, and which segment drives it.
-- The leads that entered the stage in the latest 90 days that have had the time, against those of the year before that;
-- of both, who went on within the same time: as long as four in five of the past needed, but 7 to 90 days.
-- The rows of a dimension share out the change of '(all)': their contributions add up to it.
-- grain: stage, dimension, member
-- check: entered + entered_before > 0
-- check: place is null or dimension = 'all'
-- column: stage | inquiry, mql, sal, sql, opportunity
-- column: stage_rank | its place in the order
-- column: dimension | all, channel, region, industry, grade, team
-- column: member | of that dimension; '(all)'
-- column: member_name | what it is called, in the workspace's language
-- column: within_days | a lead counts as gone on where it did within so many days
-- column: starts_on | first day of the latest 90
-- column: ends_on | last of them: the last day whose leads have had the time
-- column: entered | leads that entered the stage in these 90 days
-- column: went_on | of these, went on in time
-- column: rate | went_on / entered; null without any
-- column: entered_before | leads that entered it in the 365 days before
-- column: went_on_before | of these, went on in time
-- column: rate_before | went_on_before / entered_before; null without any
-- column: change | rate - rate_before; null where either is
-- column: z | change in standard deviations of chance: beyond -2 is hardly chance; null where either is, or nothing varies
-- column: contribution | part of the change of '(all)' that this segment makes: of_rate + of_mix; null where '(all)' has no change
-- column: of_rate | because its own rate changed
-- column: of_mix | because more or fewer of the leads are its
-- column: beyond_share | contribution less what the segment's share of the leads would make of the change of '(all)'
-- column: drives | 1 for the segment of its dimension that pulls the stage down most beyond its share; null elsewhere, and where none does
-- column: place | of the stages, 1 for the one that is furthest below its own past (by z)
with entry as (
    select steps.lead_id, steps.stage, steps.stage_rank, steps.days,
           (steps.entered_at at time zone 'UTC' at time zone $timezone)::date as entered_on
    from marts.lead_steps as steps
    where steps.is_open and not coalesce(steps.is_before_inquiry, false)
),
horizon as (
    -- Of those who have had the time for whatever it may be.
    select stage, least(greatest(ceil(coalesce(
               quantile_cont(days, 0.8) filter (entered_on between $as_of - 545 and $as_of - 90), 30)), 7), 90)::integer
               as within_days
    from entry
    group by stage
),
judged as (
    select entry.*, horizon.within_days, $as_of - horizon.within_days as ends_on,
           coalesce(days <= horizon.within_days, false) as is_on,
           entered_on > $as_of - horizon.within_days - 90 as is_now
    from entry
    join horizon using (stage)
    where entered_on between $as_of - horizon.within_days - 454 and $as_of - horizon.within_days
),
spread as (
    select stage, stage_rank, within_days, ends_on, is_on, is_now,
           unnest([{dimension: 'all', member: '(all)'}, {dimension: 'channel', member: channel},
                   {dimension: 'region', member: region}, {dimension: 'industry', member: industry},
                   {dimension: 'grade', member: grade}, {dimension: 'team', member: team}], recursive := true)
    from judged
    join marts.lead_segments using (lead_id)
),
counted as (
    select stage, stage_rank, dimension, member, within_days, ends_on,
           count(*) filter (is_now) as entered, count(*) filter (is_now and is_on) as went_on,
           count(*) filter (not is_now) as entered_before, count(*) filter (not is_now and is_on) as went_on_before
    from spread
    group by all
),
rated as (
    select *, went_on / nullif(entered, 0) as rate, went_on_before / nullif(entered_before, 0) as rate_before,
           (went_on + went_on_before) / (entered + entered_before) as pooled,
           max(entered) filter (dimension = 'all') over of_stage as all_entered,
           max(entered_before) filter (dimension = 'all') over of_stage as all_before,
           max(went_on_before) filter (dimension = 'all') over of_stage as all_went_on_before
    from counted
    window of_stage as (partition by stage)
),
weighed as (
    select *, all_went_on_before / nullif(all_before, 0) as usual,
           entered / nullif(all_entered, 0) as weight, entered_before / nullif(all_before, 0) as weight_before,
           (rate - rate_before)
               / nullif(sqrt(pooled * (1 - pooled) * (1 / nullif(entered, 0) + 1 / nullif(entered_before, 0))), 0) as z
    from rated
),
parted as (
    select *,
           -- A segment that is new, or gone, is measured by the stage's own past.
           weight * (coalesce(rate, 0) - coalesce(rate_before, usual)) as of_rate,
           (weight - weight_before) * (coalesce(rate_before, usual) - usual) as of_mix,
           max(rate - rate_before) filter (dimension = 'all') over (partition by stage) as all_change
    from weighed
),
compared as (
    select *, of_rate + of_mix - weight * all_change as beyond_share from parted
)
select stage, stage_rank, dimension, member, coalesce(names.name, member) as member_name, within_days,
       ends_on - 89 as starts_on, ends_on, entered, went_on, rate, entered_before, went_on_before, rate_before, rate - rate_before as change, z,
       of_rate + of_mix as contribution, of_rate, of_mix, beyond_share,
       case when dimension <> 'all' and of_rate + of_mix < 0 and beyond_share < -1e-9 and row_number() over (
                partition by stage, dimension order by beyond_share nulls last, member) = 1 then 1 end as drives,
       case when dimension = 'all' then row_number() over (partition by dimension order by z nulls last, stage_rank)
       end as place
from compared
left join marts.member_names as names using (dimension, member)
