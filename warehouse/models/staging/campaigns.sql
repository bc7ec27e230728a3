-- One row per campaign as one source tells it.
-- grain: row_id
-- column: campaign_id | id of the campaign
-- column: name | name
-- column: channel | channel
-- column: parent_campaign_id | the campaign it is part of
-- column: starts_on | first day
-- column: ends_on | last day
-- column: budget | planned cost
-- column: cost | actual cost
-- column: currency | ISO code; null where none is given
-- column: status | status as given, lower case
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
    select received.rowid as place, received.source, coalesce(case when campaign_id_read.value is null then received.campaign_id else campaign_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.campaigns as received
    left join staging.parsed_ids as campaign_id_read on campaign_id_read.value = received.campaign_id
    anti join (select row_hash from staging.rejected_rows where entity = 'campaigns') as rejected on rejected.row_hash = received.row_hash
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
select case when campaign_id_read.value is null then received.campaign_id else campaign_id_read.id end as campaign_id,
       name_read.text as name,
       channel_read.word as channel,
       case when parent_campaign_id_read.value is null then received.parent_campaign_id else parent_campaign_id_read.id end as parent_campaign_id,
       starts_on_read.day as starts_on,
       ends_on_read.day as ends_on,
       budget_read.amount as budget,
       cost_read.amount as cost,
       coalesce(currency_read.currency, cost_read.currency) as currency,
       status_read.word as status,
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
join raw.campaigns as received on received.rowid = latest.place
left join staging.parsed_ids as campaign_id_read on campaign_id_read.value = received.campaign_id
left join staging.parsed_texts as name_read on name_read.value = received.name
left join staging.parsed_words as channel_read on channel_read.vocabulary = 'channel' and channel_read.value = received.channel
left join staging.parsed_ids as parent_campaign_id_read on parent_campaign_id_read.value = received.parent_campaign_id
left join staging.parsed_times as starts_on_read on starts_on_read.value = received.starts_on
left join staging.parsed_times as ends_on_read on ends_on_read.value = received.ends_on
left join staging.parsed_amounts as budget_read on budget_read.value = received.budget
left join staging.parsed_amounts as cost_read on cost_read.value = received.cost
left join staging.parsed_currencies as currency_read on currency_read.value = received.currency
left join staging.parsed_words as status_read on status_read.vocabulary = 'word' and status_read.value = received.status
