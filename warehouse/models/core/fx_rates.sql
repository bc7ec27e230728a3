-- One row per currency and day from which a rate is valid: what one unit is worth in the workspace's currency.
-- grain: currency, valid_on
-- check: rate > 0
-- column: currency | ISO code
-- column: valid_on | the rate holds from this day until the next one
-- column: rate | workspace currency for one unit; so wide that an amount of any size times it does not overflow
select upper(currency) as currency, valid_on, rate::decimal(28, 8) as rate
from staging.fx_rates
where currency is not null and valid_on is not null and rate > 0
qualify row_number() over (
    partition by upper(currency), valid_on order by source_rank nulls last, source_date desc nulls last, row_hash
) = 1
