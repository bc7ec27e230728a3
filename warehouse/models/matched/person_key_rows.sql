-- One row per staging row (or earlier version of a contact) and person key that it bears.
-- A contact that changes its address keeps the old one as a key, so that a refusal once given still holds.
-- grain: entity, row_id, key_kind, key_value
-- column: entity | the row's entity; contact_versions are earlier versions of contacts
-- column: row_id | the row
-- column: landed_on | day the key was landed first, in any row
-- column: key_kind | contact_id, lead_id, email, mobile, phone, wechat_unionid or wechat_openid
-- column: key_value | the key; ids of a source stand behind the source's name
-- column: can_be_strong | whether a key of this kind can identify one person
-- column: person_name | name in the row, where it has one
with version as (
    select 'contact_versions' as entity, received.source || ':' || received.row_hash as row_id, received.source,
           received.landed_on,
           coalesce(name_read.text, received.name) as person_name,
           coalesce(contact_id_read.id, received.contact_id) as contact_id,
           coalesce(lead_id_read.id, received.lead_id) as lead_id,
           email_read.email, email_read.kind as email_kind, mobile_read.mobile,
           received.wechat_unionid, received.wechat_openid
    from raw.contacts as received
    left join staging.parsed_texts as name_read on name_read.value = received.name
    left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
    left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
    left join staging.parsed_emails as email_read on email_read.value = received.email
    left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
    anti join staging.contacts on contacts.row_hash = received.row_hash and contacts.source = received.source
    anti join (select row_hash from staging.rejected_rows where entity = 'contacts') as rejected
        on rejected.row_hash = received.row_hash
),
holder as (
    select * from version
    union all by name
    select 'contacts' as entity, row_id, source, landed_on, name as person_name, contact_id, lead_id, email, email_kind,
           mobile, phone, wechat_unionid, wechat_openid
    from staging.contacts
    union all by name
    select 'touches' as entity, row_id, source, landed_on, name as person_name, contact_id, lead_id, email, email_kind,
           mobile, phone, wechat_unionid, wechat_openid
    from staging.touches
    union all by name
    select 'consents' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.consents
    union all by name
    select 'deals' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile
    from staging.deals
    union all by name
    select 'deal_contacts' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.deal_contacts
    union all by name
    select 'activities' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.activities
    union all by name
    select 'lead_status' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.lead_status
    union all by name
    select 'qualifications' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.qualifications
    union all by name
    select 'lists' as entity, row_id, source, landed_on, contact_id, lead_id, email, email_kind, mobile, phone,
           wechat_unionid, wechat_openid
    from staging.lists
),
given_id as (
    select entity, row_id, source, landed_on, person_name, 'contact_id' as key_kind, contact_id as id
    from holder where contact_id is not null
    union all
    select entity, row_id, source, landed_on, person_name, 'lead_id', lead_id
    from holder where lead_id is not null
),
held_key as (
    -- People who were merged in the CRM are one, by the id that stands for them.
    select given_id.entity, given_id.row_id, given_id.landed_on, given_id.person_name, given_id.key_kind,
           given_id.source || ':' || coalesce(merged.new_id, given_id.id) as key_value, true as can_be_strong
    from given_id
    left join staging.merged_ids as merged
        on merged.kind = 'person' and merged.source = given_id.source and merged.old_id = given_id.id
    union all
    select entity, row_id, landed_on, person_name, 'email', email, coalesce(email_kind in ('personal', 'corporate'), false)
    from holder where email is not null and email_kind is distinct from 'invalid'
    union all
    select entity, row_id, landed_on, person_name, 'mobile', mobile, true from holder where mobile is not null
    union all
    select entity, row_id, landed_on, person_name, 'phone', phone, false
    from holder where phone is not null and phone is distinct from mobile
    union all
    select entity, row_id, landed_on, person_name, 'wechat_unionid', wechat_unionid, true
    from holder where wechat_unionid is not null
    union all
    select entity, row_id, landed_on, person_name, 'wechat_openid', wechat_openid, true
    from holder where wechat_openid is not null
)
select entity, row_id, least(min(landed_on), min(key_landings.first_landed_on)) as landed_on, key_kind, key_value,
       bool_and(can_be_strong) as can_be_strong, min(person_name) as person_name
from held_key
left join matched.key_landings using (key_kind, key_value)
group by entity, row_id, key_kind, key_value
