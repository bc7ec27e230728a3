-- One row per person key that does not hang on a source, and the day it was landed first, in any version of any row.
-- Persons are named after the key landed first, so a row landed again must not make its keys younger.
-- grain: key_kind, key_value
-- column: key_kind | email, mobile, wechat_unionid, contact_id or lead_id
-- column: key_value | the key; ids of a source stand behind the source's name
-- column: first_landed_on | day it was landed first
with received as (
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.contacts
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.touches
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.consents
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile from raw.deals
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.deal_contacts
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.activities
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.lead_status
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.qualifications
    union all by name
    select source, landed_on, contact_id, lead_id, email, mobile, wechat_unionid from raw.lists
),
landing as (
    select 'email' as key_kind, parsed_emails.email as key_value, landed_on
    from received
    join staging.parsed_emails on parsed_emails.value = received.email
    union all
    select 'mobile', parsed_phones.mobile, landed_on
    from received
    join staging.parsed_phones on parsed_phones.value = received.mobile and parsed_phones.country = 'CN'
    union all
    select 'wechat_unionid', wechat_unionid, landed_on from received
    union all
    select 'contact_id', source || ':' || coalesce(parsed_ids.id, contact_id), landed_on
    from received
    left join staging.parsed_ids on parsed_ids.value = received.contact_id
    union all
    select 'lead_id', source || ':' || coalesce(parsed_ids.id, lead_id), landed_on
    from received
    left join staging.parsed_ids on parsed_ids.value = received.lead_id
)
select key_kind, key_value, min(landed_on) as first_landed_on
from landing
where key_value is not null
group by all
