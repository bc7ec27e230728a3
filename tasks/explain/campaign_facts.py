"""What is stored on a campaign: whom it touched, how far they came, what it cost, what it earned of which deals."""

from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said
from tasks.explain.credit_words import BASES
from tasks.summary import Rows, rows_of

_FIGURES = """
select roi.*, models.position from marts.campaign_roi as roi
join marts.models_and_bases as models using (model, basis)
where roi.campaign_id = $campaign_id
order by models.position, roi.basis
"""
# How far a company came after the campaign's first touch stands behind the stages; the furthest come first.
_COMPANIES = """
select accounts.name, touched.* from marts.campaign_accounts as touched
left join resolved.accounts using (account_id)
where touched.campaign_id = $campaign_id
order by became_won desc, became_opportunity desc, became_sql desc, became_mql desc, became_lead desc, touches desc,
         account_id
"""
_COSTS = """
select cost_id, kind, is_budget, min(spent_on) as spent_from, max(spent_on) as spent_to, sum(amount_base) as amount
from core.campaign_costs, marts.workspace
where campaign_id = $campaign_id and coalesce(spent_on, as_of) <= as_of
group by all
order by spent_from, cost_id
"""
_DEALS = """
select credit.deal_id, any_value(credit.deal_name) as name,
       string_agg(distinct credit.account_name, ', ' order by credit.account_name) as account,
       any_value(credit.deal_status) as status, sum(credit.credit) as credit, count(credit.touch_id) as touches,
       any_value(total.amount) as amount
from marts.attribution_credit as credit
join core.deal_amounts as total on total.deal_id = credit.deal_id and total.basis = credit.basis
where credit.campaign_id = $campaign_id and credit.model = $model and credit.basis = $basis
group by credit.deal_id
order by credit desc nulls last, credit.deal_id
"""


def campaign_facts(con: duckdb.DuckDBPyConnection, campaign_id: str) -> dict[str, Any]:
    """Figures by model and basis, companies, costs and deals of the campaign. Raises BadUsage if unknown.

    `deals` are those of the model that is shown first, on the basis nearest to money on which it has credits.
    """
    figures = rows_of(con, _FIGURES, campaign_id=campaign_id)
    if not figures:
        raise BadUsage(said("attribute_no_campaign", campaign_id=campaign_id))
    model = next((row["model"] for row in figures if not row["is_influence"]), figures[0]["model"])
    basis, deals = _deals(con, campaign_id, model)
    return {
        "campaign_id": campaign_id,
        "first_model": model,
        "figures": figures,
        "companies": rows_of(con, _COMPANIES, campaign_id=campaign_id),
        "costs": rows_of(con, _COSTS, campaign_id=campaign_id),
        "deals_basis": basis,
        "deals": deals,
    }


def _deals(con: duckdb.DuckDBPyConnection, campaign_id: str, model: str) -> tuple[str, Rows]:
    for basis in BASES:
        if found := rows_of(con, _DEALS, campaign_id=campaign_id, model=model, basis=basis):
            return basis, found
    return BASES[-1], []
