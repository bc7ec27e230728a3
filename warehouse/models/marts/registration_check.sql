-- One row per account that somebody holds, followed, or that is on a list: 报备查重. Who holds it, is it followed, may
-- another team take it, and why. An account that is not here is held by nobody and may be registered.
-- grain: account_id
-- check: may_be_taken is not null and rule is not null
-- check: may_be_taken or rule not in ('not_followed', 'pool', 'nobody')
-- column: account_id | the account
-- column: name | its name
-- column: uscc | its code
-- column: ultimate_parent_id | the top of its group
-- column: holder_id | who holds it; null where nobody does
-- column: holder_name | their name
-- column: team | their team
-- column: held_by | reserved list, open deal, customer, lead, target list
-- column: held_since | from which day
-- column: is_holder_active | whether the holder is still with us
-- column: pool_id | the pool its leads wait in, where nobody holds it
-- column: last_activity_on | last thing that sales did
-- column: last_touch_on | last touch of marketing
-- column: open_deals | deals not closed
-- column: is_followed | sales did something within the follow-up days
-- column: may_be_taken | whether another team may take it
-- column: rule | excluded, reserved, open_deal, customer, protected, followed; not_followed, holder_gone, pool, nobody
-- column: protected_until | last day on which it may not be taken; null without end, or where it may
-- column: reason | the rule with its evidence, in words
with valid as (
    select *
    from resolved.target_accounts
    where coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
holding as (
    select account_id, owner_id, 1 as preference, 'reserved list' as held_by, valid_from as since, valid_to as until,
           entry_id as evidence
    from valid
    where list = 'reserved' and owner_id is not null
    union all
    select account_id, owner_id, 2, 'open deal', (created_at at time zone 'UTC' at time zone $timezone)::date, null, deal_id
    from core.deals
    where status = 'open' and owner_id is not null and account_id is not null
    union all
    select account_id, owner_id, 3, 'customer', (closed_at at time zone 'UTC' at time zone $timezone)::date, null, deal_id
    from core.deals
    where status = 'won' and owner_id is not null and account_id is not null
      and account_id not in (select account_id from scored.customer_holders where pool_id is not null)
    union all
    select account_id, holder_id, 3, 'customer', (since at time zone 'UTC' at time zone $timezone)::date, null, 'claim'
    from scored.customer_holders
    where held_by = 'customer_claim'
    union all
    select leads.account_id, assignments.owner_id, 4, 'lead',
           (assignments.assigned_at at time zone 'UTC' at time zone $timezone)::date, null, leads.lead_id
    from scored.assignments
    join scored.leads using (lead_id)
    join scored.lead_stages using (lead_id)
    join rules.stages using (stage)
    where assignments.is_current and assignments.owner_id is not null and lead_stages.is_current and stages.is_open
      and coalesce(assignments.reclaim_at > $at, true) and leads.account_id is not null
    union all
    select account_id, owner_id, 5, 'target list', valid_from, valid_to, entry_id
    from valid
    where list = 'target' and owner_id is not null
),
holder as (
    select *
    from holding
    qualify row_number() over (
        partition by account_id order by preference, since desc nulls last, evidence, owner_id) = 1
),
pool as (
    select account_id, min(pool_id) as pool_id
    from (
        select leads.account_id, assignments.pool_id
        from scored.assignments
        join scored.leads using (lead_id)
        where assignments.is_current and assignments.owner_id is null and leads.account_id is not null
        union all
        select account_id, pool_id from scored.customer_holders where pool_id is not null
    )
    group by account_id
),
activity as (
    select account_id, max((occurred_at at time zone 'UTC' at time zone $timezone)::date) as last_on
    from core.activities
    where account_id is not null and occurred_at <= $at
    group by account_id
),
touch as (
    select account_id, max((occurred_at at time zone 'UTC' at time zone $timezone)::date) as last_on
    from core.touches
    where account_id is not null and not is_future
    group by account_id
),
deal as (
    select account_id, count(*) as deals, min(deal_id) as deal_id
    from core.deals
    where status = 'open' and account_id is not null
    group by account_id
),
marked as (
    select account_id, any_value(entry_id) filter (list = 'exclusion') as excluded_by,
           any_value(entry_id) filter (list = 'reserved') as reserved_by
    from (from valid order by entry_id)
    group by account_id
),
known as (
    select account_id from holder
    union select account_id from pool
    union select account_id from activity
    union select account_id from deal
    union select account_id from marked
),
state as (
    select account_id, holder.owner_id as holder_id, held_by, holder.since as held_since, holder.until, holder.evidence,
           pool.pool_id, activity.last_on as last_activity_on, touch.last_on as last_touch_on,
           coalesce(deal.deals, 0) as open_deals, deal.deal_id, excluded_by, reserved_by,
           coalesce(owners.is_active, false) as is_holder_active, owners.name as holder_name, owners.team,
           coalesce(activity.last_on + rules.follow_up_days >= $as_of, false) as is_followed,
           case when held_by = 'customer' then holder.since + rules.customer_days end as customer_until,
           holder.since + rules.protect_days as protected_until,
           activity.last_on + rules.follow_up_days as followed_until, rules.follow_up_days
    from known
    cross join rules.directory as rules
    left join holder using (account_id)
    left join pool using (account_id)
    left join activity using (account_id)
    left join touch using (account_id)
    left join deal using (account_id)
    left join marked using (account_id)
    left join core.owners_today as owners on owners.owner_id = holder.owner_id
),
ruled as (
    select *,
           case when excluded_by is not null then 'excluded'
                when reserved_by is not null then 'reserved'
                when open_deals > 0 then 'open_deal'
                when holder_id is null then case when pool_id is not null then 'pool' else 'nobody' end
                when not is_holder_active then 'holder_gone'
                when customer_until >= $as_of then 'customer'
                when protected_until >= $as_of then 'protected'
                when is_followed then 'followed'
                else 'not_followed'
           end as rule
    from state
)
select account_id, accounts.name, accounts.uscc, accounts.ultimate_parent_id, holder_id, holder_name, team, held_by,
       held_since, case when holder_id is not null then is_holder_active end as is_holder_active,
       case when holder_id is null then pool_id end as pool_id, last_activity_on, last_touch_on, open_deals, is_followed,
       rule in ('holder_gone', 'pool', 'nobody', 'not_followed') as may_be_taken,
       rule,
       case rule when 'reserved' then until
                 when 'customer' then greatest(customer_until, protected_until, followed_until)
                 when 'protected' then greatest(protected_until, followed_until)
                 when 'followed' then followed_until
       end as protected_until,
       case rule when 'excluded' then 'on the exclusion list (' || excluded_by || ')'
                 when 'reserved' then 'reserved (' || reserved_by || ')'
                 when 'open_deal' then 'open deal ' || deal_id
                 when 'customer' then 'customer, deal ' || evidence || ' won ' || held_since
                 when 'protected' then 'held since ' || held_since || ' (' || held_by || ' ' || evidence || ')'
                 when 'followed' then 'followed up on ' || last_activity_on
                 when 'not_followed'
                     then coalesce('last followed up on ' || last_activity_on, 'never followed up')
                          || ', followed means within ' || follow_up_days || ' days'
                 when 'holder_gone' then 'held by ' || holder_id || ', who is no longer active'
                 when 'pool' then 'waits in pool ' || pool_id
                 else 'nobody holds it' end as reason
from ruled
join resolved.accounts using (account_id)
