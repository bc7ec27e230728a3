-- One row per channel, model and basis: what its campaigns cost, what its touches earned.
-- Credits go by the touch's own channel, costs by the campaign's. Influence figures are left out: they do not add up.
-- grain: channel, model, basis
-- column: channel | channel; (unknown) where a touch has none, (unattributed) for amounts that nothing earned
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: campaigns | campaigns of the channel
-- column: cost | cost of its campaigns up to the run's day, workspace currency; null where none is known
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: deal_cost | people and travel spent on its deals, by its share in them; of lost deals none (marts.suspense)
-- column: full_cost | cost + deal_cost; null without own cost
-- column: attributed_amount | credits, workspace currency; null where no amount is known
-- column: attributed_deals | shares of deals, summed
-- column: new_customers | shares of the first won deals of accounts (signed and cash: that have such an amount)
-- column: roi | (attributed_amount - full_cost) / full_cost; null without cost or known amount, -1 with cost and no deal
-- column: roas | attributed_amount / full_cost; null without cost or known amount
-- column: cac | full_cost / new_customers; null without either
with spent as (
    select coalesce(campaigns.channel, '(unknown)') as channel, sum(costs.amount_base) as cost,
           bool_or(costs.is_budget) as is_budget
    from core.campaign_costs as costs
    join core.campaigns using (campaign_id)
    where coalesce(costs.spent_on, $as_of) <= $as_of
    group by all
),
deal_spent as (
    select case when campaign_id = '(unattributed)' then '(unattributed)' else coalesce(channel, '(unknown)') end
               as channel,
           model, basis, sum(cost)::decimal(18, 2) as deal_cost
    from marts.deal_cost_shares
    group by all
),
first_won as (
    select deal_id
    from core.deals
    where status = 'won' and party_id is not null
    qualify row_number() over (partition by party_id order by closed_at nulls last, deal_id) = 1
),
credit as (
    select case when credits.campaign_id = '(unattributed)' then '(unattributed)'
                else coalesce(credits.channel, '(unknown)') end as channel,
           credits.model, credits.basis, sum(credits.credit) as amount,
           -- In decimals, so that no order of adding shows.
           sum(credits.weight::decimal(28, 12))::double as deals,
           (sum(credits.weight::decimal(28, 12)) filter (first_won.deal_id is not null))::double as new_customers
    from scored.credits
    left join first_won using (deal_id)
    group by all
),
channel as (
    select coalesce(channel, '(unknown)') as channel, count(*) as campaigns from core.campaigns group by all
),
named as (
    select channel from channel union select channel from credit
),
figures as (
    select named.channel, models.model, models.basis, coalesce(channel.campaigns, 0) as campaigns, spent.cost,
           coalesce(spent.is_budget, false) as is_budget, deal_spent.deal_cost,
           case when spent.cost > 0 then spent.cost + coalesce(deal_spent.deal_cost, 0) end as full_cost,
           credit.amount as attributed_amount, credit.deals as attributed_deals, credit.new_customers,
           -- Deals of unknown amount only: unknown is not zero.
           case when credit.deals > 0 then credit.amount else 0 end as earned
    from named
    cross join marts.models_and_bases as models
    left join channel using (channel)
    left join spent on spent.channel = named.channel
    left join credit
        on credit.channel = named.channel and credit.model = models.model and credit.basis = models.basis
    left join deal_spent
        on deal_spent.channel = named.channel and deal_spent.model = models.model and deal_spent.basis = models.basis
    where not models.is_influence
)
select channel, model, basis, campaigns, cost, is_budget, deal_cost, full_cost, attributed_amount, attributed_deals,
       new_customers,
       ((earned - full_cost) / full_cost)::double as roi,
       (earned / full_cost)::double as roas,
       case when new_customers > 0 then full_cost / new_customers end as cac
from figures
