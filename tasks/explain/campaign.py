"""Why a campaign's ROI is what it is: whom it touched and how far they came, its costs, its credits deal by deal."""

from __future__ import annotations

from typing import Any

import duckdb

from abmloop.messages import say
from tasks.explain.campaign_facts import campaign_facts
from tasks.explain.credit_words import BASES, basis_words, money_words
from tasks.summary import Rows

_MOST_COMPANIES = 12
_MOST_DEALS = 20
_MOST_COSTS = 20
_REACHED = ("target", "lead", "mql", "sql", "opportunity", "won")


def explain_campaign(con: duckdb.DuckDBPyConnection, campaign_id: str, language: str = "en") -> str:
    """Whom the campaign touched, what it cost, what it earned and of which deals. Raises BadUsage if unknown."""
    facts = campaign_facts(con, campaign_id)
    first = next((row for row in facts["figures"] if row["model"] == facts["first_model"]), facts["figures"][0])
    title = {name: first[name] or "-" for name in ("campaign_id", "name", "channel")}
    lines = [say("attribute_campaign_title", language, **title)]
    if not first["is_listed"] and not campaign_id.startswith("("):
        lines.append(say("attribute_campaign_unlisted", language))
    lines += [*_reach_lines(first, language), *_company_lines(facts["companies"], language)]
    lines += ["", *_cost_lines(facts["costs"], first, language), *_roi_lines(facts, language)]
    lines += ["", *_deal_lines(facts, language)]
    return "\n".join([*lines, "", say("attribute_see_deal", language)])


def _reach_lines(first: dict[str, Any], language: str) -> list[str]:
    people = ("touches", "people", "inquiries", "mqls", "sqls", "opportunities", "won_deals")
    companies = ("accounts", "target_accounts", *(f"{stage}_accounts" for stage in _REACHED[1:]))
    return [
        say("attribute_campaign_reach", language, **{name: first[name] for name in people}),
        say("attribute_campaign_accounts", language, **{name: first[name] for name in companies}),
    ]


def _company_lines(companies: Rows, language: str) -> list[str]:
    if not companies:
        return []
    lines = ["", say("attribute_campaign_companies", language)]
    for row in companies[:_MOST_COMPANIES]:
        stages = [stage for stage in _REACHED if row["is_target" if stage == "target" else f"became_{stage}"]]
        told = ", ".join(say(f"attribute_reached_{stage}", language) for stage in stages)
        lines.append(
            say(
                "attribute_campaign_company_line",
                language,
                name=row["name"] or row["account_id"],
                touches=row["touches"],
                people=row["people"],
                day=f"{row['first_touch_at']:%Y-%m-%d}",
                reached=told or "-",
            )
        )
    return lines + _and_more(len(companies) - _MOST_COMPANIES, language)


def _and_more(count: int, language: str) -> list[str]:
    return [say("attribute_and_more", language, count=count)] if count > 0 else []


def _cost_lines(costs: Rows, first: dict[str, Any], language: str) -> list[str]:
    if first["cost"] is None:
        return [say("attribute_no_cost", language)]
    title = say(
        "attribute_campaign_cost",
        language,
        cost=money_words(first["cost"], language),
        budget=say("attribute_is_budget", language) if first["is_budget"] else "",
        deal_cost=money_words(first["deal_cost"] or 0, language),
    )
    lines = [title, *(_cost_line(row, language) for row in costs[:_MOST_COSTS])]
    each = {
        name: say(f"attribute_cost_per_{name}", language, cost=money_words(first[f"cost_per_{name}"], language))
        for name in ("inquiry", "mql", "sql", "opportunity")
        if first[f"cost_per_{name}"] is not None
    }
    per = [say("attribute_cost_per", language, each="; ".join(each.values()))] if each else []
    return lines + _and_more(len(costs) - _MOST_COSTS, language) + per


def _cost_line(row: dict[str, Any], language: str) -> str:
    days = row["spent_from"] or "-"
    if row["spent_to"] != row["spent_from"]:
        days = f"{row['spent_from']} … {row['spent_to']}"
    return say(
        "attribute_cost_line",
        language,
        day=days,
        kind=row["kind"],
        amount=money_words(row["amount"], language),
        cost_id=row["cost_id"],
    )


def _roi_lines(facts: dict[str, Any], language: str) -> list[str]:
    """The model shown first on every basis; then the other models on the basis of the deals below."""
    shown = [row for row in facts["figures"] if not row["is_influence"]]
    first = sorted(
        (row for row in shown if row["model"] == facts["first_model"]), key=lambda row: BASES.index(row["basis"])
    )
    others = [row for row in shown if row["model"] != facts["first_model"] and row["basis"] == facts["deals_basis"]]
    return [_roi_line(row, language) for row in [*first, *others]]


def _roi_line(row: dict[str, Any], language: str) -> str:
    return say(
        "attribute_campaign_roi_line",
        language,
        basis=basis_words(row["basis"], language),
        model=row["model"],
        amount=money_words(row["attributed_amount"] or 0, language),
        roi="-" if row["roi"] is None else f"{row['roi']:.0%}",
    )


def _deal_lines(facts: dict[str, Any], language: str) -> list[str]:
    deals = facts["deals"]
    if not deals:
        return [say("attribute_campaign_no_deals", language)]
    title = say(
        "attribute_campaign_deals",
        language,
        model=facts["first_model"],
        basis=basis_words(facts["deals_basis"], language),
        deals=len(deals),
    )
    lines = [title, *(_deal_line(row, language) for row in deals[:_MOST_DEALS])]
    rest = deals[_MOST_DEALS:]
    if rest:
        credit = money_words(sum(row["credit"] or 0 for row in rest), language)
        lines.append(say("attribute_campaign_other_deals", language, deals=len(rest), credit=credit))
    return lines


def _deal_line(row: dict[str, Any], language: str) -> str:
    return say(
        "attribute_campaign_deal_line",
        language,
        deal_id=row["deal_id"],
        name=row["name"] or "-",
        account=row["account"] or "-",
        credit=money_words(row["credit"], language),
        amount=money_words(row["amount"], language),
        touches=row["touches"],
    )
