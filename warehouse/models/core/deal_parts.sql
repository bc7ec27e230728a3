-- One row per deal, axis and part: the company or the sales person whose it is. A deal that is not split is one part.
-- grain: deal_id, axis, part
-- check: share > 0
-- column: deal_id | the deal
-- column: axis | account (whose touches earn it) or owner (who brought it in)
-- column: part | 1 to the number of its parts
-- column: party_id | axis account, the company, else what core.deals says; null where none is known
-- column: account_id | axis account, the company; null where none is known
-- column: owner_id | axis owner, the sales person; null where none is known
-- column: share | of the deal, 0 to 1
-- column: weight | the same as a whole number, of whole_weight
-- column: whole_weight | what the weights of the deal's parts come to
-- column: is_split | whether the deal is split on this axis
with part as (
    select splits.deal_id, splits.axis, splits.member_id, (splits.percent * 1000000)::hugeint as weight
    from core.deal_splits as splits
    semi join core.deals using (deal_id)
    where splits.known_until is null and splits.percent > 0
),
split as (
    select *, row_number() over (partition by deal_id, axis order by member_id nulls last) as part,
           sum(weight) over (partition by deal_id, axis)::hugeint as whole_weight
    from part
),
whole as (
    select deal_id, 'account' as axis, party_id, account_id, null as owner_id from core.deals
    union all
    select deal_id, 'owner', null, null, owner_id from core.deals
)
select deal_id, axis, part, case when axis = 'account' then member_id end as party_id,
       case when axis = 'account' then member_id end as account_id, case when axis = 'owner' then member_id end as owner_id,
       (weight / whole_weight)::double as share, weight, whole_weight, true as is_split
from split
union all
select deal_id, axis, 1, party_id, account_id, owner_id, 1, 1, 1, false
from whole
anti join part using (deal_id, axis)
