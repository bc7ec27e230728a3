-- One row per step of the loop, segment and period in which it was completed: how many days it takes.
-- A median adds up to nothing, so each period and segment has its own row.
-- grain: step, dimension, member, period, starts_on
-- check: completed > 0
-- check: p25_days <= median_days and median_days <= p75_days
-- column: step | inquiry, mql, sal, sql, opportunity (days in the stage until the next one reached); inquiry_to_won; deal_won and deal_lost (opened to closed); order_to_cash (signed to paid in full)
-- column: dimension | all, channel, region, industry, grade, team; of deals and orders the channel is that of their first touch
-- column: member | of that dimension; '(all)'
-- column: member_name | what it is called, in the workspace's language
-- column: period | all, quarter, month
-- column: starts_on | its first day, in the workspace's time zone; null for all
-- column: completed | how many completed the step then
-- column: median_days | half of them took no longer
-- column: p25_days | a quarter of them took no longer
-- column: p75_days | three quarters of them took no longer
-- column: p90_days | nine in ten took no longer
-- column: win_rate | deal_won, of deals won or lost in the period the share won; null elsewhere
-- column: mean_amount | deal_won and order_to_cash, mean amount, workspace currency; null elsewhere
-- column: amount_per_day | deal_won, sales velocity: deals won times mean amount over median days, that is deals decided times win rate times amount over days; null elsewhere
with account as (
    select account_id, coalesce(accounts.province, '(unknown)') as region,
           coalesce(accounts.industry_section, '(unknown)') as industry, coalesce(account_fit.grade, 'U') as grade
    from resolved.accounts
    left join resolved.account_fit using (account_id)
    where account_id in (select account_id from core.deals)
),
paid as (
    select order_id, arg_min(paid_on, (paid_on, payment_id)) filter (paid_so_far >= order_amount) as paid_on
    from marts.payments
    where not is_future
    group by order_id
),
first_channel as (
    select journey.deal_id, touches.channel
    from scored.deal_touches as journey
    join core.touches using (touch_id)
    where journey.position = 1
),
deal as (
    select deals.deal_id, deals.status, deals.created_at, deals.closed_at, deals.amount_base,
           coalesce(first_channel.channel, '(blank)') as channel, coalesce(account.region, '(unknown)') as region,
           coalesce(account.industry, '(unknown)') as industry, coalesce(account.grade, 'U') as grade,
           coalesce(owners.team, '(none)') as team
    from core.deals
    left join account using (account_id)
    left join first_channel using (deal_id)
    left join core.owners_today as owners on owners.owner_id = deals.owner_id
),
whole_way as (
    select lead_id, min(entered_at) filter (stage = 'inquiry') as began_at,
           min(entered_at) filter (stage = 'won') as won_at
    from scored.lead_stages
    where stage in ('inquiry', 'won')
    group by lead_id
),
step as (
    select stage as step, days, next_at as completed_at, null::decimal(18, 2) as amount_base, channel, region, industry,
           grade, team
    from marts.lead_steps
    join marts.lead_segments using (lead_id)
    where days is not null
    union all
    select 'inquiry_to_won', date_diff('second', began_at, won_at) / 86400.0, won_at, null, channel, region, industry,
           grade, team
    from whole_way
    join marts.lead_segments using (lead_id)
    where won_at >= began_at
    union all
    select 'deal_' || status, date_diff('second', created_at, closed_at) / 86400.0, closed_at, amount_base, channel,
           region, industry, grade, team
    from deal
    where status in ('won', 'lost') and closed_at >= created_at
    union all
    select 'order_to_cash', paid.paid_on - orders.signed_on,
           paid.paid_on::timestamp at time zone $timezone at time zone 'UTC',
           orders.amount_base, channel, region, industry, grade, team
    from core.orders
    join paid using (order_id)
    join deal using (deal_id)
    where paid.paid_on >= orders.signed_on
),
spread as (
    select step, days, amount_base,
           (completed_at at time zone 'UTC' at time zone $timezone)::date as completed_on,
           unnest([{dimension: 'all', member: '(all)'}, {dimension: 'channel', member: channel},
                   {dimension: 'region', member: region}, {dimension: 'industry', member: industry},
                   {dimension: 'grade', member: grade}, {dimension: 'team', member: team}], recursive := true)
    from step
),
timed as (
    select step, days, amount_base, dimension, member,
           unnest([{period: 'all', starts_on: null::date},
                   {period: 'quarter', starts_on: months.quarter_starts_on},
                   {period: 'month', starts_on: date_trunc('month', completed_on)::date}], recursive := true)
    from spread
    left join core.months on months.month = date_trunc('month', completed_on)::date
),
figure as (
    select step, dimension, member, period, starts_on, count(*) as completed, median(days) as median_days,
           quantile_cont(days, 0.25) as p25_days, quantile_cont(days, 0.75) as p75_days,
           quantile_cont(days, 0.9) as p90_days, sum(amount_base) as amount, count(amount_base) as amounts
    from timed
    group by all
)
select step, dimension, member, coalesce(names.name, member) as member_name, period, starts_on, completed, median_days,
       p25_days, p75_days, p90_days,
       case when step = 'deal_won'
            then completed / (completed + coalesce(sum(completed) filter (step = 'deal_lost') over same, 0))
       end as win_rate,
       case when step in ('deal_won', 'order_to_cash')
            then (amount / nullif(amounts, 0))::decimal(18, 2) end as mean_amount,
       case when step = 'deal_won'
            then (completed * (amount / nullif(amounts, 0)) / nullif(median_days, 0))::decimal(18, 2)
       end as amount_per_day
from figure
left join marts.member_names as names using (dimension, member)
window same as (partition by dimension, member, period, starts_on)
