-- One row per deal and day from the day it was known of: its state as it was known on that day, amounts at that day's rate.
-- Stored is only what changed (core.deal_changes); days are spread out when they are asked for, so ask for days:
-- `where snapshot_on = date '2026-09-30'`, or `where is_month_end`.
-- kind: view
-- published: view
-- grain: deal_id, snapshot_on
-- column: deal_id | the deal
-- column: snapshot_on | the day; what was known at its end
-- column: is_month_end | the last day of its month
-- column: account_id | its company
-- column: owner_id | its sales person on that day
-- column: stage | stage on that day; null where the history does not reach back
-- column: status | won, lost or open on that day
-- column: amount_base | its amount as known that day, workspace currency; a closed deal's at the rate of its closing day
-- column: probability | the CRM's own on that day, 0 to 1
-- column: age_days | whole days since it was opened
with state as (
    select days.day, days.is_month_end, changes.*,
           case when changes.status = 'open' then days.day else changes.happened_on end as rate_day
    from core.days
    join core.deal_changes as changes
        on days.day >= changes.known_on and days.day <= coalesce(changes.known_until, date '9999-12-31')
)
select state.deal_id, state.day as snapshot_on, state.is_month_end, deals.account_id, state.owner_id, state.stage,
       state.status,
       case when state.is_foreign then round(state.amount * rates.rate, 2) else state.amount end::decimal(18, 2)
           as amount_base,
       state.probability, state.day - state.opened_on as age_days
from state
left join core.deals using (deal_id)
asof left join core.fx_rates as rates on state.currency = rates.currency and state.rate_day >= rates.valid_on
