-- One row per invoice.
-- grain: invoice_id
-- column: invoice_id | the invoice
-- column: order_id | the order as the source names it
-- column: deal_id | the order's deal; null where none is known
-- column: issued_on | day of issue
-- column: amount | in `currency`; negative for a credit note
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency; null where no rate is known on that day
-- column: is_future | issued after the run's day: shown, never counted
-- column: row_id | the row in staging.invoices
with told as (
    select * replace (upper(coalesce(currency, $currency)) as currency)
    from staging.invoices
    where invoice_id is not null
    qualify row_number() over (
        partition by invoice_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
invoices as (
    select * from told where is_deleted is not true
)
select invoices.invoice_id, invoices.order_id, orders.deal_id, invoices.issued_on,
       invoices.amount::decimal(18, 2) as amount, invoices.currency,
       case when invoices.currency = $currency then invoices.amount
            else round(invoices.amount::decimal(18, 2) * rates.rate, 2) end::decimal(18, 2) as amount_base,
       coalesce(invoices.issued_on > $as_of, false) as is_future,
       invoices.row_id
from invoices
left join core.orders on orders.order_id = invoices.order_id
asof left join core.fx_rates as rates
    on invoices.currency = rates.currency and coalesce(invoices.issued_on, $as_of) >= rates.valid_on
