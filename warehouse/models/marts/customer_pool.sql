-- One row per customer in the customer pool (客户公海), for sales to claim, or about to fall into it, for its holder to act.
-- grain: account_id
-- column: account_id | the customer
-- column: name | its name
-- column: state | in_pool or warned
-- column: pool_id | the pool it waits in; null while held
-- column: holder_id | who holds it; null in the pool
-- column: holder_name | their name
-- column: due_on | last day on which the holder has it unless they act
-- column: timer | no_follow_up or no_deal
-- column: left_by | who had it before it fell into the pool
-- column: left_at | when that was, UTC
-- column: last_follow_up_at | last thing its holder did there, UTC
-- column: last_deal_at | last deal opened or won there, UTC
select account_id, accounts.name, case when pool_id is not null then 'in_pool' else 'warned' end as state, pool_id, holder_id,
       owners.name as holder_name, due_on, timer, left_by, left_at, last_follow_up_at, last_deal_at
from scored.customer_holders
left join resolved.accounts using (account_id)
left join core.owners_today as owners on owners.owner_id = holder_id
where pool_id is not null or warn_on <= $as_of
