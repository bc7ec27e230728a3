-- One row per deal, source and day on which the source told something new of it: what the CRM said, as it was said.
-- grain: row_id, told_on
-- column: row_id | the row in staging.deals
-- column: told_on | the day this was landed; it holds until the deal's next row
-- column: stage | stage as given
-- column: amount | amount; null where unknown
-- column: currency | ISO code; null where none is given
-- column: owner_id | its owner
-- column: probability | 0 to 1
-- column: created_at | when it was opened, UTC
-- column: closed_at | when it was closed, or is expected to be, UTC
-- column: is_closed_by_day | only the day of closing is known; closed_at is its first instant
-- column: is_deleted | deleted, voided or archived over there since that day
with kept as (
    select received.source || ':' || coalesce(deal_id_read.id, received.deal_id) as row_id, received.landed_on, received.source_date,
           received.sequence, received.row_hash, received.file_sha, received.record, received.stage, received.amount,
           received.currency, received.owner_id, received.probability, received.created_at, received.closed_at,
           received.is_deleted
    from raw.deals as received
    left join staging.parsed_ids as deal_id_read on deal_id_read.value = received.deal_id
    anti join (select row_hash from staging.rejected_rows where entity = 'deals') as rejected
        on rejected.row_hash = received.row_hash
    where received.deal_id is not null
),
told as (
    select row_id, landed_on as told_on, stage, amount, currency, owner_id, probability, created_at, closed_at,
           is_deleted
    from kept
    qualify row_number() over (
        partition by row_id, landed_on
        order by source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
),
news as (
    select *
    from told
    qualify lag(row(stage, amount, currency, owner_id, probability, created_at, closed_at, is_deleted)) over (
        partition by row_id order by told_on
    ) is distinct from row(stage, amount, currency, owner_id, probability, created_at, closed_at, is_deleted)
)
select news.row_id, news.told_on,
       stage_read.text as stage,
       amount_read.amount,
       coalesce(currency_read.currency, amount_read.currency) as currency,
       case when owner_id_read.value is null then news.owner_id else owner_id_read.id end as owner_id,
       probability_read.share as probability,
       created_at_read.occurred_at as created_at,
       closed_at_read.occurred_at as closed_at,
       not closed_at_read.has_time as is_closed_by_day,
       coalesce(is_deleted_read.flag, false) as is_deleted
from news
left join staging.parsed_texts as stage_read on stage_read.value = news.stage
left join staging.parsed_amounts as amount_read on amount_read.value = news.amount
left join staging.parsed_currencies as currency_read on currency_read.value = news.currency
left join staging.parsed_ids as owner_id_read on owner_id_read.value = news.owner_id
left join staging.parsed_shares as probability_read on probability_read.value = news.probability
left join staging.parsed_times as created_at_read on created_at_read.value = news.created_at
left join staging.parsed_times as closed_at_read on closed_at_read.value = news.closed_at
left join staging.parsed_booleans as is_deleted_read on is_deleted_read.value = news.is_deleted
