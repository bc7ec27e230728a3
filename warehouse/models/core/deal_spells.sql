-- One row per stretch of days in which a deal stood open in one stage, and how it ended.
-- The stretch of a deal that was deleted or merged away ends when that was known. A closing told anew, with another outcome or amount, has a row of its own.
-- grain: deal_id, told_on
-- check: ends_on is null or ends_on >= begins_on
-- check: outcome in (-1, 0, 1)
-- published: no
-- column: deal_id | the deal
-- column: opened_on | the day the deal was opened
-- column: begins_on | first day of the stretch
-- column: told_on | the day on which that was known
-- column: ends_on | last day of the stretch; null while it lasts
-- column: ended_told_on | the day on which its end was known
-- column: outcome | 1 won, -1 lost, 0 another stage or still open
-- column: undone_on | the day on which the outcome was known not to stand: reopened, or told with another amount
-- column: stage | the stage
-- column: owner_id | sales person then
-- column: probability | the CRM's own, 0 to 1
-- column: amount_base | while it lasted; workspace currency, at the rate of its first day
-- column: closing_amount_base | for which it was closed, as told then, at the rate of the closing day; null if it was not
with change as (
    select *, case status when 'won' then 1 when 'lost' then -1 else 0 end as outcome,
           case when status = 'open' then known_on else happened_on end as rate_day,
           case when bool_and(known_until is not null) over deal_life then max(known_until) over deal_life + 1 end as gone_on
    from core.deal_changes
    window deal as (partition by deal_id order by known_on), deal_life as (partition by deal_id)
    -- Of a closed deal only another outcome or amount is news.
    qualify lag(status) over deal is null or status = 'open' or status <> lag(status) over deal
            or amount is distinct from lag(amount) over deal
),
valued as (
    select change.*,
           case when is_foreign then round(amount * rates.rate, 2) else amount end::decimal(18, 2) as amount_base
    from change
    asof left join core.fx_rates as rates on change.currency = rates.currency and change.rate_day >= rates.valid_on
),
next as (
    select *, lag(outcome) over deal as former, lead(known_on) over deal as next_known_on,
           lead(happened_on) over deal as next_happened_on, lead(outcome) over deal as next_outcome,
           lead(amount_base) over deal as next_amount, lead(known_on, 2) over deal as after_known_on
    from valued
    window deal as (partition by deal_id order by known_on)
)
select deal_id, least(opened_on, happened_on) as opened_on, happened_on as begins_on, known_on as told_on,
       case when next_known_on is not null then greatest(next_happened_on, happened_on)
            when gone_on is not null then greatest(gone_on, happened_on) end as ends_on,
       coalesce(next_known_on, gone_on) as ended_told_on,
       coalesce(next_outcome, 0) as outcome,
       case when next_outcome <> 0 then after_known_on end as undone_on,
       stage, owner_id, probability, amount_base,
       case when next_outcome <> 0 then next_amount end as closing_amount_base
from next
where outcome = 0
union all
select deal_id, least(opened_on, happened_on),
       -- Known only as closed: its whole life was told at once.
       case when former is null then least(opened_on, happened_on) else happened_on end,
       known_on, happened_on, known_on, outcome, coalesce(next_known_on, gone_on),
       stage, owner_id, probability, amount_base, amount_base
from next
where outcome <> 0 and coalesce(former, 1) <> 0
