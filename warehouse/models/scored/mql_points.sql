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
select mql.lead_id, mql.cycle, line_points.rule_group, sum(line_points.capped_points)::double as points
from mql
join scored.line_points on line_points.person_id = mql.person_id and line_points.event_at <= mql.mql_at
group by all
