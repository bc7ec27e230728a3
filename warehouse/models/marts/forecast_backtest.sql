-- One row per month's start, stretch of days and method: what it said then, by what was known then, and what came.
-- grain: horizon, forecast_on, method
-- check: method in ('forecast', 'last_period', 'pipeline_rate', 'crm_probability')
-- column: horizon | next_30_days or next_90_days, whose days are past
-- column: forecast_on | the first of a month; seen from its morning
-- column: method | forecast; naive: last_period (as in as many days before), pipeline_rate (× share won), crm_probability
-- column: said_amount | workspace currency; null where nothing could be said
-- column: low_amount | lower end of the forecast's 80 % interval
-- column: high_amount | upper end
-- column: actual_amount | what was won in these days, as known today
-- column: error_amount | said less actual
-- column: is_inside | whether the actual fell into the interval
-- column: wape | Σ |said − actual| / Σ actual of the method over this stretch's months for which there was a forecast
with tested as (
    select *, bool_or(method = 'forecast' and said is not null) over (partition by horizon, forecast_on) as was_forecast
    from scored.forecast_backtest
)
select horizon, forecast_on, method, said as said_amount, low as low_amount, high as high_amount,
       actual as actual_amount, said - actual as error_amount, actual between low and high as is_inside,
       sum(abs(said - actual)) filter (was_forecast) over same
           / nullif(sum(actual) filter (was_forecast and said is not null) over same, 0) as wape
from tested
window same as (partition by horizon, method)
