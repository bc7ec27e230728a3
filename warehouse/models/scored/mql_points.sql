-- One row per MQL and group of engagement rules: the points earned in it until then, before fading.
-- kind: view
-- published: no
-- grain: lead_id, cycle, rule_group
-- column: lead_id | the lead
-- column: cycle | its cycle
-- column: rule_group | group of rules in scoring.yaml, such as intent, web or email
-- column: points | points after the caps
with mql as (
    select lead_stages.lead_id, lead_stages.cycle, leads.person_id, lead_stages.entered_at as mql_at
    from scored.lead_stages
    join scored.leads using (lead_id)
    where stage = 'mql'
)
select mql.lead_id, mql.cycle, score_events.rule_group, sum(score_events.capped_points)::double as points
from mql
join scored.score_events
    on score_events.subject = mql.person_id and score_events.subject_kind = 'person'
    and score_events.model = 'engagement' and score_events.event_at <= mql.mql_at
where score_events.rule_group is not null
group by all
