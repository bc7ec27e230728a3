-- One row per contact as one source tells it: the latest version of each record, every value typed.
-- grain: row_id
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164; also one that stands in the column phone
-- column: phone | phone number, E.164
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: name | name, clean; of first and last name where only those are given
-- column: title | job title, clean
-- column: department | department as given, else the function that the title names
-- column: seniority | c_level, vp, director, manager, staff or unknown
-- column: company_name | company as the contact gives it, clean
-- column: company_name_key | compares whole company names; null for what is no name
-- column: company_name_core | its proper name
-- column: company_name_region_code | GB/T 2260 code of the region in the name
-- column: uscc | unified social credit code
-- column: crm_account_id | id of the account in the CRM
-- column: website | host and path
-- column: company_domain | registrable domain of the company: of a mail address that is its own, else of the website
-- column: province_code | GB/T 2260 code
-- column: city_code | GB/T 2260 code
-- column: district_code | GB/T 2260 code
-- column: province | province, or as given abroad
-- column: city | city, or as given abroad
-- column: country | ISO 3166 alpha-2; as given where unknown
-- column: created_at | when the source first knew the contact, UTC
-- column: lead_source | where the contact came from, as given
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | the record's key in its source; a keyed hash where an address or number is the key
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
    select * from staging.parsed_names where value in (select company_name from raw.contacts)
),
given_code as (
    select * from staging.parsed_codes where value in (select uscc from raw.contacts)
),
latest as (
    select place, row_id, source_key, min(landed_on) over record as first_landed_on, count(*) over record as versions
    from staging.contact_versions
    join raw.contacts as received on received.rowid = place
    window record as (partition by row_id)
    qualify row_number() over (
        partition by row_id
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, received.row_hash desc, file_sha,
                 record
    ) = 1
)
select case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       coalesce(mobile_read.mobile, phone_read.mobile) as mobile,
       coalesce(phone_read.phone, case when mobile_read.mobile is null then mobile_read.phone end) as phone,
       case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end as wechat_unionid,
       case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end as wechat_openid,
       coalesce(name_read.text,
                case when regexp_matches(last_name_read.text, '\p{Han}') then concat(last_name_read.text, first_name_read.text)
                     else nullif(concat_ws(' ', first_name_read.text, last_name_read.text), '') end) as name,
       title_read.title,
       coalesce(department_read.text, title_read.department) as department,
       coalesce(title_read.seniority, 'unknown') as seniority,
       company_name_read.name as company_name,
       company_name_read.name_key as company_name_key,
       company_name_read.core as company_name_core,
       company_name_read.region_code as company_name_region_code,
       uscc_read.uscc,
       case when crm_account_id_read.value is null then received.crm_account_id else crm_account_id_read.id end as crm_account_id,
       website_read.website,
       coalesce(case when email_read.domain_kind = 'own' then email_read.domain end,
                case when website_read.kind = 'own' then website_read.domain end) as company_domain,
       place_read.province_code,
       place_read.city_code,
       place_read.district_code,
       coalesce(place_read.province, province_read.text) as province,
       coalesce(place_read.city, city_read.text) as city,
       coalesce(country_read.country, case when place_read.province_code is not null then 'CN' end) as country,
       created_at_read.occurred_at as created_at,
       lead_source_read.text as lead_source,
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
join raw.contacts as received on received.rowid = latest.place
left join staging.parsed_countries as country_read on country_read.value = received.country
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = case when length(country_read.country) = 2 then country_read.country else 'CN' end
left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = case when length(country_read.country) = 2 then country_read.country else 'CN' end
left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
left join staging.parsed_texts as name_read on name_read.value = received.name
left join staging.parsed_texts as first_name_read on first_name_read.value = received.first_name
left join staging.parsed_texts as last_name_read on last_name_read.value = received.last_name
left join staging.parsed_titles as title_read on title_read.value = received.title
left join staging.parsed_texts as department_read on department_read.value = received.department
left join given_name as company_name_read on company_name_read.value = received.company_name
left join given_code as uscc_read on uscc_read.value = received.uscc
left join staging.parsed_ids as crm_account_id_read on crm_account_id_read.value = received.crm_account_id
left join staging.parsed_domains as website_read on website_read.value = received.website
left join staging.parsed_places as place_read on place_read.value = concat_ws('|', coalesce(received.province, ''), coalesce(received.city, ''), '')
left join staging.parsed_texts as province_read on province_read.value = received.province
left join staging.parsed_texts as city_read on city_read.value = received.city
left join staging.parsed_times as created_at_read on created_at_read.value = received.created_at
left join staging.parsed_texts as lead_source_read on lead_source_read.value = received.lead_source
