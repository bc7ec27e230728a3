"""The report on the loop as a whole: funnel against its past, cohorts, speed, customers, renewals, segments."""

import duckdb

from tasks.report.figures import figure
from tasks.summary import Rows

# Each stage with the segment that pulls it down most, of those that are known.
CHANGES = """
with driver as (
    select stage, dimension, member, member_name, contribution
    from marts.funnel_change
    where drives = 1 and not starts_with(member, '(')
    qualify row_number() over (partition by stage order by beyond_share, dimension, member) = 1
)
select whole.*, driver.member_name as driver, driver.dimension as driver_of, driver.contribution as driver_part
from marts.funnel_change as whole
left join driver using (stage)
where whole.dimension = 'all' and whole.change is not null
order by whole.stage_rank
"""

COHORTS = """
select cohort_month, any_value(leads) as leads,
       max(rate) filter (stage = 'mql') as mql, max(rate) filter (stage = 'sal') as sal,
       max(rate) filter (stage = 'sql') as sql, max(rate) filter (stage = 'opportunity') as opportunity,
       max(rate) filter (stage = 'won') as won,
       max(median_days) filter (stage = 'sql') as days_to_sql, max(median_days) filter (stage = 'won') as days_to_won
from marts.funnel_cohort
where dimension = 'all'
group by cohort_month
order by cohort_month desc
limit 12
"""

VELOCITY = """
with step as (
    select *, list_position(['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'inquiry_to_won', 'deal_won', 'deal_lost',
                             'order_to_cash'], step) as place
    from marts.velocity
    where dimension = 'all'
),
quarter as (
    select step, arg_max(median_days, starts_on) as lately from step where period = 'quarter' group by step
)
select step.step, step.completed, step.median_days, step.p75_days, step.p90_days, quarter.lately, step.win_rate,
       step.amount_per_day
from step
join quarter using (step)
where step.period = 'all'
order by step.place
"""

ECONOMICS = """
select channel, new_customers, full_cost, is_budget, cac, ltv, ltv_to_cac, payback_months, paid_back
from marts.unit_economics
where model = $model and cohort is null and (new_customers > 0 or full_cost > 0)
order by channel = '(all)' desc, new_customers desc nulls last, channel
"""

RENEWALS = """
select month, due_amount, renewed_amount, finance_rate, open_amount, due_accounts, renewed_accounts, business_rate,
       differing_lines, nrr, grr, is_final
from marts.renewal_rates
where month <= (select as_of + 92 from marts.workspace)
order by month desc
limit 15
"""

DIFFERENCES = """
select coalesce(difference, 'none') as difference, count(*) as lines, sum(due_amount) as due_amount,
       sum(renewed_amount) as renewed_amount
from marts.renewals
where month <= (select as_of from marts.workspace)
group by difference
order by lines desc, difference
"""

QUARTERS = """
select starts_on, sum(cost) as cost, sum(amount_by_touch_date) as by_touch, sum(amount_by_close_date) as by_close
from marts.campaign_returns
where dimension = 'channel' and period = 'quarter' and model = $model and basis = 'signed'
group by starts_on
order by starts_on
"""

SEGMENTS = """
select dimension, member, reach.accounts, reach.target_accounts, reach.mql_accounts, reach.opportunity_accounts,
       reach.won_accounts, reach.cost, money.amount_by_touch_date as amount, money.roi_by_touch_date as roi
from marts.campaign_reach as reach
left join marts.campaign_returns as money using (dimension, member)
where reach.dimension = $dimension and money.dimension = $dimension and reach.period = 'all' and money.period = 'all'
  and money.model = $model and money.basis = 'signed'
order by amount desc nulls last, member
limit 10
"""


def loop_figures(con: duckdb.DuckDBPyConnection, model: str) -> dict[str, Rows]:
    """The rows of each table of the report's part on the loop, by its name; credits by that model."""
    tables = {
        "changes": CHANGES, "cohorts": COHORTS, "velocity": VELOCITY, "economics": ECONOMICS, "renewals": RENEWALS,
        "differences": DIFFERENCES, "quarters": QUARTERS,
    }  # fmt: skip
    found = {name: figure(con, sql, model=model) for name, sql in tables.items()}
    segments = {name: figure(con, SEGMENTS, dimension=name, model=model) for name in ("region", "grade", "team")}
    return {**found, **segments}
