-- One row per entry of a target, reserved or exclusion list as one source tells it.
-- grain: row_id
-- check: list in ('target', 'reserved', 'exclusion')
-- column: list | target, reserved or exclusion
-- column: company_name | company name, clean
-- column: company_name_key | compares whole company names
-- column: uscc | unified social credit code
-- column: crm_account_id | id of the account in the CRM
-- column: website | host and path
-- column: domain | registrable domain of the website
-- column: domain_kind | own, free, disposable or public
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164; also one that stands in the column phone
-- column: phone | phone number, E.164
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: tier | tier as given
-- column: reason | reason as given
-- column: owner_id | the owner
-- column: valid_from | first day
-- column: valid_to | last day
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
with given_name as (
    -- The directory fills the dictionaries of names and codes: each join gets only what its column holds.
    select * from staging.parsed_names where value in (select company_name from raw.lists)
),
given_code as (
    select * from staging.parsed_codes where value in (select uscc from raw.lists)
),
kept as (
    select received.rowid as place, received.source, received.row_hash as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.lists as received
    anti join (select row_hash from staging.rejected_rows where entity = 'lists') as rejected on rejected.row_hash = received.row_hash
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
select list_read.word as list,
       company_name_read.name as company_name,
       company_name_read.name_key as company_name_key,
       uscc_read.uscc,
       case when crm_account_id_read.value is null then received.crm_account_id else crm_account_id_read.id end as crm_account_id,
       website_read.website,
       website_read.domain,
       website_read.kind as domain_kind,
       case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       coalesce(mobile_read.mobile, phone_read.mobile) as mobile,
       coalesce(phone_read.phone, case when mobile_read.mobile is null then mobile_read.phone end) as phone,
       case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end as wechat_unionid,
       case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end as wechat_openid,
       tier_read.text as tier,
       reason_read.text as reason,
       case when owner_id_read.value is null then received.owner_id else owner_id_read.id end as owner_id,
       valid_from_read.day as valid_from,
       valid_to_read.day as valid_to,
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
join raw.lists as received on received.rowid = latest.place
left join staging.parsed_words as list_read on list_read.vocabulary = 'list' and list_read.value = received.list
left join given_name as company_name_read on company_name_read.value = received.company_name
left join given_code as uscc_read on uscc_read.value = received.uscc
left join staging.parsed_ids as crm_account_id_read on crm_account_id_read.value = received.crm_account_id
left join staging.parsed_domains as website_read on website_read.value = received.website
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
left join staging.parsed_texts as tier_read on tier_read.value = received.tier
left join staging.parsed_texts as reason_read on reason_read.value = received.reason
left join staging.parsed_ids as owner_id_read on owner_id_read.value = received.owner_id
left join staging.parsed_times as valid_from_read on valid_from_read.value = received.valid_from
left join staging.parsed_times as valid_to_read on valid_to_read.value = received.valid_to
