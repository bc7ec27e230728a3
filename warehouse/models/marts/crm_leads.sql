-- One row per lead that reached the stage of the handover: what the CRM is to hold of it.
-- A lead stays here when it is recycled or lost later, so that the CRM learns of it. crm.yaml says which columns leave.
-- grain: abm_key
-- check: abm_key is not null and person_id is not null
-- check: hold is null or hold in ('excluded', 'company_closed', 'held_by_directory')
-- column: abm_key | our stable id, the lead's
-- column: person_id | the person; the gate asks for their word
-- column: region | where the person is for the consent rules, as marts.person_regions has it; null is unknown
-- column: hold | why it is not sent whatever the consent: excluded, company_closed, held_by_directory; null otherwise
-- column: send_order | best leads sort first
-- column: changed_at | when our values last changed by a decision, UTC
-- column: contact_key | our key of the contact
-- column: company_key | our key of the company; null where the match is undecided
-- column: company_name | the company's registered name, else as the person wrote it
-- column: name | the person's name
-- column: title | title
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: email | mail address
-- column: mobile | mobile number, E.164
-- column: industry_section | section of GB/T 4754
-- column: owner_id | sales person, by the CRM's id; null while in a pool
-- column: pool_id | pool; null while owned
-- column: assignment_reason | why this owner or pool
-- column: assigned_on | day of the assignment in the workspace's time zone
-- column: cycle | how often the lead came round, from 1
-- column: abm_stage | stage on the day of the run
-- column: abm_stage_on | day it entered that stage
-- column: abm_stage_reason | why
-- column: stage_rule | the rule by which the lead is at this stage
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: grid | A1 to D3
-- column: score_reason | the rules that gave the most points, with the day of their last event
-- column: sql_probability | chance to become an SQL by the predictive score in use, 0 to 1; null without one
-- column: won_probability | chance to be won by the predictive score in use, 0 to 1; null without one
-- column: probability_reason | the facts that moved the chance most: to become an SQL, else to be won
-- column: match_evidence | how the person was led to the company
-- column: first_campaign | name of the campaign of the first touch
-- column: first_channel | channel of the first touch
-- column: channel | the same, for the plays of crm.yaml
-- column: campaign | the same as first_campaign, for the plays of crm.yaml
-- column: department | department, for the plays of crm.yaml
-- column: inquiry_on | day of the first sign of life
-- column: stage | the same as abm_stage, for the plays of crm.yaml
-- column: is_workable | whether it is for sales to act: handed over, and not yet an opportunity, won, lost or recycled
with handover as (
    select rank from rules.stages where is_handover
),
handed_over as (
    select lead_stages.lead_id
    from scored.lead_stages
    join rules.stages as reached using (stage)
    cross join handover
    where reached.rank between handover.rank and (select rank from rules.stages where stage = 'won')
    group by all
),
current_stage as (
    select lead_stages.lead_id, lead_stages.cycle, stage, lead_stages.entered_at, lead_stages.decided_at,
           lead_stages.reason, lead_stages.rule,
           stages.rank >= handover.rank
               and stages.rank < (select rank from rules.stages where stage = 'opportunity') as is_workable
    from scored.lead_stages
    join rules.stages using (stage)
    cross join handover
    where lead_stages.is_current
),
current_assignment as (
    select lead_id, owner_id, pool_id, told, assigned_at from scored.assignments where is_current
),
rule_line as (
    select subject as person_id, rule_id, round(sum(capped_points))::integer as points,
           max(event_on) as last_on,
           row_number() over (partition by subject order by sum(capped_points) desc, rule_id) as place
    from scored.score_events
    where subject_kind = 'person' and model = 'engagement' and capped_points > 0
    group by subject, rule_id
),
score_text as (
    select person_id, string_agg(rule_id || ' +' || points || ' (' || last_on || ')', '; ' order by place) as score_reason
    from rule_line
    where place <= 5
    group by all
),
chance as (
    select lead_id, max(probability) filter (target = 'sql') as sql_probability,
           max(probability) filter (target = 'won') as won_probability,
           coalesce(max(reasons) filter (target = 'sql'), max(reasons) filter (target = 'won')) as probability_reason
    from scored.predictions
    group by lead_id
)
select leads.lead_id as abm_key,
       leads.person_id,
       person_regions.region,
       case when leads.is_excluded then 'excluded'
            when accounts.status in ('revoked', 'cancelled') then 'company_closed'
            -- Who was given out before the rule keeps their owner and is kept up to date.
            when held_leads.lead_id is not null and current_assignment.lead_id is null then 'held_by_directory'
       end as hold,
       grades.fit_grade || (4 - grades.engagement_band) as send_order,
       greatest(current_stage.decided_at, current_assignment.assigned_at, leads.inquiry_at) as changed_at,
       leads.person_id as contact_key,
       leads.account_id as company_key,
       coalesce(accounts.name, persons.company_name) as company_name,
       persons.name,
       persons.title,
       persons.seniority,
       persons.email,
       persons.mobile,
       accounts.industry_section,
       current_assignment.owner_id,
       current_assignment.pool_id,
       current_assignment.told as assignment_reason,
       (current_assignment.assigned_at at time zone 'UTC' at time zone $timezone)::date as assigned_on,
       current_stage.cycle,
       current_stage.stage as abm_stage,
       (current_stage.entered_at at time zone 'UTC' at time zone $timezone)::date as abm_stage_on,
       current_stage.reason as abm_stage_reason,
       grades.fit_grade,
       grades.engagement_band,
       grades.grid,
       score_text.score_reason,
       chance.sql_probability,
       chance.won_probability,
       chance.probability_reason,
       concat_ws(': ', matches.method, array_to_string(matches.evidence, '; ')) as match_evidence,
       coalesce(campaigns.name, leads.first_campaign_id) as first_campaign,
       leads.first_channel,
       leads.first_channel as channel,
       coalesce(campaigns.name, leads.first_campaign_id) as campaign,
       persons.department,
       (leads.inquiry_at at time zone 'UTC' at time zone $timezone)::date as inquiry_on,
       current_stage.stage,
       current_stage.rule as stage_rule,
       coalesce(current_stage.is_workable, false) as is_workable
from scored.leads
join handed_over using (lead_id)
join matched.persons using (person_id)
left join marts.person_regions using (person_id)
left join resolved.accounts using (account_id)
left join current_stage using (lead_id)
left join current_assignment using (lead_id)
left join scored.held_leads using (lead_id)
left join scored.grades on grades.lead_id = leads.lead_id
left join score_text on score_text.person_id = leads.person_id
left join chance on chance.lead_id = leads.lead_id
left join matched.person_accounts as matches on matches.person_id = leads.person_id and leads.account_id is not null
left join core.campaigns on campaigns.campaign_id = leads.first_campaign_id
