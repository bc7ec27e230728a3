-- One row per lead and cycle that is for sales to act on: what its task is made of. The play of crm.yaml and the gate
-- decide its words and whether it asks to call.
-- grain: abm_key
-- column: abm_key | our stable id: the lead's and its cycle
-- column: person_id | the person; the gate asks for their word
-- column: region | country of the person for the consent rules, ISO 3166; null is unknown
-- column: hold | why it is not sent whatever the consent; null otherwise
-- column: send_order | best leads sort first
-- column: lead_key | our key of the lead
-- column: contact_key | our key of the contact
-- column: owner_id | sales person, by the CRM's id; null while in a pool
-- column: person_name | the person
-- column: title | title
-- column: company_name | the company
-- column: mobile | mobile number, E.164
-- column: stage | stage on the day of the run
-- column: grid | A1 to D3
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: channel | channel of the first touch
-- column: industry_section | section of GB/T 4754
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: stage_reason | why the lead is at this stage
-- column: score_reason | the rules that gave the most points
-- column: last_touch | day, type and campaign of the last touch
with last_touch as (
    select touches.person_id,
           arg_max(concat_ws(', ', (touches.occurred_at at time zone 'UTC' at time zone $timezone)::date::varchar,
                             touches.type, coalesce(campaigns.name, touches.campaign_id)),
                   (touches.occurred_at, touches.touch_id)) as last_touch
    from core.touches
    left join core.campaigns using (campaign_id)
    where not touches.is_future
    group by all
)
select leads.abm_key || '-' || coalesce(leads.cycle, 1) as abm_key,
       leads.person_id,
       leads.region,
       leads.hold,
       leads.send_order,
       leads.abm_key as lead_key,
       leads.contact_key,
       leads.owner_id,
       leads.name as person_name,
       leads.title,
       leads.company_name,
       leads.mobile,
       leads.stage,
       leads.grid,
       leads.fit_grade,
       leads.engagement_band,
       leads.channel,
       leads.industry_section,
       leads.seniority,
       leads.abm_stage_reason as stage_reason,
       leads.score_reason,
       last_touch.last_touch
from marts.crm_leads as leads
left join last_touch using (person_id)
where leads.is_workable
