-- One row per model, channel and quarter of the first won deal: what a new customer costs, is worth, and when they pay back.
-- A new customer is an account's first won deal, shared among channels by the model; costs are those of the quarter.
-- grain: model, channel, cohort
-- check: cac is null or (full_cost > 0 and new_customers > 0)
-- column: model | attribution model (no influence figures)
-- column: channel | channel of the touch, of costs the campaign's; (unknown), (unattributed); '(all)' is their sum
-- column: cohort | first day of the quarter, in the workspace's time zone; null is all time, also costs without a day
-- column: cost | cost of the channel's campaigns spent then, up to the run's day, workspace currency; null where none is known
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: deal_cost | people and travel spent then on deals, by the channel's share in them; of lost deals none (marts.suspense)
-- column: full_cost | cost + deal_cost; null without own cost
-- column: new_customers | first won deals closed then, shares of the channel summed
-- column: cac | full_cost / new_customers; null without either
-- column: order_value | signed amounts of these customers up to the run's day, all their orders, by the channel's share
-- column: customer_years | years that they have been customers, each at least one, by the channel's share
-- column: yearly_value | order_value / customer_years: average order value per customer and year
-- column: gross_margin | share of it that is left, of `attribution.yaml`
-- column: life_years | mean customer life: of `attribution.yaml`, else of all customers so far (at least a year each)
-- column: ltv | yearly_value * gross_margin * life_years
-- column: ltv_to_cac | ltv / cac; null without cost
-- column: payback_months | months until yearly_value * gross_margin has earned the CAC; null without either
-- column: cash_received | payments less refunds of these customers so far, by the channel's share
-- column: paid_back | cash_received * gross_margin / full_cost: the part of the cost that has come back; null without cost
with setting as (
    select coalesce(any_value(gross_margin), 1) as gross_margin, any_value(customer_life_years) as life_years,
           coalesce(any_value(renewal_grace_days), 60) as grace
    from rules.attribution_settings
),
term as (
    select coalesce(orders.account_id, deals.party_id) as party_id, max(orders.term_ends_on) as ends_on
    from core.orders
    join core.deals using (deal_id)
    where not orders.is_future
    group by all
),
amount as (
    select deals.party_id, sum(amounts.amount) filter (basis = 'signed') as signed,
           sum(amounts.amount) filter (basis = 'cash') as cash
    from core.deal_amounts as amounts
    join core.deals using (deal_id)
    group by all
),
first_won as (
    select deal_id, party_id, (closed_at at time zone 'UTC' at time zone $timezone)::date as won_on
    from core.deals
    where status = 'won' and party_id is not null
    qualify row_number() over (partition by party_id order by closed_at nulls last, deal_id) = 1
),
customer as (
    select first_won.deal_id, months.quarter_starts_on as cohort, amount.signed, amount.cash,
           -- Whose last term ran out and was not renewed in time has left; all others are still there.
           greatest((case when term.ends_on + grace < $as_of then term.ends_on
                          else greatest($as_of, term.ends_on) end - won_on) / 365.25, 1)::decimal(18, 6) as years
    from first_won
    left join core.months on months.month = date_trunc('month', won_on)::date
    cross join setting
    left join term using (party_id)
    left join amount using (party_id)
),
life as (
    select coalesce(any_value(setting.life_years), (sum(years) / count(years))::double) as life_years,
           any_value(gross_margin) as gross_margin
    from setting
    left join customer on true
),
share as (
    select credits.deal_id, credits.model,
           case when credits.campaign_id = '(unattributed)' then '(unattributed)'
                else coalesce(credits.channel, '(unknown)') end as channel,
           sum(credits.weight::decimal(28, 12)) as weight
    from scored.credits
    join rules.attribution using (model)
    where credits.basis = 'pipeline' and not attribution.is_influence
      and credits.deal_id in (select deal_id from first_won)
    group by all
),
entry as (
    select share.model, share.channel, customer.cohort, share.weight::double as customers,
           share.weight::double * customer.signed as signed, share.weight::double * customer.cash as cash,
           share.weight::double * customer.years as years, null::decimal(18, 2) as cost,
           null::decimal(18, 2) as deal_cost,
           false as is_budget
    from share
    join customer using (deal_id)
    union all
    select attribution.model, coalesce(campaigns.channel, '(unknown)'), months.quarter_starts_on,
           null, null, null, null, costs.amount_base, null, costs.is_budget
    from core.campaign_costs as costs
    join core.campaigns using (campaign_id)
    left join core.months on months.month = date_trunc('month', costs.spent_on)::date
    cross join rules.attribution
    where not attribution.is_influence and coalesce(costs.spent_on, $as_of) <= $as_of
    union all
    select shares.model,
           case when shares.campaign_id = '(unattributed)' then '(unattributed)'
                else coalesce(shares.channel, '(unknown)') end,
           months.quarter_starts_on, null, null, null, null, null, shares.cost, false
    from marts.deal_cost_shares as shares
    join marts.models_and_bases as models using (model, basis)
    left join core.months using (month)
    where shares.basis = 'pipeline' and not models.is_influence
),
summed as (
    select model, case when grouping(channel) = 1 then '(all)' else channel end as channel,
           case when grouping(cohort) = 0 then cohort end as cohort, sum(cost)::decimal(18, 2) as cost,
           bool_or(is_budget) as is_budget,
           -- Doubles are summed as decimals: their sum does not hang on their order.
           sum(deal_cost)::decimal(18, 2) as deal_cost, sum(customers::decimal(28, 9)) as new_customers,
           sum(signed::decimal(28, 6))::decimal(18, 2) as order_value, sum(years::decimal(28, 9)) as customer_years,
           sum(cash::decimal(28, 6))::decimal(18, 2) as cash_received
    from entry
    group by grouping sets ((model, channel, cohort), (model, channel), (model, cohort), (model))
    having grouping(cohort) = 1 or cohort is not null
),
figure as (
    select *, case when cost > 0 then cost + coalesce(deal_cost, 0) end as full_cost,
           order_value / nullif(customer_years, 0) as yearly_value
    from summed
),
valued as (
    select *, case when new_customers > 0 then full_cost / new_customers end::double as cac,
           (yearly_value * gross_margin * life_years)::double as ltv
    from figure
    cross join life
)
select model, channel, cohort, cost, coalesce(is_budget, false) as is_budget, deal_cost, full_cost,
       round(new_customers, 6)::double as new_customers, cac::decimal(18, 2) as cac, order_value,
       round(customer_years, 6)::double as customer_years, yearly_value::decimal(18, 2) as yearly_value,
       gross_margin, life_years,
       ltv::decimal(18, 2) as ltv, ltv / nullif(cac, 0) as ltv_to_cac,
       case when yearly_value > 0 then cac / (yearly_value * gross_margin / 12) end::double as payback_months,
       cash_received, (cash_received * gross_margin / full_cost)::double as paid_back
from valued
