-- One row per sales person as one source tells it.
-- grain: row_id
-- column: owner_id | id of the owner
-- column: name | name
-- column: email | address
-- column: team | team
-- column: provinces | provinces served; empty: all
-- column: industries | industries served; empty: all
-- column: sizes | sizes served; empty: all
-- column: products | products served; empty: all
-- column: languages | languages served; empty: all
-- column: skills | skills served; empty: all
-- column: daily_capacity | leads a day; null without limit
-- column: holding_limit | leads held at once; null without limit
-- column: is_active | false only where the source says so
-- column: away_until | last day of absence
-- column: manager_id | id of the owner they report to
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
    select received.rowid as place, received.source, coalesce(case when owner_id_read.value is null then received.owner_id else owner_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.owners as received
    left join staging.parsed_ids as owner_id_read on owner_id_read.value = received.owner_id
    anti join (select row_hash from staging.rejected_rows where entity = 'owners') as rejected on rejected.row_hash = received.row_hash
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
select case when owner_id_read.value is null then received.owner_id else owner_id_read.id end as owner_id,
       name_read.text as name,
       email_read.email,
       team_read.text as team,
       list_filter(list_transform(regexp_split_to_array(coalesce(provinces_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as provinces,
       list_filter(list_transform(regexp_split_to_array(coalesce(industries_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as industries,
       list_filter(list_transform(regexp_split_to_array(coalesce(sizes_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as sizes,
       list_filter(list_transform(regexp_split_to_array(coalesce(products_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as products,
       list_filter(list_transform(regexp_split_to_array(coalesce(languages_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as languages,
       list_filter(list_transform(regexp_split_to_array(coalesce(skills_read.text, ''), '[,;|/、]'), lambda item: trim(item)), lambda item: item <> '') as skills,
       daily_capacity_read.number::bigint as daily_capacity,
       holding_limit_read.number::bigint as holding_limit,
       coalesce(active_read.flag, true) as is_active,
       away_until_read.day as away_until,
       case when manager_id_read.value is null then received.manager_id else manager_id_read.id end as manager_id,
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
join raw.owners as received on received.rowid = latest.place
left join staging.parsed_ids as owner_id_read on owner_id_read.value = received.owner_id
left join staging.parsed_texts as name_read on name_read.value = received.name
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_texts as team_read on team_read.value = received.team
left join staging.parsed_texts as provinces_read on provinces_read.value = received.provinces
left join staging.parsed_texts as industries_read on industries_read.value = received.industries
left join staging.parsed_texts as sizes_read on sizes_read.value = received.sizes
left join staging.parsed_texts as products_read on products_read.value = received.products
left join staging.parsed_texts as languages_read on languages_read.value = received.languages
left join staging.parsed_texts as skills_read on skills_read.value = received.skills
left join staging.parsed_numbers as daily_capacity_read on daily_capacity_read.value = received.daily_capacity
left join staging.parsed_numbers as holding_limit_read on holding_limit_read.value = received.holding_limit
left join staging.parsed_booleans as active_read on active_read.value = received.active
left join staging.parsed_times as away_until_read on away_until_read.value = received.away_until
left join staging.parsed_ids as manager_id_read on manager_id_read.value = received.manager_id
