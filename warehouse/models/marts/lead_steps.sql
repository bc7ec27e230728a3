-- One row per stage that a lead entered, per cycle, with the next stage of the way to won that it reached from there.
-- kind: view
-- published: view
-- grain: lead_id, cycle, stage
-- column: lead_id | the lead
-- column: cycle | 1 for the first; a lead that comes back begins the next
-- column: stage | inquiry, mql, sal, sql, opportunity, won, lost, recycled, disqualified
-- column: stage_rank | its place in the order
-- column: is_open | whether a lead in it may still move on
-- column: entered_at | UTC
-- column: is_before_inquiry | dated before the first sign of life
-- column: next_stage | the next stage of the way to won reached in the cycle; null where none was
-- column: next_at | when that was, UTC
-- column: days | days until then; null where it was passed out of order
with placed as (
    select lead_stages.lead_id, lead_stages.cycle, lead_stages.stage, stages.rank, stages.is_open,
           lead_stages.entered_at, lead_stages.is_before_inquiry,
           stages.is_open or lead_stages.stage = 'won' as is_on_way
    from scored.lead_stages
    join rules.stages using (stage)
),
followed as (
    select *,
           case when is_open then lead(stage) over way end as next_stage,
           case when is_open then lead(entered_at) over way end as next_at
    from placed
    window way as (partition by lead_id, cycle, is_on_way order by rank)
)
select lead_id, cycle, stage, rank as stage_rank, is_open, entered_at, is_before_inquiry, next_stage, next_at,
       case when next_at >= entered_at then date_diff('second', entered_at, next_at) / 86400.0 end as days
from followed
