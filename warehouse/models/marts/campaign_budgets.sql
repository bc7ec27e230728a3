-- One row per campaign with a budget or a cost: what was planned, what was spent, and the difference as of the run's day.
-- grain: campaign_id
-- column: campaign_id | campaign
-- column: name | its name
-- column: channel | its channel
-- column: parent_campaign_id | campaign it belongs to
-- column: starts_on | first day
-- column: ends_on | last day
-- column: currency | of its budget
-- column: budget | planned for all its days, in `currency`; null without a plan
-- column: budget_base | in the workspace's currency, at the rate of its first day; null where no rate is known
-- column: planned_so_far | the part of budget_base that falls on its days up to the run's day, spread evenly
-- column: actual | spent up to the run's day, workspace currency; null where no actual cost is known
-- column: shared | of that, its parts of costs of several campaigns
-- column: cost_days | days on which something was spent
-- column: last_spent_on | the last of them
-- column: difference | actual less planned_so_far; positive is over the plan
-- column: used_share | actual / budget_base
-- column: is_over | more was spent than the whole budget
with spent as (
    select campaign_id, sum(amount_base) as actual, sum(amount_base) filter (is_shared) as shared,
           count(distinct spent_on) as cost_days, max(spent_on) as last_spent_on
    from core.campaign_costs
    where campaign_id is not null and not is_budget and coalesce(spent_on, $as_of) <= $as_of
    group by all
),
planned as (
    select campaigns.campaign_id, campaigns.name, campaigns.channel, campaigns.parent_campaign_id, campaigns.starts_on,
           campaigns.ends_on, campaigns.currency, campaigns.budget,
           case when campaigns.currency = $currency then campaigns.budget
                else round(campaigns.budget * rates.rate, 2) end::decimal(18, 2) as budget_base,
           greatest(campaigns.ends_on - campaigns.starts_on + 1, 1) as days,
           greatest($as_of - campaigns.starts_on + 1, 0) as days_so_far
    from (
        select *, coalesce(starts_on, ends_on, $as_of) as rate_day from core.campaigns
    ) as campaigns
    asof left join core.fx_rates as rates
        on campaigns.currency = rates.currency and campaigns.rate_day >= rates.valid_on
),
figures as (
    select planned.*,
           case when starts_on is null or days_so_far >= days or ends_on is null and days_so_far > 0 then budget_base
                else round(budget_base::decimal(28, 2) * days_so_far / days, 2) end::decimal(18, 2) as planned_so_far,
           spent.actual, spent.shared, coalesce(spent.cost_days, 0) as cost_days, spent.last_spent_on
    from planned
    left join spent using (campaign_id)
    where planned.budget is not null or spent.actual is not null
)
select campaign_id, name, channel, parent_campaign_id, starts_on, ends_on, currency, budget, budget_base, planned_so_far,
       actual, shared, cost_days, last_spent_on,
       case when budget is not null then (coalesce(actual, 0) - planned_so_far)::decimal(18, 2) end as difference,
       (actual / nullif(budget_base, 0))::double as used_share,
       coalesce(actual > budget_base, false) as is_over
from figures
