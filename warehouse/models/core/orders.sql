-- One row per signed order or contract.
-- grain: order_id
-- column: order_id | the order
-- column: deal_id | the deal it came from; null where none is given or none of that name is known
-- column: deal_id_given | the deal as the source names it
-- column: account_id | the deal's company
-- column: signed_on | day of signing
-- column: amount | in `currency`; negative for a credit
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency; null where no rate is known on that day
-- column: term_starts_on | first day of the term
-- column: term_ends_on | last day of the term
-- column: is_future | signed after the run's day: shown, never counted
-- column: row_id | the row in staging.orders
with told as (
    select * replace (upper(coalesce(currency, $currency)) as currency)
    from staging.orders
    where order_id is not null
    qualify row_number() over (
        partition by order_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
orders as (
    select * from told where is_deleted is not true
)
select orders.order_id, deals.deal_id, orders.deal_id as deal_id_given, deals.account_id, orders.signed_on,
       orders.amount::decimal(18, 2) as amount, orders.currency,
       case when orders.currency = $currency then orders.amount
            else round(orders.amount::decimal(18, 2) * rates.rate, 2) end::decimal(18, 2) as amount_base,
       orders.term_starts_on, orders.term_ends_on,
       coalesce(orders.signed_on > $as_of, false) as is_future,
       orders.row_id
from orders
left join core.merged_deals on merged_deals.old_deal_id = orders.deal_id
left join core.deals on deals.deal_id = coalesce(merged_deals.deal_id, orders.deal_id)
asof left join core.fx_rates as rates
    on orders.currency = rates.currency and coalesce(orders.signed_on, $as_of) >= rates.valid_on
