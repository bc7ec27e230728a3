-- One row per amount that could not be converted: no rate of its currency was valid on its day. It is in no total.
-- grain: entity, id
-- column: entity | deal, order, invoice, payment or cost
-- column: id | which one
-- column: currency | currency without a rate
-- column: day | day on which a rate was wanted, of a cost of several days the first
-- column: amount | in that currency
select 'deal' as entity, deal_id as id, currency,
       case when status = 'open' then $as_of
            else coalesce((closed_at at time zone 'UTC' at time zone $timezone)::date, $as_of) end as day, amount
from core.deals
where amount is not null and amount_base is null
union all
select 'order', order_id, currency, coalesce(signed_on, $as_of), amount
from core.orders
where amount is not null and amount_base is null
union all
select 'invoice', invoice_id, currency, coalesce(issued_on, $as_of), amount
from core.invoices
where amount is not null and amount_base is null
union all
select 'payment', payment_id, currency, coalesce(paid_on, $as_of), amount
from core.payments
where amount is not null and amount_base is null
union all
select 'cost', cost_id, currency, min(coalesce(spent_on, $as_of)), sum(amount)::decimal(18, 2)
from core.campaign_costs
where amount is not null and amount_base is null
group by all
