-- One row per deal and part of its split as one source tells it; which of them make up the split says core.deal_splits.
-- grain: row_id
-- column: deal_id | the deal
-- column: crm_account_id | the company's id in the CRM
-- column: uscc | valid unified social credit code
-- column: account_name | the company's name
-- column: account_name_key | that name as names are compared
-- column: owner_id | sales person
-- column: share | 0 to 1
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
    select * from staging.parsed_names where value in (select account_name from raw.deal_splits)
),
given_code as (
    select * from staging.parsed_codes where value in (select uscc from raw.deal_splits)
),
kept as (
    select received.rowid as place, received.source,
           concat_ws('|', case when deal_id_read.value is null then received.deal_id else deal_id_read.id end,
                     coalesce(received.crm_account_id, ''), coalesce(received.uscc, ''),
                     coalesce(received.account_name, ''), coalesce(received.owner_id, '')) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.deal_splits as received
    left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
    anti join (select row_hash from staging.rejected_rows where entity = 'deal_splits') as rejected on rejected.row_hash = received.row_hash
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
       case when crm_account_id_read.value is null then received.crm_account_id else crm_account_id_read.id end as crm_account_id,
       uscc_read.uscc,
       account_name_read.name as account_name,
       account_name_read.name_key as account_name_key,
       case when owner_id_read.value is null then received.owner_id else owner_id_read.id end as owner_id,
       share_read.share,
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
join raw.deal_splits as received on received.rowid = latest.place
left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
left join staging.parsed_ids as crm_account_id_read on crm_account_id_read.value = received.crm_account_id
left join given_code as uscc_read on uscc_read.value = received.uscc
left join given_name as account_name_read on account_name_read.value = received.account_name
left join staging.parsed_ids as owner_id_read on owner_id_read.value = received.owner_id
left join staging.parsed_shares as share_read on share_read.value = received.share
