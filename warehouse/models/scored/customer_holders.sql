-- One row per customer: who holds it, until when unless they act, or the customer pool (客户公海) it fell into. A customer is
-- held by who won its last deal, or who claimed it since. Under `customer_pool` in routing.yaml it falls into the pool at the
-- end of the day, without follow-up by its holder or without a deal for so many days; not while a deal is open.
-- grain: account_id
-- check: (holder_id is null) = (pool_id is not null)
-- check: holder_id is null or held_by is not null
-- column: account_id | the customer
-- column: holder_id | who holds it; null in the pool
-- column: held_by | customer (won its last deal) or customer_claim
-- column: evidence | the deal, or the account claimed
-- column: since | since when, UTC
-- column: last_follow_up_at | last thing the holder did there, UTC
-- column: last_deal_at | last deal opened or won there, UTC
-- column: due_on | last day on which the holder has it unless they act; null where no pool is set up, a deal is open, or sales activities are not known
-- column: timer | no_follow_up or no_deal
-- column: warn_on | day from which the holder is warned
-- column: is_due | whether that day is over
-- column: pool_id | the pool it waits in; null while held
-- column: left_by | who had it before it fell into the pool
-- column: left_at | when that was, UTC
with won as (
    select account_id, owner_id, 'customer' as held_by, deal_id as evidence, closed_at as since
    from core.deals
    where status = 'won' and owner_id is not null and account_id is not null and closed_at <= $at
    qualify row_number() over (partition by account_id order by closed_at desc, deal_id) = 1
),
candidate as (
    select * from won
    union all
    select account_id, owner_id, 'customer_claim', account_id, assigned_at
    from scored.customer_log
    where is_current and owner_id is not null
),
latest as (
    select * from candidate
    qualify row_number() over (partition by account_id order by since desc, held_by desc, owner_id) = 1
),
fallen as (
    select account_id, pool_id, assigned_at as left_at, details ->> 'from' as left_by
    from scored.customer_log
    where is_current and owner_id is null
),
followed as (
    select latest.account_id, max(activities.occurred_at) as last_follow_up_at
    from latest
    join core.activities on activities.account_id = latest.account_id and activities.owner_id = latest.owner_id
    where activities.occurred_at between latest.since and $at
    group by all
),
dealt as (
    select account_id, max(greatest(created_at, case when status = 'won' then closed_at end)) as last_deal_at,
           bool_or(status = 'open') as is_open
    from core.deals
    where account_id is not null and created_at <= $at
    group by all
),
day as (
    select latest.account_id, latest.owner_id, held_by, evidence, since, last_follow_up_at, last_deal_at,
           coalesce(is_open, false) as is_open, pool_id, left_at, left_by,
           coalesce(left_at >= since, false) as is_in_pool,
           (since at time zone 'UTC' at time zone $timezone)::date as since_on,
           (greatest(since, last_follow_up_at) at time zone 'UTC' at time zone $timezone)::date as followed_on,
           (greatest(since, last_deal_at) at time zone 'UTC' at time zone $timezone)::date as dealt_on
    from latest
    left join fallen using (account_id)
    left join followed using (account_id)
    left join dealt using (account_id)
),
timed as (
    select day.*, rules.warn_days,
           case when not is_in_pool and not is_open and exists (from core.activities)
               then greatest(least(followed_on + rules.follow_up_days, dealt_on + rules.deal_days), since_on + rules.protect_days)
           end as due_on,
           coalesce(dealt_on + rules.deal_days < followed_on + rules.follow_up_days, false) as is_by_deal
    from day
    left join rules.customer_pool as rules on true
)
select account_id,
       case when not is_in_pool then owner_id end as holder_id,
       case when not is_in_pool then held_by end as held_by,
       case when not is_in_pool then evidence end as evidence,
       case when not is_in_pool then since end as since,
       last_follow_up_at, last_deal_at, due_on,
       case when due_on is not null then case when is_by_deal then 'no_deal' else 'no_follow_up' end end as timer,
       due_on - warn_days as warn_on,
       coalesce((due_on + 1)::timestamp at time zone $timezone at time zone 'UTC' <= $at + interval 1 second, false) as is_due,
       case when is_in_pool then pool_id end as pool_id,
       case when is_in_pool then left_by end as left_by,
       case when is_in_pool then left_at end as left_at
from timed
