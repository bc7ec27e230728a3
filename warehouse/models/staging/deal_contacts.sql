-- One row per deal and person as one source tells it.
-- grain: row_id
-- column: deal_id | the deal
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164; also one that stands in the column phone
-- column: phone | phone number, E.164
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: role | role as given, lower case
-- column: is_primary | the main contact
-- column: is_deleted | deleted, voided or archived over there: kept, and in no total
-- column: role_id | id of the entry in the CRM, so that a role that changes is one record
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | the record's key in its source
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day this version was landed
-- column: first_landed_on | the day the record was first landed
-- column: versions | rows of this record that were kept, of which this is the latest
-- column: row_hash | the row's hash in raw
-- column: file_sha | its file
-- column: sheet | its sheet
-- column: line | its line
-- column: extra | JSON of unknown columns
with kept as (
    select received.rowid as place, received.source, coalesce(case when role_id_read.value is null then received.role_id else role_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.deal_contacts as received
    left join staging.parsed_ids as role_id_read on role_id_read.value = received.role_id
    anti join (select row_hash from staging.rejected_rows where entity = 'deal_contacts') as rejected on rejected.row_hash = received.row_hash
),
latest as (
    select place, source || ':' || source_key as row_id, source_key, min(landed_on) over record as first_landed_on,
           count(*) over record as versions
    from kept
    window record as (partition by source, source_key)
    qualify row_number() over (
        partition by source, source_key
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
)
select case when deal_id_read.value is null then received.deal_id else deal_id_read.id end as deal_id,
       case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       coalesce(mobile_read.mobile, phone_read.mobile) as mobile,
       coalesce(phone_read.phone, case when mobile_read.mobile is null then mobile_read.phone end) as phone,
       case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end as wechat_unionid,
       case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end as wechat_openid,
       role_read.word as role,
       is_primary_read.flag as is_primary,
       coalesce(is_deleted_read.flag, false) as is_deleted,
       case when role_id_read.value is null then received.role_id else role_id_read.id end as role_id,
       latest.row_id,
       received.source,
       latest.source_key,
       received.source_rank,
       received.source_date,
       received.landed_on,
       latest.first_landed_on,
       latest.versions,
       received.row_hash,
       received.file_sha,
       received.sheet,
       received.line,
       received.extra
from latest
join raw.deal_contacts as received on received.rowid = latest.place
left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
left join staging.parsed_words as role_read on role_read.vocabulary = 'word' and role_read.value = received.role
left join staging.parsed_booleans as is_primary_read on is_primary_read.value = received.is_primary
left join staging.parsed_booleans as is_deleted_read on is_deleted_read.value = received.is_deleted
left join staging.parsed_ids as role_id_read on role_id_read.value = received.role_id
