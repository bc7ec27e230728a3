-- One row per lead and stage: how often it entered the stage, when first and last, and how long it was in it altogether.
-- Time still running counts up to the run's instant; a stage that was passed out of order took no time.
-- grain: lead_id, stage
-- check: days is null or days >= 0
-- column: lead_id | the lead
-- column: stage | inquiry, mql, sal, sql, opportunity, won, lost, recycled, disqualified
-- column: stage_rank | its place in the order
-- column: entries | times it entered, once per cycle
-- column: first_entered_at | UTC
-- column: last_entered_at | UTC
-- column: last_left_at | UTC; null while it is in it, or where it was passed out of order
-- column: days | days in the stage, over all cycles; null where it was passed out of order each time
-- column: is_current | whether it is in it now
select lead_id, stage, min(stages.rank) as stage_rank,
       count(*) as entries,
       min(entered_at) as first_entered_at,
       max(entered_at) as last_entered_at,
       case when not bool_or(is_current) then max(left_at) end as last_left_at,
       sum(case when left_at is not null then date_diff('second', entered_at, left_at)
                when is_current then greatest(date_diff('second', entered_at, $at), 0)
           end) / 86400.0 as days,
       bool_or(is_current) as is_current
from scored.lead_stages
join rules.stages using (stage)
group by all
