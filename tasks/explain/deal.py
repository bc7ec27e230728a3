"""Why a deal's credits are what they are, and a campaign's ROI: from the published file, in words."""

from __future__ import annotations

from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import say
from scoring.attribution.rules import ANCHORED
from tasks.summary import Rows, rows_of

_BASES = ("cash", "signed", "invoiced", "pipeline")
_MOST_COMPANIES = 12
_MOST_DEALS = 20
_JOURNEY = """
select touches.occurred_at, touches.type, coalesce(campaigns.name, touches.campaign_id, '-') as campaign,
       coalesce(touches.channel, '-') as channel, coalesce(persons.name, '-') as person, persons.title,
       journey.anchors
from scored.deal_touches as journey
join core.touches using (touch_id)
left join core.campaigns on campaigns.campaign_id = touches.campaign_id
left join matched.persons on persons.person_id = touches.person_id
where journey.deal_id = $deal_id
order by journey.position
"""
_CREDITS = """
select models.position, models.is_influence, credit.model, credit.campaign_name as campaign, credit.reason,
       count(credit.touch_id) as touches, sum(credit.weight) as weight, sum(credit.credit) as credit,
       string_agg(distinct credit.anchors, '+' order by credit.anchors) as anchors
from marts.attribution_credit as credit
join marts.models_and_bases as models using (model, basis)
where credit.deal_id = $deal_id and credit.basis = $basis
group by models.position, models.is_influence, credit.model, credit.campaign_name, credit.reason
order by models.position, credit desc nulls last, weight desc, campaign
"""


def explain_deal(con: duckdb.DuckDBPyConnection, deal_id: str, language: str = "en") -> str:
    """The deal's journey as a time line, and each model's credits with their reasons. Raises BadUsage if unknown."""
    found = rows_of(
        con,
        """
        select journey.*, deals.lead_created_at from marts.deal_journey as journey
        join core.deals using (deal_id) where deal_id = $deal_id
        """,
        deal_id=deal_id,
    )
    if not found:
        raise BadUsage(say("attribute_no_deal", language, deal_id=deal_id))
    deal = found[0]
    lines = [_deal_title(deal, language), *_deal_summary(con, deal, language), ""]
    lines += [say("attribute_journey", language), *_time_line(con, deal, language)]
    by_basis = {basis: rows_of(con, _CREDITS, deal_id=deal_id, basis=basis) for basis in _BASES}
    shown = [basis for basis in _BASES if by_basis[basis]]
    for basis in shown:
        rows = by_basis[basis]
        # All models on the basis nearest to money; on the others, which share alike, only the first model.
        rows = rows if basis == shown[0] else [row for row in rows if row["position"] == rows[0]["position"]]
        lines += ["", *_credit_lines(rows, basis, language)]
    return "\n".join([*lines, "", say("attribute_see_campaign", language)])


def _deal_title(deal: dict[str, Any], language: str) -> str:
    return say(
        "attribute_deal_title",
        language,
        deal_id=deal["deal_id"],
        name=deal["name"] or "-",
        account=deal["account_name"] or deal["account_id"] or "-",
        status=say(f"attribute_status_{deal['status']}", language),
        amount=_money(deal["amount_base"], language),
    )


def _deal_summary(con: duckdb.DuckDBPyConnection, deal: dict[str, Any], language: str) -> list[str]:
    lines = []
    if deal["is_won_before_contact"]:
        lines.append(say("attribute_deal_won_before_contact", language))
    if not deal["touches"]:
        return [*lines, say("attribute_deal_no_touches", language)]
    counts = {name: deal[name] for name in ("touches", "people", "campaigns", "days")}
    lines.append(say("attribute_deal_summary", language, **counts))
    if deal["first_decision_maker_id"]:
        person = rows_of(
            con, "select name from matched.persons where person_id = $id", id=deal["first_decision_maker_id"]
        )
        lines.append(
            say(
                "attribute_deal_decision_maker",
                language,
                person=(person[0]["name"] if person else None) or deal["first_decision_maker_id"],
                campaign=deal["decision_maker_campaign_id"],
                day=f"{deal['decision_maker_at']:%Y-%m-%d}",
            )
        )
    return lines


def _time_line(con: duckdb.DuckDBPyConnection, deal: dict[str, Any], language: str) -> list[str]:
    """Touches and the deal's own events in one order."""
    events = [
        (deal["lead_created_at"], "attribute_event_lead"),
        (deal["created_at"], "attribute_event_opportunity"),
        (deal["closed_at"] if deal["status"] != "open" else None, f"attribute_event_{deal['status']}"),
    ]
    lines = [(at, 1, say(code, language, at=f"{at:%Y-%m-%d %H:%M}")) for at, code in events if at is not None]
    for row in rows_of(con, _JOURNEY, deal_id=deal["deal_id"]):
        anchors = ", ".join(
            say(f"attribute_anchor_{name}", language) for name in (row["anchors"] or "").split("+") if name
        )
        person = " ".join(part for part in (row["person"], row["title"]) if part)
        line = say(
            "attribute_journey_line",
            language,
            at=f"{row['occurred_at']:%Y-%m-%d %H:%M}",
            type=row["type"] or "-",
            campaign=row["campaign"],
            channel=row["channel"],
            person=person,
            anchors=f"  [{anchors}]" if anchors else "",
        )
        lines.append((row["occurred_at"], 0, line))
    return ["  " + line for _, _, line in sorted(lines, key=lambda entry: entry[:2])]


def _credit_lines(found: Rows, basis: str, language: str) -> list[str]:
    first = [row for row in found if row["model"] == found[0]["model"]]
    amounts = [row["credit"] for row in first if row["credit"] is not None]
    title = say(
        "attribute_credits",
        language,
        basis=say(f"attribute_basis_{basis}", language),
        amount=_money(sum(amounts) if amounts else None, language),
    )
    return [title, *(_model_line([row for row in found if row["model"] == name], language) for name in _models(found))]


def _models(found: Rows) -> list[str]:
    return list(dict.fromkeys(str(row["model"]) for row in found))


def _model_line(rows: Rows, language: str) -> str:
    model = rows[0]["model"]
    if rows[0]["is_influence"] and rows[0]["touches"]:
        names = ", ".join(str(row["campaign"]) for row in rows)
        return say("attribute_influence_line", language, model=model, campaigns=names)
    shares = [
        say(
            "attribute_credit_share",
            language,
            campaign=_campaign(row["campaign"], language),
            percent=f"{row['weight']:.1%}",
            credit=_money(row["credit"], language),
            why=_why(row, language),
        )
        for row in rows
    ]
    return say("attribute_credit_line", language, model=model, shares="; ".join(shares))


def _why(row: dict[str, Any], language: str) -> str:
    if row["reason"] != "anchor":
        return say(f"attribute_why_{row['reason']}", language)
    of_model = ANCHORED.get(row["model"], {})
    falling = set((row["anchors"] or "").split("+"))
    names = [name for name in of_model if name in falling]
    anchors = ", ".join(say(f"attribute_anchor_{name}", language) for name in names)
    return say("attribute_why_anchor", language, anchors=anchors or row["model"])


def _campaign(name: str, language: str) -> str:
    return say("attribute_unattributed", language) if name == "(unattributed)" else name


def _money(amount: Any, language: str) -> str:
    return say("attribute_unknown_amount", language) if amount is None else f"{amount:,.2f}"


def explain_campaign(con: duckdb.DuckDBPyConnection, campaign_id: str, language: str = "en") -> str:
    """Whom the campaign touched, what it cost, what it earned and of which deals. Raises BadUsage if unknown."""
    figures = rows_of(
        con,
        """
        select roi.*, models.position from marts.campaign_roi as roi
        join marts.models_and_bases as models using (model, basis)
        where roi.campaign_id = $campaign_id and not roi.is_influence
        order by models.position, roi.basis
        """,
        campaign_id=campaign_id,
    )
    if not figures:
        raise BadUsage(say("attribute_no_campaign", language, campaign_id=campaign_id))
    first = figures[0]
    title = {name: first[name] or "-" for name in ("campaign_id", "name", "channel")}
    lines = [say("attribute_campaign_title", language, **title)]
    if not first["is_listed"] and not campaign_id.startswith("("):
        lines.append(say("attribute_campaign_unlisted", language))
    reach = ("touches", "people", "accounts", "target_accounts", "mqls", "sqls", "opportunities", "won_deals")
    lines.append(say("attribute_campaign_reach", language, **{name: first[name] for name in reach}))
    lines += _companies(con, campaign_id, language)
    lines += ["", *_cost_lines(con, first, language), *_roi_lines(figures, first["position"], language)]
    lines += ["", *_deal_lines(con, campaign_id, first["model"], language)]
    return "\n".join([*lines, "", say("attribute_see_deal", language)])


def _companies(con: duckdb.DuckDBPyConnection, campaign_id: str, language: str) -> list[str]:
    found = rows_of(
        con,
        """
        select coalesce(accounts.name, touches.account_id) as name, count(*) as touches
        from core.touches left join resolved.accounts using (account_id)
        where not touches.is_future and touches.account_id is not null
          and coalesce(touches.campaign_id, '(' || coalesce(touches.channel, 'unknown') || ')') = $campaign_id
        group by all order by touches desc, name
        """,
        campaign_id=campaign_id,
    )
    if not found:
        return []
    names = ", ".join(f"{row['name']} ({row['touches']})" for row in found[:_MOST_COMPANIES])
    rest = len(found) - _MOST_COMPANIES
    more = say("attribute_and_more", language, count=rest) if rest > 0 else ""
    return [say("attribute_campaign_companies", language, names=names, more=more)]


def _cost_lines(con: duckdb.DuckDBPyConnection, first: dict[str, Any], language: str) -> list[str]:
    if first["cost"] is None:
        return [say("attribute_no_cost", language)]
    found = rows_of(
        con,
        """
        select cost_id, spent_on, kind, amount_base from core.campaign_costs
        where campaign_id = $campaign_id order by spent_on, cost_id limit 20
        """,
        campaign_id=first["campaign_id"],
    )
    title = say(
        "attribute_campaign_cost",
        language,
        cost=_money(first["cost"], language),
        budget=say("attribute_is_budget", language) if first["is_budget"] else "",
        deal_cost=_money(first["deal_cost"] or 0, language),
    )
    return [title] + [
        say(
            "attribute_cost_line",
            language,
            day=row["spent_on"] or "-",
            kind=row["kind"],
            amount=_money(row["amount_base"], language),
            cost_id=row["cost_id"],
        )
        for row in found
    ]


def _roi_lines(figures: Rows, position: int, language: str) -> list[str]:
    return [
        say(
            "attribute_campaign_roi_line",
            language,
            basis=say(f"attribute_basis_{row['basis']}", language),
            model=row["model"],
            amount=_money(row["attributed_amount"] or 0, language),
            roi="-" if row["roi"] is None else f"{row['roi']:.0%}",
        )
        for row in figures
        if row["position"] == position
    ]


def _deal_lines(con: duckdb.DuckDBPyConnection, campaign_id: str, model: str, language: str) -> list[str]:
    """The deals behind the ROI, most first, on the basis nearest to money that the campaign has credits on."""
    for basis in _BASES:
        found = rows_of(
            con,
            """
            select credit.deal_id, any_value(credit.deal_name) as name, any_value(credit.account_name) as account,
                   sum(credit.credit) as credit, count(credit.touch_id) as touches,
                   any_value(total.amount) as amount
            from marts.attribution_credit as credit
            join core.deal_amounts as total on total.deal_id = credit.deal_id and total.basis = credit.basis
            where credit.campaign_id = $campaign_id and credit.model = $model and credit.basis = $basis
            group by credit.deal_id order by credit desc nulls last, credit.deal_id limit $most
            """,
            campaign_id=campaign_id,
            model=model,
            basis=basis,
            most=_MOST_DEALS,
        )
        if found:
            title = say(
                "attribute_campaign_deals", language, model=model, basis=say(f"attribute_basis_{basis}", language)
            )
            return [title, *(_deal_line(row, language) for row in found)]
    return []


def _deal_line(row: dict[str, Any], language: str) -> str:
    return say(
        "attribute_campaign_deal_line",
        language,
        deal_id=row["deal_id"],
        name=row["name"] or "-",
        account=row["account"] or "-",
        credit=_money(row["credit"], language),
        amount=_money(row["amount"], language),
        touches=row["touches"],
    )
