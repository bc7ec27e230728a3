-- One row per segment, period, model and basis: what campaigns earned and cost, by the date of the touches and by the
-- date on which the deals closed. Amounts and deals of a dimension's members add up to all that was credited.
-- kind: view
-- published: view
-- grain: dimension, member, period, starts_on, model, basis
-- column: dimension | campaign, parent_campaign, channel, touch_type, region, industry, grade, team
-- column: member | of that dimension; '(unattributed)' for amounts that no touch earned; team is that of the deal's sales people, a split deal's of each for their share
-- column: member_name | what it is called, in the workspace's language
-- column: period | all, quarter or month
-- column: starts_on | its first day, in the workspace's time zone and calendar; null for all
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: is_influence | an influence figure: not to be summed, no ROI
-- column: cost | spent on campaigns in the period, workspace currency (marts.segment_costs); null where none
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: deal_cost | people and travel spent on deals in the period, by the member's share in them; of lost deals none (marts.suspense)
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
                end as close_month
    from core.deals
    cross join marts.workspace
),
-- A credit is cut at these shares of itself: what is rounded up for one sales person is taken off the next.
owner_part as (
    select parts.deal_id, owners.team,
           (sum(parts.weight) over so_far / parts.whole_weight)::decimal(18, 9) as up_to,
           ((sum(parts.weight) over so_far - parts.weight) / parts.whole_weight)::decimal(18, 9) as before
    from core.deal_parts as parts
    left join core.owners_today as owners on owners.owner_id = parts.owner_id
    where parts.axis = 'owner'
    window so_far as (partition by parts.deal_id order by parts.part)
),
line as not materialized (
    select deal_id, party_id, touch_id, campaign_id, channel, model, basis, credit, weight, null::date as spent_month,
           null::decimal(18, 2) as deal_cost
    from scored.credits
    union all
    select deal_id, party_id, touch_id, campaign_id, channel, model, basis, null, null, month, cost
    from marts.deal_cost_shares
),
credit as not materialized (
    select line.deal_id, line.model, line.basis, line.credit, line.weight, line.spent_month, line.deal_cost,
           deal.close_month,
           date_trunc('month', touches.occurred_at at time zone 'UTC' at time zone workspace.timezone)::date
               as touch_month,
           line.campaign_id as campaign, coalesce(campaigns.parent_campaign_id, line.campaign_id) as parent_campaign,
           case when line.touch_id is null then '(unattributed)' else coalesce(line.channel, '(unknown)') end as channel,
           case when line.touch_id is null then '(unattributed)' else coalesce(touches.type, '(unknown)') end
               as touch_type,
           coalesce(account.province, '(unknown)') as region,
           coalesce(account.industry_section, '(unknown)') as industry, coalesce(account.grade, 'U') as grade,
           account.team
    from line
    cross join marts.workspace
    left join deal on deal.deal_id = line.deal_id
    left join core.touches on touches.touch_id = line.touch_id
    left join core.campaigns on campaigns.campaign_id = line.campaign_id
    left join marts.account_360 as account on account.account_id = line.party_id
),
segment as not materialized (
    select 'campaign' as dimension, campaign as member, model, basis, credit, weight, touch_month, close_month, spent_month,
           deal_cost
    from credit
    union all
    select 'parent_campaign', parent_campaign, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'channel', channel, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'touch_type', touch_type, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'region', region, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'industry', industry, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'grade', grade, model, basis, credit, weight, touch_month, close_month, spent_month, deal_cost
    from credit
    union all
    select 'team', coalesce(owner_part.team, credit.team, '(none)'), model, basis,
           (round(credit * coalesce(up_to, 1), 2) - round(credit * coalesce(before, 0), 2))::decimal(18, 2),
           weight * coalesce(up_to - before, 1)::double, touch_month, close_month, spent_month,
           (round(deal_cost * coalesce(up_to, 1), 2) - round(deal_cost * coalesce(before, 0), 2))::decimal(18, 2)
    from credit
    left join owner_part using (deal_id)
),
earned as not materialized (
    -- Doubles are summed as decimals: their sum does not hang on their order.
    select dimension, member, model, basis, touch_month, close_month, sum(credit) as amount,
           sum(weight::decimal(28, 12)) as deals
    from segment
    where weight is not null
    group by all
),
entry as not materialized (
    select dimension, member, model, basis, touch_month as month, amount as by_touch, deals as deals_by_touch,
           null::decimal(38, 2) as by_close, null::decimal(38, 12) as deals_by_close, null::decimal(38, 2) as cost,
           null::boolean as is_budget, null::decimal(38, 2) as deal_cost
    from earned
    union all
    select dimension, member, model, basis, close_month, null, null, amount, deals, null, null, null from earned
    union all
    select dimension, member, model, basis, month, null, null, null, null, cost, is_budget, null
    from marts.segment_costs
    cross join marts.models_and_bases
    union all
    select dimension, member, model, basis, spent_month, null, null, null, null, null, null, sum(deal_cost)
    from segment
    where weight is null
    group by all
),
summed as not materialized (
    select dimension, member, period, starts_on, model, basis, sum(cost)::decimal(18, 2) as cost,
           coalesce(bool_or(is_budget), false) as is_budget, sum(deal_cost)::decimal(18, 2) as deal_cost,
           sum(by_touch)::decimal(18, 2) as amount_by_touch_date, sum(deals_by_touch) as deals_by_touch,
           sum(by_close)::decimal(18, 2) as amount_by_close_date, sum(deals_by_close) as deals_by_close
    from entry
    left join core.months using (month),
         (values ('all'), ('quarter'), ('month')) as periods(period),
         lateral (select case period when 'quarter' then quarter_starts_on when 'month' then month end as starts_on)
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
select dimension, member, coalesce(names.name, member) as member_name, period, starts_on, model, basis, is_influence, cost, is_budget, deal_cost, full_cost,
       amount_by_touch_date, round(deals_by_touch, 6)::double as deals_by_touch_date,
       case when not is_influence then ((earned_by_touch - full_cost) / full_cost)::double end as roi_by_touch_date,
       amount_by_close_date, round(deals_by_close, 6)::double as deals_by_close_date,
       case when not is_influence then ((earned_by_close - full_cost) / full_cost)::double end as roi_by_close_date,
       case when not is_influence then (earned_by_touch / full_cost)::double end as roas_by_touch_date,
       case when not is_influence then (earned_by_close / full_cost)::double end as roas_by_close_date
from figure
left join marts.member_names as names using (dimension, member)
