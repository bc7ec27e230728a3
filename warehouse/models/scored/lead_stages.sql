-- One row per stage a lead entered, per cycle: what today's replay says, and the judgements that still stand.
-- grain: lead_id, cycle, stage
-- column: transition_id | the ledger's name of the transition
-- column: lead_id | the lead
-- column: cycle | 1 for the first; a lead that comes back after won, lost or recycled begins the next
-- column: stage | inquiry, mql, sal, sql, opportunity, won, lost, recycled, disqualified
-- column: entered_at | time of the event that caused it, UTC
-- column: decided_at | when we first knew, UTC
-- column: left_at | when the lead entered its next stage, UTC; null where it is in it, or came to it out of order
-- column: reason | what was said or done, or points against the bar
-- column: rule | rule of scoring.yaml, or deal
-- column: actor | who decided; null for the rules
-- column: is_current | whether the lead is in this stage now
-- column: is_before_inquiry | dated before the first sign of life, such as a deal won before the first contact
with counted as (
    select replayed.transition_id, replayed.lead_id, replayed.cycle, replayed.stage, replayed.entered_at,
           coalesce(stage_transitions.decided_at, $at) as decided_at, replayed.reason, replayed.rule, replayed.actor
    from scored.replayed_stages as replayed
    left join scored.stage_transitions using (transition_id)
    union all
    select transition_id, lead_id, cycle, stage, entered_at, decided_at, reason, rule, actor
    from scored.stage_transitions
    where state = 'standing'
),
placed as (
    select counted.*, stages.rank,
           lead(entered_at) over (partition by lead_id order by cycle, rank) as following,
           arg_min(entered_at, cycle) filter (stage = 'inquiry') over (partition by lead_id) as inquiry_at
    from counted
    join rules.stages using (stage)
)
select transition_id, lead_id, cycle, stage, entered_at, decided_at,
       case when following >= entered_at then following end as left_at,
       reason, rule, actor,
       row_number() over (partition by lead_id order by cycle desc, rank desc) = 1 as is_current,
       coalesce(entered_at < inquiry_at, false) as is_before_inquiry
from placed
