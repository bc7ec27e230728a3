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
