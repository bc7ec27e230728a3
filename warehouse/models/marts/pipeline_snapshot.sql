-- One row per deal and day: its state at the end of each of the last twelve months and on the run's day.
-- grain: deal_id, snapshot_on
-- column: deal_id | the deal
-- column: snapshot_on | the day
-- column: account_id | its company
-- column: owner_id | its sales person today
-- column: stage | stage on that day by its history; today's on the run's day; null where the history does not reach back
-- column: status | won, lost or open on that day
-- column: amount_base | today's amount, workspace currency
-- column: age_days | whole days since it was opened
with day as (
    select $as_of as snapshot_on
    union
    select last_day(month_start::date) as snapshot_on
    from unnest(generate_series(date_trunc('month', $as_of) - interval 12 month,
                                date_trunc('month', $as_of) - interval 1 month, interval 1 month)) as t(month_start)
),
moment as (
    select snapshot_on,
           ((snapshot_on + 1)::timestamp at time zone $timezone at time zone 'UTC') as ends_at
    from day
),
entered as (
    select moment.snapshot_on, history.deal_id, arg_max(history.stage, (history.entered_at, history.stage)) as stage
    from moment
    join core.deal_stages as history on history.entered_at < moment.ends_at
    group by all
)
select deals.deal_id, moment.snapshot_on, deals.account_id, deals.owner_id,
       case when moment.snapshot_on = $as_of then deals.stage else entered.stage end as stage,
       case when deals.status <> 'open' and (deals.closed_at is null or deals.closed_at < moment.ends_at)
            then deals.status else 'open' end as status,
       deals.amount_base,
       datediff('day', coalesce(deals.created_at, deals.closed_at), moment.ends_at) as age_days
from core.deals
join moment on coalesce(deals.created_at, deals.closed_at) < moment.ends_at or moment.snapshot_on = $as_of
left join entered on entered.deal_id = deals.deal_id and entered.snapshot_on = moment.snapshot_on
