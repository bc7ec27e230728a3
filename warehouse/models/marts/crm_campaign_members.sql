-- One row per person with a handed-over lead and campaign that touched them. crm.yaml says which columns leave.
-- grain: abm_key
-- column: abm_key | our stable id: the person's and the campaign's
-- column: person_id | the person; the gate asks for their word
-- column: region | where the person is for the consent rules, as marts.person_regions has it; null is unknown
-- column: hold | why it is not sent whatever the consent; null otherwise
-- column: send_order | best leads sort first
-- column: campaign_id | the campaign
-- column: campaign_name | its name
-- column: channel | its channel
-- column: contact_key | our key of the contact
-- column: company_key | our key of the company
-- column: first_touch_on | day of the first touch in the workspace's time zone
-- column: last_touch_on | day of the last touch
-- column: touches | number of touches
with membership as (
    select person_id, campaign_id, min(occurred_at) as first_at, max(occurred_at) as last_at, count(*) as touches
    from core.touches
    where campaign_id is not null and not is_future
    group by all
)
select contacts.abm_key || ':' || membership.campaign_id as abm_key,
       contacts.person_id,
       contacts.region,
       contacts.hold,
       contacts.send_order,
       membership.campaign_id,
       campaigns.name as campaign_name,
       campaigns.channel,
       contacts.abm_key as contact_key,
       contacts.company_key,
       (membership.first_at at time zone 'UTC' at time zone $timezone)::date as first_touch_on,
       (membership.last_at at time zone 'UTC' at time zone $timezone)::date as last_touch_on,
       membership.touches
from marts.crm_contacts as contacts
join membership using (person_id)
left join core.campaigns using (campaign_id)
