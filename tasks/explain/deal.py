"""Why a deal's credits are what they are: its journey as a time line, each model's shares with their reasons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from abmloop.messages import say
from scoring.attribution.rules import ANCHORED
from tasks.explain.credit_words import BASES, basis_words, campaign_words, money_words
from tasks.explain.deal_facts import deal_facts
from tasks.summary import Rows


def explain_deal(con: duckdb.DuckDBPyConnection, deal_id: str, language: str = "en") -> str:
    """The deal's journey as a time line, and each model's credits with their reasons. Raises BadUsage if unknown."""
    facts = deal_facts(con, deal_id)
    deal = facts["deal"]
    lines = [_title(deal, language), *_summary(deal, language), *_not_counted(facts["not_counted"], language)]
    lines += [*_split(facts["parts"], language), ""]
    lines += [say("attribute_journey", language), *_time_line(facts, language)]
    by_basis = {basis: [row for row in facts["credits"] if row["basis"] == basis] for basis in BASES}
    shown = [basis for basis in BASES if by_basis[basis]]
    for basis in shown:
        rows = by_basis[basis]
        # All models on the basis nearest to money; on the others, which share alike, only the first model.
        rows = rows if basis == shown[0] else [row for row in rows if row["position"] == rows[0]["position"]]
        lines += ["", *_credit_lines(rows, basis, language)]
    return "\n".join([*lines, "", say("attribute_see_campaign", language)])


def _title(deal: dict[str, Any], language: str) -> str:
    return say(
        "attribute_deal_title",
        language,
        deal_id=deal["deal_id"],
        name=deal["name"] or "-",
        account=deal["account_name"] or deal["account_id"] or "-",
        status=say(f"attribute_status_{deal['status']}", language),
        amount=money_words(deal["amount_base"], language),
    )


def _summary(deal: dict[str, Any], language: str) -> list[str]:
    lines = []
    if deal["is_won_before_contact"]:
        lines.append(say("attribute_deal_won_before_contact", language))
    if not deal["touches"]:
        lines.append(say("attribute_deal_no_touches", language))
    else:
        counts = {name: deal[name] for name in ("touches", "people", "campaigns", "days")}
        lines.append(say("attribute_deal_summary", language, **counts))
    if deal["first_decision_maker_id"]:
        lines.append(_decision_maker(deal, language))
    if deal["top_touch_id"]:
        lines.append(
            say(
                "attribute_deal_influence",
                language,
                model=deal["first_model"],
                campaign=campaign_words(deal["top_campaign"], language),
                share=f"{deal['top_campaign_share']:.1%}",
                type=deal["top_touch_type"] or "-",
                at=_minute(deal["top_touch_at"]),
                touch_share=f"{deal['top_touch_share']:.1%}",
            )
        )
    return lines


def _decision_maker(deal: dict[str, Any], language: str) -> str:
    return say(
        f"attribute_deal_decision_maker_{deal['decision_maker_by']}",
        language,
        person=deal["first_decision_maker"] or deal["first_decision_maker_id"],
        campaign=deal["decision_maker_campaign"],
        type=deal["decision_maker_type"] or "-",
        day=f"{deal['decision_maker_at']:%Y-%m-%d}",
    )


def _not_counted(counts: dict[str, Any], language: str) -> list[str]:
    """How many touches of the same company are no part of the journey, and why."""
    if not counts["all_touches"]:
        return []
    others = counts["all_touches"] - counts["after_close"] - counts["excluded_people"]
    reasons = {"after_close": counts["after_close"], "excluded_people": counts["excluded_people"], "others": others}
    told = "; ".join(
        say(f"attribute_not_counted_{reason}", language, count=count) for reason, count in reasons.items() if count
    )
    return [say("attribute_not_counted", language, count=counts["all_touches"], reasons=told)]


def _split(parts: Rows, language: str) -> list[str]:
    """Over whom the deal is split, with shares and amounts; nothing where it is not."""
    lines = []
    for axis in dict.fromkeys(str(row["axis"]) for row in parts):
        of_axis = [row for row in parts if row["axis"] == axis]
        told = [
            say(
                "attribute_split_part",
                language,
                member=row["member"] or say("attribute_split_unknown", language),
                percent=f"{row['share']:.2%}",
                amount=money_words(row["amount"], language),
            )
            for row in of_axis
        ]
        basis = basis_words(of_axis[0]["basis"] or "pipeline", language)
        lines.append(say(f"attribute_split_{axis}", language, basis=basis, parts="; ".join(told)))
    return lines


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _time_line(facts: dict[str, Any], language: str) -> list[str]:
    """Touches, what sales did and the deal's own events in one order."""
    deal = facts["deal"]
    events = [
        (deal["lead_created_at"], "attribute_event_lead"),
        (deal["created_at"], "attribute_event_opportunity"),
        (deal["closed_at"] if deal["status"] != "open" else None, f"attribute_event_{deal['status']}"),
    ]
    lines = [(at, 3, say(code, language, at=_minute(at))) for at, code in events if at is not None]
    lines += [
        (
            row["entered_at"],
            2,
            say("attribute_event_stage", language, at=_minute(row["entered_at"]), stage=row["stage"]),
        )
        for row in facts["stages"]
    ]
    lines += [(row["occurred_at"], 1, _activity_line(row, language)) for row in facts["activities"]]
    lines += [(row["occurred_at"], 0, _touch_line(row, language)) for row in facts["journey"]]
    return ["  " + line for _, _, line in sorted(lines, key=lambda entry: entry[:2])]


def _touch_line(row: dict[str, Any], language: str) -> str:
    anchors = ", ".join(say(f"attribute_anchor_{name}", language) for name in (row["anchors"] or "").split("+") if name)
    return say(
        "attribute_journey_line",
        language,
        at=_minute(row["occurred_at"]),
        type=row["type"] or "-",
        campaign=row["campaign"] or "-",
        channel=row["channel"] or "-",
        person=_person(row),
        anchors=f"  [{anchors}]" if anchors else "",
    )


def _activity_line(row: dict[str, Any], language: str) -> str:
    return say(
        "attribute_activity_line",
        language,
        at=_minute(row["occurred_at"]),
        type=row["type"] or "-",
        owner=row["owner"] or row["owner_id"] or "-",
        person=_person(row),
    )


def _person(row: dict[str, Any]) -> str:
    return " ".join(part for part in (row["person"] or "-", row["title"]) if part)


def _credit_lines(found: Rows, basis: str, language: str) -> list[str]:
    first = [row for row in found if row["model"] == found[0]["model"]]
    amounts = [row["credit"] for row in first if row["credit"] is not None]
    title = say(
        "attribute_credits",
        language,
        basis=basis_words(basis, language),
        amount=money_words(sum(amounts) if amounts else None, language),
    )
    models = list(dict.fromkeys(str(row["model"]) for row in found))
    return [title, *(_model_line([row for row in found if row["model"] == name], language) for name in models)]


def _model_line(rows: Rows, language: str) -> str:
    model = rows[0]["model"]
    if rows[0]["is_influence"] and rows[0]["touches"]:
        names = ", ".join(str(row["campaign"]) for row in rows)
        return say("attribute_influence_line", language, model=model, campaigns=names)
    shares = [
        say(
            "attribute_credit_share",
            language,
            campaign=campaign_words(row["campaign"], language),
            percent=f"{row['weight']:.1%}",
            credit=money_words(row["credit"], language),
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
