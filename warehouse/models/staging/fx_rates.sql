-- One row per currency and day as one source tells it.
-- grain: row_id
-- check: rate is not null
-- column: currency | ISO code
-- column: valid_on | first day it holds
-- column: rate | one unit in the workspace's currency
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
    select received.rowid as place, received.source, concat_ws('|', currency_read.currency, valid_on_read.day::varchar) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.fx_rates as received
    left join staging.parsed_currencies as currency_read on currency_read.value = received.currency
    left join staging.parsed_times as valid_on_read on valid_on_read.value = received.valid_on
    anti join (select row_hash from staging.rejected_rows where entity = 'fx_rates') as rejected on rejected.row_hash = received.row_hash
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
select currency_read.currency,
       valid_on_read.day as valid_on,
       rate_read.number as rate,
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
join raw.fx_rates as received on received.rowid = latest.place
left join staging.parsed_currencies as currency_read on currency_read.value = received.currency
left join staging.parsed_times as valid_on_read on valid_on_read.value = received.valid_on
left join staging.parsed_numbers as rate_read on rate_read.value = received.rate
