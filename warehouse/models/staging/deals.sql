-- One row per deal as one source tells it.
-- grain: row_id
-- column: deal_id | id of the deal
-- column: account_name | company name, clean
-- column: account_name_key | compares whole company names
-- column: uscc | unified social credit code
-- column: crm_account_id | id of the account in the CRM
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164
-- column: phone | number that is no mobile, E.164
-- column: name | name
-- column: stage | stage as given
-- column: amount | amount; null where unknown
-- column: currency | ISO code; null where none is given
-- column: created_at | when it was opened, UTC
-- column: closed_at | when it was closed, or is expected to be, UTC
-- column: is_closed_by_day | only the day of closing is known; closed_at is its first instant
-- column: lead_created_at | when its first lead was created, UTC
-- column: owner_id | its owner
-- column: type | new, expansion, renewal or as given
-- column: probability | 0 to 1
-- column: is_deleted | deleted, voided or archived over there: kept, and in no total
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
    select * from staging.parsed_names where value in (select account_name from raw.deals)
),
given_code as (
    select * from staging.parsed_codes where value in (select uscc from raw.deals)
),
kept as (
    select received.rowid as place, received.source, coalesce(case when deal_id_read.value is null then received.deal_id else deal_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.deals as received
    left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
    anti join (select row_hash from staging.rejected_rows where entity = 'deals') as rejected on rejected.row_hash = received.row_hash
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
       account_name_read.name as account_name,
       account_name_read.name_key as account_name_key,
       uscc_read.uscc,
       case when crm_account_id_read.value is null then received.crm_account_id else crm_account_id_read.id end as crm_account_id,
       case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       mobile_read.mobile,
       case when mobile_read.mobile is null then mobile_read.phone end as phone,
       name_read.text as name,
       stage_read.text as stage,
       amount_read.amount,
       coalesce(currency_read.currency, amount_read.currency) as currency,
       created_at_read.occurred_at as created_at,
       closed_at_read.occurred_at as closed_at,
       not closed_at_read.has_time as is_closed_by_day,
       lead_created_at_read.occurred_at as lead_created_at,
       case when owner_id_read.value is null then received.owner_id else owner_id_read.id end as owner_id,
       type_read.word as type,
       probability_read.share as probability,
       coalesce(is_deleted_read.flag, false) as is_deleted,
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
join raw.deals as received on received.rowid = latest.place
left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
left join given_name as account_name_read on account_name_read.value = received.account_name
left join given_code as uscc_read on uscc_read.value = received.uscc
left join staging.parsed_ids as crm_account_id_read on crm_account_id_read.value = received.crm_account_id
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
left join staging.parsed_texts as name_read on name_read.value = received.name
left join staging.parsed_texts as stage_read on stage_read.value = received.stage
left join staging.parsed_amounts as amount_read on amount_read.value = received.amount
left join staging.parsed_currencies as currency_read on currency_read.value = received.currency
left join staging.parsed_times as created_at_read on created_at_read.value = received.created_at
left join staging.parsed_times as closed_at_read on closed_at_read.value = received.closed_at
left join staging.parsed_times as lead_created_at_read on lead_created_at_read.value = received.lead_created_at
left join staging.parsed_ids as owner_id_read on owner_id_read.value = received.owner_id
left join staging.parsed_words as type_read on type_read.vocabulary = 'deal_type' and type_read.value = received.type
left join staging.parsed_shares as probability_read on probability_read.value = received.probability
left join staging.parsed_booleans as is_deleted_read on is_deleted_read.value = received.is_deleted
