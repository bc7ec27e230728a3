-- One row per part of a deal and basis: its share of the deal's amount, to the cent by largest remainder, ties by part.
-- On each axis the parts of a deal add up to its amount; what hangs on no deal is one part, under '(no deal)'.
-- grain: deal_id, axis, part, basis
-- column: deal_id | the deal, or '(no deal)'
-- column: axis | account or owner
-- column: part | part of the deal, as in core.deal_parts
-- column: basis | pipeline, signed, invoiced, cash
-- column: amount | in the workspace's currency; null where the deal's is not known
with sized as (
    select deal_id, parts.axis, parts.part, amounts.basis, amounts.amount, parts.weight, parts.whole_weight,
           (abs(amounts.amount)::decimal(28, 2) * 100)::hugeint as cents
    from core.deal_amounts as amounts
    join core.deal_parts as parts using (deal_id)
    where parts.is_split
),
rounded as (
    select *, cents * weight // whole_weight as whole, cents * weight % whole_weight as remainder from sized
),
split as (
    select deal_id, axis, part, basis, sign(amount) as sign,
           whole + (row_number() over largest_first
                    <= cents - sum(whole) over (partition by deal_id, axis, basis))::integer as cents
    from rounded
    window largest_first as (partition by deal_id, axis, basis order by remainder desc, part)
)
select deal_id, axis, part, basis, (sign * cents / 100::decimal(18, 2))::decimal(18, 2) as amount
from split
union all
select amounts.deal_id, axes.axis, 1, amounts.basis, amounts.amount
from core.deal_amounts as amounts
cross join (values ('account'), ('owner')) as axes(axis)
anti join core.deal_parts as parts
    on parts.deal_id = amounts.deal_id and parts.axis = axes.axis and parts.is_split
