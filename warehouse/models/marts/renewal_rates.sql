-- One row per month in which terms end: due and renewed as finance and as business count them, what lies between the
-- two, and net and gross revenue retention (NRR, GRR) over the year that ends with the month.
-- grain: month
-- check: due_amount = retained_amount + contraction_amount + churn_amount + open_amount + unknown_amount
-- check: renewed_accounts <= due_accounts
-- check: grr is null or grr between 0 and 1
-- column: month | first day of the month
-- column: is_final | whether the grace of all its terms has passed
-- column: due_orders | orders whose term ends in the month
-- column: due_amount | finance: their amounts, workspace currency
-- column: renewed_amount | finance: what new orders bring, expansion counted
-- column: finance_rate | renewed_amount / due_amount; may be above 1
-- column: retained_amount | of the amount due, what new orders keep
-- column: expansion_amount | what they add
-- column: contraction_amount | of the amount due, what renewals lost
-- column: churn_amount | of the amount due, what nothing renewed in time
-- column: open_amount | of the amount due, what may still be renewed
-- column: unknown_amount | of the amount due, what was renewed by an amount that is not known
-- column: due_accounts | business: accounts with a term that ends in the month
-- column: renewed_accounts | business: of these, renewed
-- column: business_rate | renewed_accounts / due_accounts
-- column: differing_lines | rows of marts.renewals in which the two do not say the same; each says why
-- column: year_start_amount | a year's value of the terms in force a year before the month's end (or the run's day); a term that is or may still be renewed counts until the next begins
-- column: year_expansion | of their accounts, what they pay more a year now
-- column: year_contraction | of their accounts, what those who stayed pay less
-- column: year_churn | of their accounts, what those who left paid
-- column: nrr | (year_start_amount + year_expansion - year_contraction - year_churn) / year_start_amount; null before the first full year
-- column: grr | the same without year_expansion
with line as (
    select month, max(grace_ends_on) < $as_of as is_final, count(*) as due_orders, sum(due_amount) as due_amount,
           sum(renewed_amount) as renewed_amount, sum(retained_amount) as retained_amount,
           sum(expansion_amount) as expansion_amount, sum(contraction_amount) as contraction_amount,
           sum(churn_amount) as churn_amount, sum(open_amount) as open_amount,
           sum(due_amount) filter (status = 'unknown') as unknown_amount,
           sum(business_due)::bigint as due_accounts, sum(business_renewed)::bigint as renewed_accounts,
           count(difference) as differing_lines
    from marts.renewals
    group by month
),
term as (
    select party_id, term_starts_on,
           case when status in ('open', 'to_come') then grace_ends_on
                when next_starts_on is not null then next_starts_on - 1
                else term_ends_on end as counts_until,
           due_amount * 365 / (term_ends_on - term_starts_on + 1) as yearly
    from marts.renewals
    where party_id is not null and due_amount is not null and term_ends_on >= term_starts_on
),
day as (
    select month, least(last_day(month), $as_of) as ends_on,
           (least(last_day(month), $as_of) - interval 1 year)::date as starts_on
    from line
    where month <= $as_of
),
standing as (
    select day.month, term.party_id,
           coalesce(sum(yearly) filter (day.starts_on between term_starts_on and counts_until), 0) as at_start,
           coalesce(sum(yearly) filter (day.ends_on between term_starts_on and counts_until), 0) as at_end
    from day
    join term on term.term_starts_on <= day.ends_on and term.counts_until >= day.starts_on
    group by all
),
year as (
    select month, sum(at_start)::decimal(18, 2) as year_start_amount,
           sum(greatest(at_end - at_start, 0))::decimal(18, 2) as year_expansion,
           sum(greatest(at_start - at_end, 0)) filter (at_end > 0)::decimal(18, 2) as year_contraction,
           sum(at_start) filter (at_end = 0)::decimal(18, 2) as year_churn
    from standing
    where at_start > 0
    group by month
)
select line.month, line.is_final, line.due_orders, coalesce(line.due_amount, 0)::decimal(18, 2) as due_amount,
       coalesce(line.renewed_amount, 0)::decimal(18, 2) as renewed_amount,
       (line.renewed_amount / nullif(line.due_amount, 0))::double as finance_rate,
       coalesce(line.retained_amount, 0)::decimal(18, 2) as retained_amount,
       coalesce(line.expansion_amount, 0)::decimal(18, 2) as expansion_amount,
       coalesce(line.contraction_amount, 0)::decimal(18, 2) as contraction_amount,
       coalesce(line.churn_amount, 0)::decimal(18, 2) as churn_amount,
       coalesce(line.open_amount, 0)::decimal(18, 2) as open_amount,
       coalesce(line.unknown_amount, 0)::decimal(18, 2) as unknown_amount,
       line.due_accounts, line.renewed_accounts, line.renewed_accounts / nullif(line.due_accounts, 0) as business_rate,
       line.differing_lines,
       year.year_start_amount, coalesce(year_expansion, 0)::decimal(18, 2) as year_expansion,
       coalesce(year_contraction, 0)::decimal(18, 2) as year_contraction,
       coalesce(year_churn, 0)::decimal(18, 2) as year_churn,
       ((year_start_amount + coalesce(year_expansion, 0) - coalesce(year_contraction, 0) - coalesce(year_churn, 0))
           / year_start_amount)::double as nrr,
       ((year_start_amount - coalesce(year_contraction, 0) - coalesce(year_churn, 0)) / year_start_amount)::double
           as grr
from line
left join year using (month)
