-- One row per order whose term ends: is it renewed (已续), by how much, and do finance and business count it alike.
-- Finance counts amounts: what of the amount due (应续) new orders of the account keep, with what they add or lose.
-- Business counts accounts: an account is due once in a month, and renewed by any new order. A new order renews where it
-- is signed at most `renewal_grace_days` after the end and its own term follows (without a term, where it is signed
-- within as many days before the end, or its deal is a renewal); one of an expansion deal renews nothing. Its amount
-- fills what is due, first what ended first, and what is left over is expansion of the last: no amount counts twice.
-- grain: order_id
-- check: retained_amount + contraction_amount + churn_amount + open_amount = due_amount
-- check: status in ('renewed', 'partly', 'lost', 'open', 'to_come', 'unknown')
-- check: business_renewed <= business_due
-- column: order_id | the order that ends
-- column: month | first day of the month in which its term ends
-- column: account_id | its company; null where none is known
-- column: account_name | the company's name
-- column: party_id | the company, else the new account or person of its deal; null where the order has no known deal
-- column: owner_id | sales person of its deal
-- column: term_starts_on | first day of the term, else the day of signing
-- column: term_ends_on | last day of the term
-- column: grace_ends_on | last day on which a new order renews it
-- column: due_amount | finance: amount due for renewal, workspace currency; null where not known
-- column: renewed_amount | finance: retained_amount + expansion_amount
-- column: retained_amount | of the due amount, what new orders keep
-- column: expansion_amount | what new orders add to all that they renew
-- column: contraction_amount | of the due amount, what a renewal lost
-- column: churn_amount | of the due amount, what nothing renewed in time
-- column: open_amount | of the due amount, what may still be renewed
-- column: renewed_by | the new orders
-- column: renewed_on | day of signing of the first of them
-- column: next_starts_on | first day of the term that follows
-- column: status | renewed (in full), partly, lost, open (ended, within the grace), to_come (not ended yet), unknown (renewed, but an amount is not known)
-- column: business_due | 1 on one row per account and month, 0 on its others and where no account is known
-- column: business_renewed | 1 where business_due is 1 and any of the account's orders of the month is renewed
-- column: difference | why the two do not say the same: no_account, amount_unknown, other_order (only another order of the account was renewed), counted_once (the account is counted on another row), partly, more (expansion); null where they do
with known as (
    select orders.order_id, coalesce(orders.account_id, deals.party_id) as party_id, orders.account_id, deals.owner_id,
           coalesce(deals.type = 'renewal', false) as is_renewal,
           coalesce(deals.type = 'expansion', false) as is_expansion,
           orders.signed_on, orders.term_starts_on, orders.term_ends_on, orders.amount_base as amount
    from core.orders
    left join core.deals using (deal_id)
    where not orders.is_future and coalesce(orders.amount_base, orders.amount, 1) > 0
),
setting as (
    select coalesce(any_value(renewal_grace_days), 60) as grace from rules.attribution_settings
),
due as (
    select *, term_ends_on + grace as grace_ends_on from known cross join setting where term_ends_on is not null
),
follows as (
    select due.order_id, due.term_ends_on, fresh.order_id as new_id, fresh.signed_on, fresh.amount,
           coalesce(fresh.term_starts_on, greatest(fresh.signed_on, due.term_ends_on + 1)) as next_starts_on
    from due
    join known as fresh on fresh.party_id = due.party_id and fresh.order_id <> due.order_id
    where fresh.signed_on <= due.grace_ends_on and not fresh.is_expansion
      and case when fresh.term_starts_on is not null
               then fresh.term_starts_on >= due.term_ends_on - grace
                    and fresh.term_starts_on > coalesce(due.term_starts_on, due.signed_on)
                    and coalesce(fresh.term_ends_on > due.term_ends_on, true)
               else fresh.signed_on > due.signed_on
                    and (fresh.is_renewal or fresh.signed_on >= due.term_ends_on - grace)
          end
),
-- Each new order belongs to the last of the terms it may follow …
home as (
    select *
    from follows
    qualify row_number() over (partition by new_id order by term_ends_on desc, order_id) = 1
),
-- … and a term that none belongs to shares in the first that may follow it: one new order for several old ones.
grouped as (
    select order_id, order_id as home_id from home group by order_id
    union all
    select follows.order_id, arg_min(home.order_id, (follows.signed_on, follows.new_id)) as home_id
    from follows
    join home using (new_id)
    where follows.order_id not in (select order_id from home)
    group by follows.order_id
),
pot as (
    select order_id as home_id, list(new_id order by signed_on, new_id) as renewed_by, min(signed_on) as renewed_on,
           min(next_starts_on) as next_starts_on,
           case when count(amount) = count(*) then sum(amount) end as amount
    from home
    group by order_id
),
filled as (
    select due.*, grouped.home_id, pot.renewed_by, pot.renewed_on, pot.next_starts_on, pot.amount as pot,
           coalesce(bool_or(due.amount is null) over of_pot, false) or pot.amount is null as is_unknown,
           coalesce(sum(due.amount) over (of_pot order by due.term_ends_on, due.order_id
                                          rows between unbounded preceding and 1 preceding), 0) as due_before,
           sum(due.amount) over of_pot as due_of_pot
    from due
    left join grouped using (order_id)
    left join pot using (home_id)
    window of_pot as (partition by grouped.home_id)
),
judged as (
    select *,
           case when home_id is null then case when term_ends_on >= $as_of then 'to_come'
                                               when grace_ends_on >= $as_of then 'open'
                                               else 'lost' end
                when is_unknown then 'unknown'
                when pot - due_before >= amount then 'renewed'
                else 'partly' end as status,
           case when home_id is null then 0
                when not is_unknown then greatest(least(amount, pot - due_before), 0) end as retained,
           case when home_id is null then 0
                when not is_unknown then case when order_id = home_id then greatest(pot - due_of_pot, 0) else 0 end
           end as expansion,
           date_trunc('month', term_ends_on)::date as month,
           home_id is not null as is_renewed
    from filled
),
counted as (
    select *, bool_or(is_renewed) over account_month as is_account_renewed,
           (row_number() over (account_month order by term_ends_on, order_id) = 1 and party_id is not null)::integer
               as business_due
    from judged
    window account_month as (partition by party_id, month)
)
select counted.order_id, counted.month, counted.account_id, accounts.name as account_name, counted.party_id,
       counted.owner_id, coalesce(counted.term_starts_on, counted.signed_on) as term_starts_on, counted.term_ends_on,
       counted.grace_ends_on,
       counted.amount as due_amount,
       (retained + expansion)::decimal(18, 2) as renewed_amount,
       retained::decimal(18, 2) as retained_amount,
       expansion::decimal(18, 2) as expansion_amount,
       case when counted.status = 'partly' then amount - retained
            when counted.status <> 'unknown' then 0 end::decimal(18, 2) as contraction_amount,
       case when counted.status = 'lost' then amount
            when counted.status <> 'unknown' then 0 end::decimal(18, 2) as churn_amount,
       case when counted.status in ('open', 'to_come') then amount
            when counted.status <> 'unknown' then 0 end::decimal(18, 2) as open_amount,
       coalesce(renewed_by, []) as renewed_by, renewed_on, next_starts_on, counted.status, business_due,
       case when business_due = 1 and is_account_renewed then 1 else 0 end as business_renewed,
       case when party_id is null then 'no_account'
            when counted.status = 'unknown' or amount is null then 'amount_unknown'
            when not is_renewed and is_account_renewed then 'other_order'
            when business_due = 0 then 'counted_once'
            when counted.status = 'partly' then 'partly'
            when expansion > 0 then 'more' end as difference
from counted
left join resolved.accounts on accounts.account_id = counted.account_id
