-- One row per amount that hangs on nothing: it is in every total, under '(no deal)' or '(unattributed)', until it is settled.
-- grain: entity, id
-- column: entity | deal, order, invoice, payment or cost
-- column: id | which one
-- column: issue | no account, no deal, unknown deal, no order, unknown order, order without deal, no campaign
-- column: basis | pipeline, signed, invoiced, cash, or cost
-- column: named | what it names and nothing knows
-- column: day | day of closing, signing, issue, payment or spending
-- column: amount | in `currency`
-- column: currency | ISO code
-- column: amount_base | workspace currency; null where no rate is known
-- column: row_id | source and source key of the record
with hanging as (
    select 'deal' as entity, deal_id as id, 'no account' as issue, 'pipeline' as basis, null as named,
           (closed_at at time zone 'UTC' at time zone $timezone)::date as day, amount, currency, amount_base, row_id
    from core.deals
    where party_id is null and status <> 'lost'
    union all
    select 'order', order_id, case when deal_id_given is null then 'no deal' else 'unknown deal' end, 'signed',
           deal_id_given, signed_on, amount, currency, amount_base, row_id
    from core.orders
    where deal_id is null
    union all
    select 'invoice', invoices.invoice_id,
           case when invoices.order_id is null then 'no order'
                when orders.order_id is null then 'unknown order'
                else 'order without deal' end,
           'invoiced', coalesce(orders.deal_id_given, invoices.order_id), invoices.issued_on, invoices.amount,
           invoices.currency, invoices.amount_base, invoices.row_id
    from core.invoices
    left join core.orders on orders.order_id = invoices.order_id
    where invoices.deal_id is null
    union all
    select 'payment', payments.payment_id,
           case when payments.order_id is null then 'no order'
                when orders.order_id is null then 'unknown order'
                else 'order without deal' end,
           'cash', coalesce(orders.deal_id_given, payments.order_id), payments.paid_on, payments.amount,
           payments.currency, payments.amount_base, payments.row_id
    from core.payments
    left join core.orders on orders.order_id = payments.order_id
    where payments.deal_id is null
    union all
    select 'cost', costs.cost_id, 'unknown deal', 'cost', costs.deal_id, costs.spent_on, costs.amount, costs.currency,
           costs.amount_base, costs.cost_id
    from core.campaign_costs as costs
    anti join core.deals using (deal_id)
    where costs.campaign_id is null and costs.deal_id is not null
)
select entity, id, issue, basis, named, day, amount, currency, amount_base, row_id
from hanging
