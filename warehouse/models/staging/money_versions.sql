-- One row per version of a deal, an order, an invoice, a payment or a cost that was told more than once, by landing day.
-- Of several versions of one day the last counts, as everywhere. What was told once only has no row here.
-- grain: entity, row_id, landed_on
-- published: no
-- column: entity | deals, orders, invoices, payments, costs, or campaigns (their stated cost, else their budget)
-- column: row_id | source and source key: names the record
-- column: landed_on | the day this version was landed
-- column: parent_id | what it hangs on, as given: an order's deal, an invoice's and payment's order, a cost's campaign or deal
-- column: stage | a deal's stage
-- column: day | day of closing, signing, issue, payment or spending
-- column: amount | amount; null where unknown
-- column: currency | ISO code; null where none is given
-- column: is_gone | deleted, voided or archived over there since that day: it counts no more
with amended as (
    select 'deals' as entity, row_id from staging.deals where versions > 1
    union all
    select 'orders' as entity, row_id from staging.orders where versions > 1
    union all
    select 'invoices' as entity, row_id from staging.invoices where versions > 1
    union all
    select 'payments' as entity, row_id from staging.payments where versions > 1
    union all
    select 'costs' as entity, row_id from staging.costs where versions > 1
    union all
    select 'campaigns' as entity, row_id from staging.campaigns where versions > 1
),
received as (
    select 'deals' as entity, source, deal_id as given_id, null as parent, stage as stage, closed_at as day, amount, currency, is_deleted,
           landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.deals
    union all
    select 'orders' as entity, source, order_id as given_id, deal_id as parent, null as stage, signed_on as day, amount, currency, is_deleted,
           landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.orders
    union all
    select 'invoices' as entity, source, invoice_id as given_id, order_id as parent, null as stage, issued_on as day, amount, currency, is_deleted,
           landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.invoices
    union all
    select 'payments' as entity, source, payment_id as given_id, coalesce(order_id, deal_id) as parent, null as stage, paid_on as day, amount, currency, is_deleted,
           landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.payments
    union all
    select 'costs' as entity, source, cost_id as given_id, coalesce(campaign_id, deal_id) as parent, null as stage, spent_on as day, amount, currency, null,
           landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.costs
    union all
    select 'campaigns' as entity, source, campaign_id as given_id, null as parent, null as stage, starts_on as day,
           coalesce(cost, budget) as amount, currency, null, landed_on, source_date, sequence, row_hash, file_sha, record
    from raw.campaigns
),
kept as (
    select received.*,
           source || ':' || coalesce(case when ids.value is null then given_id else ids.id end, row_hash) as row_id
    from received
    left join staging.parsed_ids as ids on ids.value = given_id
    anti join staging.rejected_rows as rejected
        on rejected.entity = received.entity and rejected.row_hash = received.row_hash
),
version as (
    select kept.*
    from kept
    semi join amended using (entity, row_id)
    qualify row_number() over (
        partition by entity, row_id, landed_on
        order by source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
)
select version.entity, version.row_id, version.landed_on,
       case when parents.value is null then version.parent else parents.id end as parent_id,
       stages.text as stage,
       case when version.entity = 'deals' then (times.occurred_at at time zone 'UTC' at time zone $timezone)::date
            else times.day end as day,
       amounts.amount,
       coalesce(currencies.currency, amounts.currency) as currency,
       coalesce(flags.flag, false) as is_gone
from version
left join staging.parsed_ids as parents on parents.value = version.parent
left join staging.parsed_texts as stages on stages.value = version.stage
left join staging.parsed_times as times on times.value = version.day
left join staging.parsed_amounts as amounts on amounts.value = version.amount
left join staging.parsed_currencies as currencies on currencies.value = version.currency
left join staging.parsed_booleans as flags on flags.value = version.is_deleted
