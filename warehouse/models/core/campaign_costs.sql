-- One row per spending: dated costs; for a campaign without any, its actual cost, else its budget (marked).
-- grain: cost_id
-- column: cost_id | the source's id, or 'campaign:' or 'budget:' and the campaign for what its list states
-- column: campaign_id | campaign it was spent on; null for a deal's own cost
-- column: deal_id | deal it was spent on (people, travel); null for a campaign's
-- column: spent_on | day of spending; for a campaign's stated cost its first day, else its last
-- column: amount | in `currency`
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency; null where no rate is known on that day
-- column: kind | media, vendor, people, travel, campaign, budget
-- column: is_budget | planned, not actual
with dated as (
    select coalesce(cost_id, row_id) as cost_id, campaign_id, deal_id, spent_on, amount,
           upper(coalesce(currency, $currency)) as currency, coalesce(lower(trim(kind)), 'other') as kind,
           false as is_budget
    from staging.costs
    where amount is not null
    qualify row_number() over (
        partition by coalesce(cost_id, row_id) order by source_rank nulls last, source_date desc nulls last, row_hash
    ) = 1
),
stated as (
    select case when cost is not null then 'campaign:' else 'budget:' end || campaign_id as cost_id,
           campaign_id,
           null::varchar as deal_id,
           coalesce(starts_on, ends_on) as spent_on,
           coalesce(cost, budget) as amount,
           currency,
           case when cost is not null then 'campaign' else 'budget' end as kind,
           cost is null as is_budget
    from core.campaigns
    where coalesce(cost, budget) is not null
      and campaign_id not in (select campaign_id from dated where campaign_id is not null)
),
costs as (
    select * from dated union all by name select * from stated
)
select costs.cost_id, costs.campaign_id, costs.deal_id, costs.spent_on, costs.amount::decimal(18, 2) as amount,
       costs.currency,
       case when costs.currency = $currency then costs.amount
            else round(costs.amount::decimal(18, 2) * rates.rate, 2) end::decimal(18, 2) as amount_base,
       costs.kind, costs.is_budget
from costs
asof left join core.fx_rates as rates
    on costs.currency = rates.currency and coalesce(costs.spent_on, $as_of) >= rates.valid_on
