"""The report's figures: each a SELECT on the published file that an analyst can paste."""

from typing import Any

import duckdb

from tasks.summary import Rows, rows_of

STAGES = ("inquiry", "mql", "sal", "sql", "opportunity", "won")

GLANCE = """
select (select count(*) from resolved.accounts) as accounts,
       (select count(distinct account_id) from resolved.target_accounts where list = 'target') as targets,
       (select count(*) from matched.persons) as people,
       (select count(*) from matched.person_accounts where decision in ('auto', 'manual')) as matched,
       (select count(distinct lead_id) from scored.lead_stages where stage = 'mql') as mql,
       (select count(distinct lead_id) from scored.lead_stages where stage = 'sql') as sql,
       (select count(*) from core.deals where status = 'won') as won,
       (select sum(attributed_amount) from marts.channel_roi where model = $model and basis = 'signed') as signed,
       (select sum(attributed_amount) from marts.channel_roi where model = $model and basis = 'cash') as cash,
       (select sum(cost) from marts.channel_roi where model = $model and basis = 'cash') as cost
"""

FUNNEL = """
select stage, count(distinct lead_id) as leads
from scored.lead_stages where list_contains($stages, stage)
group by stage
order by stage
"""

FUNNEL_BY_MONTH = """
select stage, strftime(entered_at, '%Y-%m') as month, count(*) as leads
from scored.lead_stages where list_contains($stages, stage) and stage <> 'inquiry'
group by stage, month
order by stage, month
"""

CHANNELS = """
select channel, cost, attributed_amount as amount, roi
from marts.channel_roi
where model = $model and basis = 'cash' and (cost is not null or attributed_amount <> 0)
order by amount desc nulls last, channel
"""

MONEY_BY_MONTH = """
select strftime(signed_on, '%Y-%m') as month, 'signed' as basis, sum(amount_base)::double as amount
from core.orders where signed_on is not null group by month
union all
select strftime(paid_on, '%Y-%m'), 'cash', sum(amount_base)::double
from core.payments where paid_on is not null group by all
order by month, basis
"""

CAMPAIGNS = """
select campaign_id, any_value(name) as name, any_value(channel) as channel,
       any_value(full_cost) as cost, bool_or(is_budget) as is_budget,
       any_value(mqls) as mqls, any_value(sqls) as sqls, any_value(won_deals) as won,
       max(attributed_amount) filter (basis = 'pipeline') as pipeline,
       max(attributed_amount) filter (basis = 'signed') as signed,
       max(attributed_amount) filter (basis = 'cash') as cash,
       max(roi) filter (basis = 'signed') as roi_signed,
       max(roi) filter (basis = 'cash') as roi_cash
from marts.campaign_roi
where model = $model
group by campaign_id
order by roi_cash desc nulls last, cash desc nulls last, campaign_id
"""

MODELS = """
with best as (
    select campaign_id
    from marts.attribution_compare where model = $model and basis = 'signed'
    order by attributed_amount desc, campaign_id limit 8
)
select coalesce(name, campaign_id) as campaign, model, share
from marts.attribution_compare join best using (campaign_id)
where basis = 'signed' and model <> 'participation'
order by campaign, model
"""

UNATTRIBUTED = """
select sum(attributed_amount) as total,
       coalesce(sum(attributed_amount) filter (channel = '(unattributed)'), 0) as part
from marts.channel_roi where model = $model and basis = 'signed'
"""

JOURNEYS = """
select count(*) as deals, median(touches) as touches, median(people) as people,
       median(campaigns) as campaigns, median(days) as days
from marts.deal_journey where status = 'won' and touches > 0
"""

FORECAST = """
select horizon, starts_on, ends_on, method, any_value(note) filter (part = 'total') as note,
       sum(expected_amount) filter (part = 'won') as won, sum(expected_amount) filter (part = 'open') as open,
       sum(expected_amount) filter (part = 'new') as new,
       max(expected_amount) filter (part = 'total') as expected, max(low_amount) as low, max(high_amount) as high,
       max(amount_base) filter (part = 'total') as pipeline, max(crm_amount) filter (part = 'total') as crm,
       max(last_period_amount) as last_period, max(pipeline_rate_amount) as pipeline_rate
from marts.forecast
group by horizon, starts_on, ends_on, method
order by starts_on, ends_on, horizon
"""

FORECAST_BY_STAGE = """
select stage, sum(deals) filter (horizon = 'next_30_days')::bigint as deals,
       sum(amount_base) filter (horizon = 'next_30_days') as amount,
       sum(crm_amount) filter (horizon = 'next_30_days') as crm,
       sum(expected_amount) filter (horizon = 'next_30_days') as expected_30,
       sum(expected_amount) filter (horizon = 'next_90_days') as expected_90
from marts.forecast
where part = 'open'
group by stage
order by expected_90 desc nulls last, stage
"""

BACK_TEST = """
select horizon, forecast_on, any_value(actual_amount) as actual,
       max(said_amount) filter (method = 'forecast') as forecast,
       max(low_amount) as low, max(high_amount) as high,
       max(said_amount) filter (method = 'last_period') as last_period,
       max(said_amount) filter (method = 'pipeline_rate') as pipeline_rate,
       max(said_amount) filter (method = 'crm_probability') as crm_probability
from marts.forecast_backtest
group by horizon, forecast_on
order by horizon, forecast_on
"""

BACK_TEST_ERRORS = """
select horizon, max(wape) filter (method = 'forecast') as forecast,
       max(wape) filter (method = 'last_period') as last_period,
       max(wape) filter (method = 'pipeline_rate') as pipeline_rate,
       max(wape) filter (method = 'crm_probability') as crm_probability,
       count(*) filter (is_inside) as inside, count(is_inside) as tested
from marts.forecast_backtest
group by horizon
order by horizon
"""

QUALITY_HISTORY = """
select source, entity, landed_on, rows_in, refused_share from marts.quality_history order by landed_on, source, entity
"""

MATCHES = """
select decision, method, count(*) as people
from matched.person_accounts group by all order by people desc, decision, method
"""


def first_model(con: duckdb.DuckDBPyConnection) -> str:
    """The model that reports show first."""
    found = con.execute("select any_value(first_model) from marts.attribution_compare").fetchall()[0][0]
    return str(found or "linear")


def figure(con: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> Rows:
    """The rows of a figure; parameters that its SQL does not name are left out."""
    return rows_of(con, sql, **{name: value for name, value in parameters.items() if f"${name}" in sql})
