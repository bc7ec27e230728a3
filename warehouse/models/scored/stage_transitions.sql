-- One row per stage transition in the ledger that this run may see, with what became of it.
-- `standing`: a judgement of ours (MQL, SQL) that no longer follows, because the rules or a late refusal changed it; sales
-- was told, so it holds. Not so where today's replay dates the same stage of the cycle otherwise, no longer has that
-- cycle, or has a later stage at or before it. Of several the one decided last stands.
-- grain: transition_id
-- check: state in ('counted', 'standing', 'superseded')
-- column: transition_id | the ledger's name of it
-- column: lead_id | today's lead of the person; null where the person is no lead any more
-- column: recorded_lead_id | the lead it was recorded for
-- column: cycle | the cycle it was recorded for
-- column: stage | the stage
-- column: entered_at | time of the event that caused it, UTC
-- column: decided_at | when it was recorded, UTC
-- column: reason | what was said or done, or points against the bar
-- column: rule | rule of scoring.yaml, or deal
-- column: actor | who decided; null for the rules
-- column: state | counted, standing (no longer follows, but sales was told) or superseded (readable, counted nowhere)
with visible as (
    select * from ops.ledger_stage_transitions where recorded_as_of <= $as_of
),
recorded as (
    select visible.transition_id, coalesce(leads.lead_id, moved_leads.lead_id) as lead_id,
           visible.lead_id as recorded_lead_id, visible.cycle, visible.stage, visible.entered_at, visible.decided_at,
           visible.reason, visible.rule, nullif(visible.actor, 'abmloop') as actor,
           replayed_stages.transition_id is not null as follows
    from visible
    left join scored.leads using (lead_id)
    left join scored.moved_leads on leads.lead_id is null and moved_leads.person_key = visible.person_key
    left join scored.replayed_stages on replayed_stages.transition_id = visible.transition_id
),
judgement as (
    select recorded.*, stages.rank
    from recorded
    join rules.stages using (stage)
    where not follows and stage in ('mql', 'sql') and lead_id is not null
    qualify row_number() over (partition by lead_id, cycle, stage order by decided_at desc, transition_id desc) = 1
),
-- What today's replay says of the same leads.
today as (
    select replayed_stages.lead_id, replayed_stages.cycle, replayed_stages.stage, replayed_stages.entered_at,
           stages.rank
    from scored.replayed_stages
    semi join judgement using (lead_id)
    join rules.stages using (stage)
),
standing as (
    select judgement.transition_id
    from judgement
    join today using (lead_id)
    group by judgement.transition_id, judgement.cycle
    having max(today.cycle) >= judgement.cycle
       and not bool_or(today.cycle = judgement.cycle and (
           today.stage = judgement.stage
           or today.rank > judgement.rank and today.entered_at <= judgement.entered_at))
)
select recorded.* exclude (follows),
       case when follows then 'counted' when standing.transition_id is not null then 'standing' else 'superseded' end
           as state
from recorded
left join standing using (transition_id)
