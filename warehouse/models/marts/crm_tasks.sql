-- One row per task for sales: one per lead and cycle that is for them to act on, and one per reminder or escalation that
-- stands. The play of crm.yaml and the gate decide its words and whether it asks to call.
-- grain: abm_key
-- column: abm_key | our stable id: the lead's and its cycle, of a reminder its kind and day too
-- column: kind | what is reminded of (marts.sales_reminders); null for the lead's own task
-- column: due_at | by when, UTC; null for the lead's own task
-- column: person_id | the person; the gate asks for their word
-- column: region | where the person is for the consent rules, as marts.person_regions has it; null is unknown
-- column: hold | why it is not sent whatever the consent; null otherwise
-- column: send_order | best leads sort first
-- column: lead_key | our key of the lead
-- column: contact_key | our key of the contact
-- column: owner_id | who the task is for, by the CRM's id: the owner, or whom it is escalated to; null while in a pool
-- column: person_name | the person
-- column: title | title
-- column: company_name | the company
-- column: mobile | mobile number, E.164
-- column: stage | stage on the day of the run
-- column: grid | A1 to D3
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: channel | channel of the first touch
-- column: campaign | name of the campaign of the first touch
-- column: department | department
-- column: industry_section | section of GB/T 4754
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: stage_reason | why the lead is at this stage
-- column: stage_rule | the rule by which it is there
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
),
task as (
    select abm_key || '-' || coalesce(cycle, 1) as task_key, abm_key as lead_key, null as kind, null::timestamp as due_at,
           owner_id
    from marts.crm_leads
    where is_workable
    union all
    select leads.abm_key || '-' || coalesce(leads.cycle, 1) || '-' || reminders.kind || '-'
               || strftime(reminders.told_at at time zone 'UTC' at time zone $timezone, '%Y%m%d'),
           leads.abm_key, reminders.kind, min(reminders.due_at), min(reminders.told_to)
    from marts.sales_reminders as reminders
    join marts.crm_leads as leads on leads.abm_key = reminders.lead_id
    where leads.is_workable and reminders.told_to is not null
    group by all
)
select task.task_key as abm_key,
       task.kind,
       task.due_at,
       leads.person_id,
       leads.region,
       leads.hold,
       leads.send_order,
       leads.abm_key as lead_key,
       leads.contact_key,
       task.owner_id,
       leads.name as person_name,
       leads.title,
       leads.company_name,
       leads.mobile,
       leads.stage,
       leads.grid,
       leads.fit_grade,
       leads.engagement_band,
       leads.channel,
       leads.campaign,
       leads.department,
       leads.industry_section,
       leads.seniority,
       leads.abm_stage_reason as stage_reason,
       leads.stage_rule,
       leads.score_reason,
       last_touch.last_touch
from task
join marts.crm_leads as leads on leads.abm_key = task.lead_key
left join last_touch on last_touch.person_id = leads.person_id
