-- One row per sales person, month of winning and basis: what their deals came to, of a split deal their share.
-- Over sales people the amounts add up to those of all deals, to the cent; what hangs on no deal is nobody's.
-- grain: owner_id, month, basis
-- column: owner_id | sales person; null where a deal names none
-- column: owner_name | their name
-- column: team | their team
-- column: month | first day of the month in which the deals were won, in the workspace's time zone; null for open ones
-- column: basis | pipeline, signed, invoiced, cash
-- column: deals | deals, of split ones the share, summed
-- column: split_deals | of them, split with others
-- column: amount | in the workspace's currency; null where none is known
with part as (
    select parts.owner_id, amounts.basis, amounts.amount, parts.share, parts.share < 1 as is_split,
           case when deals.status = 'won'
                then date_trunc('month', deals.closed_at at time zone 'UTC' at time zone $timezone)::date end as month
    from core.part_amounts as amounts
    left join core.deal_parts as parts using (deal_id, axis, part)
    left join core.deals using (deal_id)
    where amounts.axis = 'owner'
)
select part.owner_id, any_value(owners.name) as owner_name, any_value(owners.team) as team, part.month, part.basis,
       -- In decimals, so that no order of adding shows.
       sum(part.share::decimal(28, 12))::double as deals, count(*) filter (part.is_split) as split_deals,
       sum(part.amount)::decimal(18, 2) as amount
from part
left join core.owners_today as owners on owners.owner_id = part.owner_id
group by part.owner_id, part.month, part.basis
