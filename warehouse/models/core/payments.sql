-- One row per payment received, or refund (negative).
-- grain: payment_id
-- column: payment_id | the payment
-- column: order_id | the order as the source names it
-- column: deal_id | the payment's own deal, else its order's; null where none is known
-- column: deal_id_given | the deal as the source names it
-- column: paid_on | day the money came or went
-- column: amount | in `currency`; negative is a refund
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency; null where no rate is known on that day
-- column: is_future | paid after the run's day: shown, never counted
-- column: row_id | the row in staging.payments
with told as (
    select * replace (upper(coalesce(currency, $currency)) as currency)
    from staging.payments
    where payment_id is not null
    qualify row_number() over (
        partition by payment_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
payments as (
    select * from told where is_deleted is not true
)
select payments.payment_id, payments.order_id, coalesce(deals.deal_id, orders.deal_id) as deal_id,
       payments.deal_id as deal_id_given, payments.paid_on,
       payments.amount::decimal(18, 2) as amount, payments.currency,
       case when payments.currency = $currency then payments.amount
            else round(payments.amount::decimal(18, 2) * rates.rate, 2) end::decimal(18, 2) as amount_base,
       coalesce(payments.paid_on > $as_of, false) as is_future,
       payments.row_id
from payments
left join core.orders on orders.order_id = payments.order_id
left join core.merged_deals on merged_deals.old_deal_id = payments.deal_id
left join core.deals on deals.deal_id = coalesce(merged_deals.deal_id, payments.deal_id)
asof left join core.fx_rates as rates
    on payments.currency = rates.currency and coalesce(payments.paid_on, $as_of) >= rates.valid_on
