"""What is stored on a deal: its journey, what stands beside it, which touches do not count, each model's credits."""

from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said
from tasks.summary import rows_of

_DEAL = """
select journey.*, deals.party_id, deals.lead_created_at, persons.name as first_decision_maker,
       coalesce(brought.name, journey.decision_maker_campaign_id) as decision_maker_campaign,
       coalesce(top.name, journey.top_campaign_id) as top_campaign,
       strongest.occurred_at as top_touch_at, strongest.type as top_touch_type, first_model.model as first_model
from marts.deal_journey as journey
join core.deals using (deal_id)
left join matched.persons on persons.person_id = journey.first_decision_maker_id
left join core.campaigns as brought on brought.campaign_id = journey.decision_maker_campaign_id
left join core.campaigns as top on top.campaign_id = journey.top_campaign_id
left join core.touches as strongest on strongest.touch_id = journey.top_touch_id
left join (select model from rules.attribution where not is_influence order by position limit 1) as first_model on true
where journey.deal_id = $deal_id
"""
_JOURNEY = """
select touches.touch_id, touches.occurred_at, touches.type, campaigns.campaign_id,
       coalesce(campaigns.name, touches.campaign_id) as campaign, touches.channel, touches.person_id,
       persons.name as person, persons.title, journey.anchors
from scored.deal_touches as journey
join core.touches using (touch_id)
left join core.campaigns on campaigns.campaign_id = touches.campaign_id
left join matched.persons on persons.person_id = touches.person_id
where journey.deal_id = $deal_id
order by journey.position
"""
_STAGES = "select stage, status, entered_at from core.deal_stages where deal_id = $deal_id order by entered_at, stage"
# What sales did in the time of the journey, up to the close.
_ACTIVITIES = """
select activities.occurred_at, activities.type, activities.owner_id, owners.name as owner, activities.person_id,
       persons.name as person, persons.title
from marts.deal_journey as journey
join core.activities on activities.account_id = journey.account_id
left join core.deals using (deal_id)
left join core.owners_today as owners on owners.owner_id = activities.owner_id
left join matched.persons on persons.person_id = activities.person_id
where journey.deal_id = $deal_id
  and activities.occurred_at >= least(journey.first_touch_at, deals.lead_created_at, journey.created_at)
  and (journey.status = 'open' or activities.occurred_at <= journey.closed_at)
order by activities.occurred_at, activities.row_id
"""
_NOT_COUNTED = """
select count(*) filter (deals.status <> 'open' and touches.occurred_at > deals.closed_at) as after_close,
       count(*) filter (not coalesce(deals.status <> 'open' and touches.occurred_at > deals.closed_at, false)
                        and touches.touch_id not in (select touch_id from scored.credit_touches)) as excluded_people,
       count(*) as all_touches
from core.deals
join core.deal_parts as parts using (deal_id)
join core.touches on touches.party_id = parts.party_id
where deals.deal_id = $deal_id and parts.axis = 'account' and not touches.is_future
  and touches.touch_id not in (select touch_id from scored.deal_touches where deal_id = $deal_id)
"""
_PARTS = """
select parts.axis, coalesce(accounts.name, owners.name, parts.party_id, parts.owner_id) as member, parts.share,
       arg_min(amounts.basis, list_position(['cash', 'signed', 'invoiced', 'pipeline'], amounts.basis)) as basis,
       arg_min(amounts.amount, list_position(['cash', 'signed', 'invoiced', 'pipeline'], amounts.basis)) as amount
from core.deal_parts as parts
left join core.part_amounts as amounts using (deal_id, axis, part)
left join resolved.accounts on accounts.account_id = parts.account_id
left join core.owners_today as owners on owners.owner_id = parts.owner_id
where parts.deal_id = $deal_id and parts.is_split
group by parts.axis, parts.part, parts.share, accounts.name, owners.name, parts.party_id, parts.owner_id
order by parts.axis, parts.part
"""
_CREDITS = """
select credit.basis, models.position, models.is_influence, credit.model, credit.campaign_id,
       credit.campaign_name as campaign, credit.reason, count(credit.touch_id) as touches, sum(credit.weight) as weight,
       sum(credit.credit) as credit, string_agg(distinct credit.anchors, '+' order by credit.anchors) as anchors
from marts.attribution_credit as credit
join marts.models_and_bases as models using (model, basis)
where credit.deal_id = $deal_id
group by all
order by models.position, credit desc nulls last, weight desc, campaign
"""


def deal_facts(con: duckdb.DuckDBPyConnection, deal_id: str) -> dict[str, Any]:
    """The deal with journey, stages, activities, touches that do not count, and credits. Raises BadUsage if unknown."""
    found = rows_of(con, _DEAL, deal_id=deal_id)
    if not found:
        raise BadUsage(said("attribute_no_deal", deal_id=deal_id))
    return {
        "deal": found[0],
        "journey": rows_of(con, _JOURNEY, deal_id=deal_id),
        "stages": rows_of(con, _STAGES, deal_id=deal_id),
        "activities": rows_of(con, _ACTIVITIES, deal_id=deal_id),
        "not_counted": rows_of(con, _NOT_COUNTED, deal_id=deal_id)[0],
        "parts": rows_of(con, _PARTS, deal_id=deal_id),
        "credits": rows_of(con, _CREDITS, deal_id=deal_id),
    }
