-- One row per entry of a deal into a stage as one source tells it.
-- grain: row_id
-- check: entered_at is not null
-- column: deal_id | the deal
-- column: stage | stage as given
-- column: entered_at | when it entered, UTC
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
    select received.rowid as place, received.source, concat_ws('|', case when deal_id_read.value is null then received.deal_id else deal_id_read.id end, stage_read.text,
               entered_at_read.occurred_at::varchar) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.deal_stages as received
    left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
    left join staging.parsed_texts as stage_read on stage_read.value = received.stage
    left join staging.parsed_times as entered_at_read on entered_at_read.value = received.entered_at
    anti join (select row_hash from staging.rejected_rows where entity = 'deal_stages') as rejected on rejected.row_hash = received.row_hash
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
       stage_read.text as stage,
       entered_at_read.occurred_at as entered_at,
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
join raw.deal_stages as received on received.rowid = latest.place
left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
left join staging.parsed_texts as stage_read on stage_read.value = received.stage
left join staging.parsed_times as entered_at_read on entered_at_read.value = received.entered_at
