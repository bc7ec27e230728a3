-- One row per deal and basis: the amount that its touches share.
-- Orders, invoices and payments of no known deal stand under '(no deal)', so that totals balance.
-- grain: deal_id, basis
-- check: basis in ('pipeline', 'signed', 'invoiced', 'cash')
-- column: deal_id | the deal, or '(no deal)'
-- column: basis | pipeline (open and won deals), signed (orders), invoiced, cash (payments less refunds)
-- column: amount | in the workspace's currency; null where it is not known
-- column: row_count | deals, orders, invoices or payments it is the sum of
-- column: is_deal_amount | signed without an order: the won deal's own amount stands in, as `attribution.yaml` says
with entry as (
    select deal_id, 'pipeline' as basis, amount_base as amount, false as is_deal_amount
    from core.deals
    where status in ('open', 'won')
    union all
    select deal_id, 'signed', amount_base, false from core.orders where not is_future
    union all
    select deal_id, 'signed', amount_base, true
    from core.deals
    where status = 'won'
      and deal_id not in (select deal_id from core.orders where deal_id is not null and not is_future)
      and (select case any_value(signed_without_orders)
                      when 'always' then true
                      when 'never' then false
                      else not exists (select 1 from core.orders) end
           from rules.attribution_settings)
    union all
    select deal_id, 'invoiced', amount_base, false from core.invoices where not is_future
    union all
    select deal_id, 'cash', amount_base, false from core.payments where not is_future
)
select coalesce(deal_id, '(no deal)') as deal_id, basis, sum(amount)::decimal(18, 2) as amount, count(*) as row_count,
       bool_or(is_deal_amount) as is_deal_amount
from entry
group by coalesce(deal_id, '(no deal)'), basis
