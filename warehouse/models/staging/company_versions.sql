-- One row per row of raw that was not refused: the record it is a version of.
-- grain: place
-- published: no
-- column: place | rowid in raw.companies as this row was made; of no use later
-- column: row_id | source and source key: its id, else its code, else its name and place, else the row itself
-- column: source | the source it came from
-- column: row_hash | the row's hash in raw
with unnumbered as (
    select name, name_en, uscc from raw.companies where source_id is null
),
-- The dictionaries of names and codes are large: each join gets only what its column holds.
own_code as (
    select value, uscc from staging.parsed_codes where value in (select uscc from unnumbered)
),
own_name as (
    select value, name
    from staging.parsed_names
    where value in (select name from unnumbered) or value in (select name_en from unnumbered)
),
kept as (
    select received.rowid as place, received.source, received.row_hash,
           coalesce(case when source_id_read.value is null then received.source_id else source_id_read.id end,
                    uscc_read.uscc,
                    name_read.name || '|' || coalesce(received.province, '') || '|' || coalesce(received.city, ''),
                    name_en_read.name || '|' || coalesce(received.country, ''),
                    received.row_hash) as source_key
    from raw.companies as received
    left join staging.parsed_ids as source_id_read on source_id_read.value = received.source_id
    left join own_code as uscc_read on received.source_id is null and uscc_read.value = received.uscc
    left join own_name as name_read on received.source_id is null and name_read.value = received.name
    left join own_name as name_en_read on received.source_id is null and name_en_read.value = received.name_en
    anti join (select row_hash from staging.rejected_rows where entity = 'companies') as rejected
        on rejected.row_hash = received.row_hash
)
select place, source || ':' || source_key as row_id, source, row_hash
from kept
