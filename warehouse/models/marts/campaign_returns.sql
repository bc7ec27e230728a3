-- One row per segment, period, model and basis: what campaigns earned and cost, by the date of the touches and by the
-- date on which the deals closed. Amounts and deals of a dimension's members add up to all that was credited.
-- kind: view
-- published: view
-- grain: dimension, member, period, starts_on, model, basis
-- column: dimension | campaign, parent_campaign, channel, touch_type, region, industry, grade, team
-- column: member | of that dimension; '(unattributed)' for amounts that no touch earned; team is that of the deal's sales person
-- column: period | all, quarter or month
-- column: starts_on | its first day, in the workspace's time zone; null for all
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: is_influence | an influence figure: not to be summed, no ROI
-- column: cost | spent on campaigns in the period, workspace currency (marts.segment_costs); null where none
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: deal_cost | people and travel spent on deals in the period, by the member's share in them
-- column: full_cost | cost + deal_cost; null without own cost
-- column: amount_by_touch_date | credits of touches in the period, whenever their deal closed; all: every credit
-- column: deals_by_touch_date | shares of deals of these touches
-- column: roi_by_touch_date | (amount_by_touch_date - full_cost) / full_cost; null without cost or known amount, -1 with cost and no deal
-- column: amount_by_close_date | credits of deals won in the period, whenever they were touched; all: every credit
-- column: deals_by_close_date | shares of these deals
-- column: roi_by_close_date | (amount_by_close_date - full_cost) / full_cost, likewise
-- column: roas_by_touch_date | amount_by_touch_date / full_cost
-- column: roas_by_close_date | amount_by_close_date / full_cost
with deal as (
    select deals.deal_id,
           case when deals.status = 'won'
                then date_trunc('month', deals.closed_at at time zone 'UTC' at time zone workspace.timezone)::date
                end as close_month,
           account.province as region, account.industry_section as industry, account.grade,
           coalesce(owners.team, account.team) as team
    from core.deals
    cross join marts.workspace
    left join marts.account_360 as account on account.account_id = deals.account_id
    left join core.owners_today as owners on owners.owner_id = deals.owner_id
),
credit as not materialized (
    select credits.deal_id, credits.model, credits.basis, credits.credit, credits.weight, deal.close_month,
           date_trunc('month', touches.occurred_at at time zone 'UTC' at time zone workspace.timezone)::date
               as touch_month,
           credits.campaign_id as campaign,
           coalesce(campaigns.parent_campaign_id, credits.campaign_id) as parent_campaign,
           case when credits.touch_id is null then '(unattributed)' else coalesce(credits.channel, '(unknown)') end
               as channel,
           case when credits.touch_id is null then '(unattributed)' else coalesce(touches.type, '(unknown)') end
               as touch_type,
           coalesce(deal.region, '(unknown)') as region, coalesce(deal.industry, '(unknown)') as industry,
           coalesce(deal.grade, 'U') as grade, coalesce(deal.team, '(none)') as team
    from scored.credits
    cross join marts.workspace
    left join deal on deal.deal_id = credits.deal_id
    left join core.touches on touches.touch_id = credits.touch_id
    left join core.campaigns on campaigns.campaign_id = credits.campaign_id
),
segment as not materialized (
    select 'campaign' as dimension, campaign as member, deal_id, model, basis, credit, weight, touch_month, close_month
    from credit
    union all
    select 'parent_campaign', parent_campaign, deal_id, model, basis, credit, weight, touch_month, close_month
    from credit
    union all
    select 'channel', channel, deal_id, model, basis, credit, weight, touch_month, close_month from credit
    union all
    select 'touch_type', touch_type, deal_id, model, basis, credit, weight, touch_month, close_month from credit
    union all
    select 'region', region, deal_id, model, basis, credit, weight, touch_month, close_month from credit
    union all
    select 'industry', industry, deal_id, model, basis, credit, weight, touch_month, close_month from credit
    union all
    select 'grade', grade, deal_id, model, basis, credit, weight, touch_month, close_month from credit
    union all
    select 'team', team, deal_id, model, basis, credit, weight, touch_month, close_month from credit
),
earned as not materialized (
    -- Doubles are summed as decimals: their sum does not hang on their order.
    select dimension, member, model, basis, touch_month, close_month, sum(credit) as amount,
           sum(weight::decimal(28, 12)) as deals
    from segment
    group by all
),
deal_spent as (
    select costs.deal_id, date_trunc('month', costs.spent_on)::date as month, sum(costs.amount_base) as cost
    from core.campaign_costs as costs
    cross join marts.workspace
    where costs.campaign_id is null and costs.deal_id is not null
      and coalesce(costs.spent_on, workspace.as_of) <= workspace.as_of
    group by all
),
entry as not materialized (
    select dimension, member, model, basis, touch_month as month, amount as by_touch, deals as deals_by_touch,
           null::decimal(38, 2) as by_close, null::decimal(38, 12) as deals_by_close, null::decimal(38, 2) as cost,
           null::boolean as is_budget, null::decimal(38, 6) as deal_cost
    from earned
    union all
    select dimension, member, model, basis, close_month, null, null, amount, deals, null, null, null from earned
    union all
    select dimension, member, model, basis, month, null, null, null, null, cost, is_budget, null
    from marts.segment_costs
    cross join marts.models_and_bases
    union all
    select dimension, member, model, basis, deal_spent.month, null, null, null, null, null, null,
           sum((weight * deal_spent.cost)::decimal(28, 6))
    from segment
    join deal_spent using (deal_id)
    group by all
),
summed as not materialized (
    select dimension, member, period, starts_on, model, basis, sum(cost)::decimal(18, 2) as cost,
           coalesce(bool_or(is_budget), false) as is_budget, sum(deal_cost)::decimal(18, 2) as deal_cost,
           sum(by_touch)::decimal(18, 2) as amount_by_touch_date, sum(deals_by_touch) as deals_by_touch,
           sum(by_close)::decimal(18, 2) as amount_by_close_date, sum(deals_by_close) as deals_by_close
    from entry,
         (values ('all'), ('quarter'), ('month')) as periods(period),
         lateral (select case period when 'quarter' then date_trunc('quarter', month)::date
                                     when 'month' then month end as starts_on)
    where period = 'all' or month is not null
    group by all
),
figure as not materialized (
    select summed.*, models.is_influence, case when cost > 0 then cost + coalesce(deal_cost, 0) end as full_cost,
           -- Deals of unknown amount only: unknown is not zero.
           case when deals_by_touch > 0 then amount_by_touch_date else 0 end as earned_by_touch,
           case when deals_by_close > 0 then amount_by_close_date else 0 end as earned_by_close
    from summed
    join marts.models_and_bases as models using (model, basis)
)
select dimension, member, period, starts_on, model, basis, is_influence, cost, is_budget, deal_cost, full_cost,
       amount_by_touch_date, round(deals_by_touch, 6)::double as deals_by_touch_date,
       case when not is_influence then ((earned_by_touch - full_cost) / full_cost)::double end as roi_by_touch_date,
       amount_by_close_date, round(deals_by_close, 6)::double as deals_by_close_date,
       case when not is_influence then ((earned_by_close - full_cost) / full_cost)::double end as roi_by_close_date,
       case when not is_influence then (earned_by_touch / full_cost)::double end as roas_by_touch_date,
       case when not is_influence then (earned_by_close / full_cost)::double end as roas_by_close_date
from figure
