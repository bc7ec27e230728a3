-- One row per payment or refund, with its order and deal and what the order has been paid by then.
-- grain: payment_id
-- column: payment_id | the payment
-- column: paid_on | day
-- column: amount_base | workspace currency; negative is a refund; null where no rate is known
-- column: amount | in `currency`
-- column: currency | ISO code
-- column: is_refund | money went back
-- column: is_future | after the run's day: not counted
-- column: order_id | the order as given
-- column: order_amount | the order's amount, workspace currency
-- column: paid_so_far | paid on the order up to and with this payment, refunds taken off
-- column: outstanding | order_amount less paid_so_far; negative is overpaid
-- column: deal_id | the deal; null: in suspense, counted under '(no deal)'
-- column: account_id | the deal's company
-- column: account_name | its name
-- column: issue | in suspense: no order, unknown order, order without deal, unknown deal, deleted deal; else overpaid, refund exceeds payments; null when all is well
with running as (
    select payments.*, orders.order_id as known_order_id, orders.amount_base as order_amount,
           sum(payments.amount_base) filter (not payments.is_future) over (
               partition by payments.order_id order by payments.paid_on, payments.payment_id
           ) as paid_so_far
    from core.payments
    left join core.orders using (order_id)
),
gone as (
    select deal_id from staging.deals union select old_deal_id from core.merged_deals
)
select running.payment_id, running.paid_on, running.amount_base, running.amount, running.currency,
       coalesce(running.amount < 0, false) as is_refund, running.is_future, running.order_id, running.order_amount,
       case when running.known_order_id is not null then running.paid_so_far end as paid_so_far,
       running.order_amount - running.paid_so_far as outstanding,
       running.deal_id, deals.account_id, accounts.name as account_name,
       -- The words of marts.suspense: a payment that names its deal needs no order.
       case when running.deal_id is null and running.known_order_id is not null then 'order without deal'
            when running.deal_id is null and running.order_id is not null then 'unknown order'
            when running.deal_id is null and running.deal_id_given in (select deal_id from gone where deal_id is not null)
                then 'deleted deal'
            when running.deal_id is null and running.deal_id_given is not null then 'unknown deal'
            when running.deal_id is null then 'no order'
            when running.known_order_id is null then null
            when running.paid_so_far < 0 then 'refund exceeds payments'
            when running.paid_so_far > running.order_amount then 'overpaid' end as issue
from running
left join core.deals on deals.deal_id = running.deal_id
left join resolved.accounts on accounts.account_id = deals.account_id
