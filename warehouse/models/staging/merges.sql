-- One row per record that people merged into another in the CRM, as one source tells it.
-- grain: row_id
-- column: object | deals, leads, contacts or companies, else as given
-- column: old_id | the record that is no more
-- column: new_id | the record that stands for it
-- column: old_key | our key that the old one bore, where known
-- column: new_key | our key that the new one bears, where known
-- column: merged_at | when, UTC
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
    select received.rowid as place, received.source,
           concat_ws('|', object_read.text, case when old_id_read.value is null then received.old_id else old_id_read.id end) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.merges as received
    left join staging.parsed_texts as object_read on object_read.value = received.object
    left join staging.parsed_ids as old_id_read on old_id_read.value = received.old_id
    anti join (select row_hash from staging.rejected_rows where entity = 'merges') as rejected on rejected.row_hash = received.row_hash
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
select case when regexp_full_match(lower(object_read.text), 'deals?|opportunit(y|ies)|商机|销售机会') then 'deals'
            when regexp_full_match(lower(object_read.text), 'leads?|线索|销售线索') then 'leads'
            when regexp_full_match(lower(object_read.text), 'contacts?|联系人') then 'contacts'
            when regexp_full_match(lower(object_read.text), 'compan(y|ies)|accounts?|客户|公司|企业') then 'companies'
            else object_read.text end as object,
       case when old_id_read.value is null then received.old_id else old_id_read.id end as old_id,
       case when new_id_read.value is null then received.new_id else new_id_read.id end as new_id,
       case when old_key_read.value is null then received.old_key else old_key_read.id end as old_key,
       case when new_key_read.value is null then received.new_key else new_key_read.id end as new_key,
       merged_at_read.occurred_at as merged_at,
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
join raw.merges as received on received.rowid = latest.place
left join staging.parsed_texts as object_read on object_read.value = received.object
left join staging.parsed_ids as old_id_read on old_id_read.value = received.old_id
left join staging.parsed_ids as new_id_read on new_id_read.value = received.new_id
left join staging.parsed_ids as old_key_read on old_key_read.value = received.old_key
left join staging.parsed_ids as new_key_read on new_key_read.value = received.new_key
left join staging.parsed_times as merged_at_read on merged_at_read.value = received.merged_at
