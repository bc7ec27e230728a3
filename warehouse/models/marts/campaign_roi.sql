-- One row per campaign, model and basis: what it cost, whom it touched, what it earned.
-- A campaign with cost and no revenue stays, with -1; one with revenue and no cost has no ROI. Touches without a
-- campaign stand under '(their channel)', amounts that nothing earned under '(unattributed)'.
-- grain: campaign_id, model, basis
-- check: roi is null or full_cost > 0
-- column: campaign_id | campaign
-- column: name | its name
-- column: channel | its channel
-- column: parent_campaign_id | campaign it belongs to
-- column: is_listed | false: named by touches or costs only
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: is_influence | an influence figure: not to be summed, no ROI
-- column: cost | the campaign's own cost up to the run's day, workspace currency; null where none is known
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: deal_cost | people and travel spent on its deals, by its share in them; of lost deals none (marts.suspense)
-- column: full_cost | cost + deal_cost; null without own cost
-- column: attributed_amount | credits, workspace currency; null where no amount is known
-- column: attributed_deals | shares of deals, summed (participation: deals)
-- column: roi | (attributed_amount - full_cost) / full_cost; null without cost or known amount, -1 with cost and no deal
-- column: roas | attributed_amount / full_cost; null without cost or known amount
-- column: touches | touches counted, all of the campaign's
-- column: people | people touched
-- column: accounts | companies touched
-- column: target_accounts | of them, on the target list on the run's day
-- column: lead_accounts | of them, where somebody made an inquiry at or after the campaign's first touch of the company
-- column: mql_accounts | where a lead became an MQL after it
-- column: sql_accounts | where a lead became sales qualified after it
-- column: opportunity_accounts | where a deal was opened after it
-- column: won_accounts | where a deal was won after it
-- column: inquiries | people touched whose inquiry came at or after their first touch of the campaign
-- column: mqls | people touched whose lead became an MQL after their first touch of the campaign
-- column: sqls | people touched whose lead became sales qualified after it
-- column: opportunities | deals with a touch of the campaign in their journey
-- column: won_deals | of them, won
-- column: cost_per_person | cost / people
-- column: cost_per_inquiry | cost / inquiries
-- column: cost_per_mql | cost / mqls
-- column: cost_per_sql | cost / sqls
-- column: cost_per_opportunity | cost / opportunities
with spent as (
    select campaign_id, sum(amount_base) as cost, bool_or(is_budget) as is_budget
    from core.campaign_costs
    where campaign_id is not null and coalesce(spent_on, $as_of) <= $as_of
    group by all
),
deal_spent as (
    select campaign_id, model, basis, sum(cost)::decimal(18, 2) as deal_cost
    from marts.deal_cost_shares
    group by all
),
credit as (
    select campaign_id, model, basis, sum(credit) as amount,
           -- In decimals, so that no order of adding shows.
           sum(weight::decimal(28, 12))::double as deals
    from scored.credits
    group by all
),
touch as (
    select coalesce(campaign_id, '(' || coalesce(channel, 'unknown') || ')') as campaign_id, touch_id, person_id,
           occurred_at
    from core.touches
    where not is_future
),
first_touch as (
    select campaign_id, person_id, count(*) as touches, min(occurred_at) as touched_at from touch group by all
),
reach as (
    select first_touch.campaign_id, sum(touches)::bigint as touches, count(first_touch.person_id) as people,
           count(*) filter (leads.last_inquiry_at >= touched_at) as inquiries,
           count(*) filter (leads.last_mql_at >= touched_at) as mqls,
           count(*) filter (leads.last_sql_at >= touched_at) as sqls
    from first_touch
    left join marts.lead_segments as leads on leads.person_id = first_touch.person_id
    group by all
),
company as (
    select campaign_id, count(*) as accounts, count(*) filter (is_target) as target_accounts,
           count(*) filter (became_lead) as lead_accounts, count(*) filter (became_mql) as mql_accounts,
           count(*) filter (became_sql) as sql_accounts, count(*) filter (became_opportunity) as opportunity_accounts,
           count(*) filter (became_won) as won_accounts
    from marts.campaign_accounts
    group by campaign_id
),
dealt as (
    select touch.campaign_id, count(distinct deals.deal_id) as opportunities,
           count(distinct deals.deal_id) filter (deals.status = 'won') as won_deals
    from scored.deal_touches
    join touch using (touch_id)
    join core.deals using (deal_id)
    group by all
),
campaign as (
    select campaign_id, name, channel, parent_campaign_id, is_listed from core.campaigns
    union all
    select campaign_id, campaign_id as name, any_value(channel) as channel, null as parent_campaign_id,
           false as is_listed
    from scored.credits
    where campaign_id not in (select campaign_id from core.campaigns)
    group by campaign_id
),
figures as (
    select campaign.*, models.model, models.basis, models.is_influence, spent.cost, spent.is_budget,
           deal_spent.deal_cost,
           case when spent.cost > 0 then spent.cost + coalesce(deal_spent.deal_cost, 0) end as full_cost,
           credit.amount as attributed_amount, credit.deals as attributed_deals,
           -- Deals of unknown amount only: unknown is not zero.
           case when credit.deals > 0 then credit.amount else 0 end as earned,
           reach.* exclude (campaign_id), company.* exclude (campaign_id), dealt.opportunities, dealt.won_deals
    from campaign
    cross join marts.models_and_bases as models
    left join spent using (campaign_id)
    left join credit
        on credit.campaign_id = campaign.campaign_id and credit.model = models.model and credit.basis = models.basis
    left join deal_spent
        on deal_spent.campaign_id = campaign.campaign_id and deal_spent.model = models.model
        and deal_spent.basis = models.basis
    left join reach on reach.campaign_id = campaign.campaign_id
    left join company on company.campaign_id = campaign.campaign_id
    left join dealt on dealt.campaign_id = campaign.campaign_id
)
select campaign_id, name, channel, parent_campaign_id, is_listed, model, basis, is_influence, cost,
       coalesce(is_budget, false) as is_budget, deal_cost, full_cost, attributed_amount, attributed_deals,
       case when not is_influence
            then ((earned - full_cost) / full_cost)::double end as roi,
       case when not is_influence then (earned / full_cost)::double end as roas,
       coalesce(touches, 0) as touches, coalesce(people, 0) as people, coalesce(accounts, 0) as accounts,
       coalesce(target_accounts, 0) as target_accounts,
       coalesce(lead_accounts, 0) as lead_accounts, coalesce(mql_accounts, 0) as mql_accounts,
       coalesce(sql_accounts, 0) as sql_accounts, coalesce(opportunity_accounts, 0) as opportunity_accounts,
       coalesce(won_accounts, 0) as won_accounts, coalesce(inquiries, 0) as inquiries,
       coalesce(mqls, 0) as mqls, coalesce(sqls, 0) as sqls,
       coalesce(opportunities, 0) as opportunities, coalesce(won_deals, 0) as won_deals,
       (cost / nullif(people, 0))::decimal(18, 2) as cost_per_person,
       (cost / nullif(inquiries, 0))::decimal(18, 2) as cost_per_inquiry,
       (cost / nullif(mqls, 0))::decimal(18, 2) as cost_per_mql,
       (cost / nullif(sqls, 0))::decimal(18, 2) as cost_per_sql,
       (cost / nullif(opportunities, 0))::decimal(18, 2) as cost_per_opportunity
from figures
