-- One row per deal and person on it.
-- grain: deal_id, person_id
-- column: deal_id | the deal
-- column: person_id | the person
-- column: role | role as the CRM says, in lower case; null where not given
-- column: is_decision_maker | the role is one of those that `attribution.yaml` counts as deciding
-- column: is_primary | the deal's main contact
with named as (
    select coalesce(merged_deals.deal_id, contacts.deal_id) as deal_id, person_rows.person_id, lower(trim(contacts.role)) as role,
           coalesce(contacts.is_primary, false) as is_primary, contacts.row_id
    from staging.deal_contacts as contacts
    join matched.person_rows on person_rows.entity = 'deal_contacts' and person_rows.row_id = contacts.row_id
    left join core.merged_deals on merged_deals.old_deal_id = contacts.deal_id
    where contacts.deal_id is not null and contacts.is_deleted is not true
    union all
    select coalesce(merged_deals.deal_id, deals.deal_id), person_rows.person_id, null, null, deals.row_id
    from staging.deals
    join matched.person_rows on person_rows.entity = 'deals' and person_rows.row_id = deals.row_id
    left join core.merged_deals on merged_deals.old_deal_id = deals.deal_id
    where deals.deal_id is not null
),
known as (
    select deal_id, person_id, min(role) as role, bool_or(is_primary) as is_primary,
           bool_or(is_primary is null) as is_of_the_deal
    from named
    group by all
)
select deal_id, person_id, role,
       regexp_replace(role, '[\s_-]', '', 'g') in (select word from rules.decision_roles) as is_decision_maker,
       coalesce(is_primary, false)
           or (is_of_the_deal and not bool_or(coalesce(is_primary, false)) over (partition by deal_id)) as is_primary
from known
