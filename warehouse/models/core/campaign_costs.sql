-- One row per spending, campaign and day: dated costs, those of several campaigns shared among them; for a campaign
-- without any its stated actual cost, else its budget (marked), each spread evenly over the campaign's days.
-- Every cent of a cost stands on one row: shares go by largest remainder, of days the first take what is left.
-- grain: cost_id, campaign_id, spent_on
-- column: cost_id | the source's id, or 'campaign:' or 'budget:' and the campaign for what its list states
-- column: campaign_id | campaign it was spent on; null for a deal's own cost
-- column: deal_id | deal it was spent on (people, travel); null for a campaign's
-- column: spent_on | day of spending; a stated cost falls on all days of its campaign, an actual one on none after the run's
-- column: amount | in `currency`
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency; null where no rate is known on that day
-- column: kind | media, vendor, people, travel, campaign, budget
-- column: is_budget | planned, not actual
-- column: is_shared | a part of a cost of several campaigns, named 'a; b' or 'a:60; b:40'
with dated as (
    select coalesce(cost_id, row_id) as cost_id, campaign_id, coalesce(merged_deals.deal_id, costs.deal_id) as deal_id,
           spent_on, amount::decimal(18, 2) as amount,
           upper(coalesce(currency, $currency)) as currency, coalesce(lower(trim(kind)), 'other') as kind
    from staging.costs
    left join core.merged_deals on merged_deals.old_deal_id = costs.deal_id
    where amount is not null
    qualify row_number() over (
        partition by coalesce(cost_id, row_id) order by source_rank nulls last, source_date desc nulls last, row_hash
    ) = 1
),
-- A campaign may bear a semicolon in its id; one that is listed is never taken apart.
joint as (
    select cost_id, unnest(regexp_split_to_array(campaign_id, '\s*[;；、|]\s*')) as part
    from dated
    where regexp_matches(campaign_id, '[;；、|]')
      and campaign_id not in (select campaign_id from staging.campaigns where campaign_id is not null)
),
part as (
    select cost_id, regexp_replace(part, '\s*[:：]\s*[0-9.]+\s*%?$', '') as campaign_id,
           any_value(coalesce(try_cast(nullif(regexp_extract(part, '[:：]\s*([0-9.]+)\s*%?$', 1), '') as decimal(18, 4)), 1))
               as parts
    from joint
    where part <> ''
    group by all
),
-- Where all are given nothing, all are given the same.
weighed as (
    select cost_id, campaign_id,
           case when sum(parts) over (partition by cost_id) = 0 then 1 else (parts * 10000)::hugeint end as parts
    from part
),
sized as (
    select dated.cost_id, part.campaign_id, part.parts,
           (abs(dated.amount)::decimal(28, 2) * 100)::hugeint as cents,
           sum(part.parts) over (partition by dated.cost_id)::hugeint as all_parts
    from weighed as part
    join dated using (cost_id)
    where part.parts > 0
),
rounded as (
    select *, cents * parts // all_parts as whole, cents * parts % all_parts as remainder from sized
),
share as (
    select cost_id, campaign_id,
           whole + (row_number() over largest_first <= cents - sum(whole) over (partition by cost_id))::integer as cents
    from rounded
    window largest_first as (partition by cost_id order by remainder desc, campaign_id)
),
spending as (
    select dated.cost_id, coalesce(share.campaign_id, dated.campaign_id) as campaign_id, dated.deal_id, dated.spent_on,
           case when share.cost_id is null then dated.amount
                else (sign(dated.amount) * share.cents / 100::decimal(18, 2))::decimal(18, 2) end as amount,
           dated.currency, dated.kind, false as is_budget, share.cost_id is not null as is_shared
    from dated
    left join share using (cost_id)
),
stated as (
    select campaign_id, coalesce(cost, budget) as amount, currency, cost is null as is_budget,
           coalesce(starts_on, ends_on) as first_day,
           -- What was spent was spent by now; a plan reaches to its end.
           greatest(coalesce(starts_on, ends_on),
                    case when cost is null then ends_on
                         when ends_on is not null then least(ends_on, $as_of) end) as last_day
    from core.campaigns
    where coalesce(cost, budget) is not null
      and campaign_id not in (select campaign_id from spending where campaign_id is not null)
),
spread as (
    select *, coalesce(last_day - first_day, 0) + 1 as days, (abs(amount)::decimal(28, 2) * 100)::hugeint as cents,
           unnest(range(coalesce(last_day - first_day, 0) + 1)) as day
    from stated
),
costs as (
    select * from spending
    union all by name
    select case when is_budget then 'budget:' else 'campaign:' end || campaign_id as cost_id, campaign_id,
           null::varchar as deal_id, first_day + day::integer as spent_on,
           (sign(amount) * (cents // days + (day < cents % days)::integer) / 100)::decimal(18, 2) as amount,
           currency, case when is_budget then 'budget' else 'campaign' end as kind, is_budget, false as is_shared
    from spread
)
select costs.cost_id, costs.campaign_id, costs.deal_id, costs.spent_on, costs.amount, costs.currency,
       case when costs.currency = $currency then costs.amount
            else round(costs.amount * rates.rate, 2) end::decimal(18, 2) as amount_base,
       costs.kind, costs.is_budget, costs.is_shared
from costs
asof left join core.fx_rates as rates
    on costs.currency = rates.currency and coalesce(costs.spent_on, $as_of) >= rates.valid_on
