-- One row per day from the first on which a deal was known to the run's day.
-- grain: day
-- column: day | the local day
-- column: is_month_end | the last day of its month
-- column: is_week_end | a Sunday
select unnest(generate_series(min(known_on), $as_of, interval 1 day))::date as day,
       day = last_day(day) as is_month_end,
       dayofweek(day) = 0 as is_week_end
from core.deal_changes
