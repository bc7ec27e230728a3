-- One row per stretch of days ahead and part of what is expected in it: won so far, open deals by stage and team, new ones,
-- the total, to which the parts add up. `open` opens into scored.deal_forecasts; how earlier ones did: forecast_backtest.
-- grain: horizon, part, stage, team
-- check: part in ('won', 'open', 'new', 'total')
-- column: horizon | next_30_days, next_90_days, this_month, this_quarter (of the fiscal year in abmloop.yaml)
-- column: starts_on | first day of the stretch; of a month or quarter it may have passed
-- column: ends_on | last day
-- column: part | won (so far), open (deals open on the run's day), new (deals not there yet), total
-- column: stage | stage of the open deals; null in the other parts
-- column: team | team of the open deals' sales people; null in the other parts or where there is none
-- column: deals | open deals
-- column: amount_base | what they would come to, workspace currency
-- column: expected_amount | of these expected to be won in the stretch; null where the method is naive_only
-- column: low_amount | lower end of the 80 % interval; only of the total
-- column: high_amount | upper end
-- column: crm_amount | open amounts times the CRM's own probability, whenever it may be
-- column: last_period_amount | naive, what was won in as many days before; only of the total
-- column: pipeline_rate_amount | naive, open pipeline times the share of closed deals that were won; only of the total
-- column: method | model, or naive_only where too few deals were closed to say more
-- column: note | why only naive
with part as (
    select horizon, 'won' as part, null as stage, null as team, null as deals, null as amount_base,
           won_so_far as expected_amount, null as low_amount, null as high_amount, null as crm_amount,
           null as last_period_amount, null as pipeline_rate_amount
    from scored.forecasts
    where starts_on <= ends_on - days_ahead::integer
    union all
    select horizon, 'open', stage, team, count(*), sum(amount_base), sum(expected_amount), null, null,
           sum((amount_base * crm_probability)::decimal(18, 4)), null, null
    from scored.deal_forecasts
    group by horizon, stage, team
    union all
    select horizon, 'new', null, null, null, null, from_new, null, null, null, null, null
    from scored.forecasts
    where from_new is not null
    union all
    select horizon, 'total', null, null, coalesce(pipeline.deals, 0), coalesce(pipeline.amount_base, 0),
           case when method = 'model' then won_so_far + coalesce(pipeline.expected_amount, 0) + from_new end, low, high,
           pipeline.crm_amount, last_period, pipeline_rate
    from scored.forecasts
    left join (
        select horizon, count(*) as deals, sum(amount_base) as amount_base,
               sum(expected_amount) as expected_amount, sum((amount_base * crm_probability)::decimal(18, 4)) as crm_amount
        from scored.deal_forecasts
        group by horizon
    ) as pipeline using (horizon)
)
select horizon, forecasts.starts_on, forecasts.ends_on, part, stage, team, deals::bigint as deals,
       amount_base::decimal(18, 2) as amount_base, expected_amount::decimal(18, 2) as expected_amount,
       low_amount::decimal(18, 2) as low_amount, high_amount::decimal(18, 2) as high_amount,
       crm_amount::decimal(18, 2) as crm_amount, last_period_amount::decimal(18, 2) as last_period_amount,
       pipeline_rate_amount::decimal(18, 2) as pipeline_rate_amount, forecasts.method, forecasts.note
from part
join scored.forecasts as forecasts using (horizon)
