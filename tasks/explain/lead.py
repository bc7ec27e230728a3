"""Why a lead is where it is, in words: its score line by line, its stages, its owner, and what is missing; why not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import named, said, say
from scoring.policies.scoring_tables import ENDS, STAGES
from tasks.explain.consent_words import told_consent
from tasks.explain.lead_facts import lead_facts
from tasks.predict.telling import tell_chance
from tasks.route.telling import told_assignment, told_gate
from tasks.summary import Rows, rows_of

_MOST_LINES = 15


def explain_lead(con: duckdb.DuckDBPyConnection, key: str, language: str = "en", why_not: str | None = None) -> str:
    """The lead's story from the published file. `key`: lead or person id.

    With `why_not`, a stage, an owner or a pool: why it is not there. Raises BadUsage where the lead, or that, is not
    known.
    """
    facts = lead_facts(con, key)
    lead = facts["lead"]
    heading = _heading(lead, facts["current"], language)
    if why_not is not None:
        return "\n".join([heading, *_why_not(con, facts, why_not, language)])
    lines = [
        heading,
        *_score(lead, facts["lines"], language),
        *_person_fit(facts["person_fit"], language),
        *(tell_chance(row, language) for row in facts["chances"]),
        "",
        say("lead_history", language),
        *(_stage(row, language) for row in facts["stages"]),
        "",
        *_owner(facts["assignment"], language),
        *_held(facts["held"], language),
        *told_consent(lead, language),
        "",
        *_next(facts, language),
    ]
    return "\n".join(lines)


def _day(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "-"


def _heading(lead: dict[str, Any], current: dict[str, Any], language: str) -> str:
    account = lead["account_name"] or lead["account_id"]
    return say(
        "lead_heading",
        language,
        lead_id=lead["lead_id"],
        name=lead["name"] or lead["person_id"],
        account=account or say("lead_no_account", language, decision=named("decision", lead["decision"], language)),
        stage=named("stage", current["stage"], language),
        day=_day(current["entered_at"]),
        cycle=current["cycle"],
    )


def _score(lead: dict[str, Any], log: Rows, language: str) -> list[str]:
    """The score and the lines it is the sum of; the weightiest first, the others in one line."""
    fit = say("lead_fit_unknown", language) if lead["fit_points"] is None else f"{lead['fit_points']:g}"
    head = say(
        "lead_score",
        language,
        grid=lead["grid"],
        grade=lead["fit_grade"],
        fit=fit,
        points=f"{lead['engagement_points']:.2f}",
        day=lead["as_of"],
    )
    shown = [
        say(
            "lead_line",
            language,
            day=row["event_on"],
            rule=row["rule_id"],
            capped=f"{float(row['capped_points']):g}",
            points=f"{row['points']:.2f}",
            age=row["days_old"],
            event=row["event_id"],
            note=f"  {named('note', row['note'], language)}" if row["note"] else "",
        )
        for row in log[:_MOST_LINES]
    ]
    rest = log[_MOST_LINES:]
    if rest:
        points = f"{sum(row['points'] for row in rest):.2f}"
        shown.append(say("lead_more_lines", language, lines=len(rest), points=points))
    total = sum(row["points"] for row in log)
    return [head, *shown, say("lead_sum", language, points=f"{total:.2f}", lines=len(log))]


def _person_fit(rows: Rows, language: str) -> list[str]:
    """What the person's own place is worth, criterion by criterion; nothing where no criteria for persons are set."""
    if not rows:
        return []
    given = [row for row in rows if row["rule_id"] is not None]
    head = say("lead_person_fit", language, fit=f"{rows[0]['fit_points']:g}", grade=rows[0]["grade"])
    return [
        head,
        *(
            say("lead_fit_line", language, rule=row["rule_id"], points=f"{row['points']:g}", why=row["why"])
            for row in given
        ),
    ]


def _stage(row: dict[str, Any], language: str) -> str:
    return say(
        "lead_stage",
        language,
        day=_day(row["entered_at"]),
        cycle=row["cycle"],
        stage=named("stage", row["stage"], language),
        rule=named("stage_rule", row["rule"], language),
        reason=f", {row['reason']}" if row["reason"] else "",
        known=_day(row["decided_at"]),
        flag=say("lead_before_inquiry", language) if row["is_before_inquiry"] else "",
    )


def _owner(row: dict[str, Any] | None, language: str) -> list[str]:
    """Who has the lead and why, and who was passed over."""
    if row is None:
        return [say("lead_not_assigned", language)]
    return told_assignment(row, language)


def _held(row: dict[str, Any] | None, language: str) -> list[str]:
    """Which rule of the directory keeps the lead from sales."""
    return [say(f"lead_{row['held_by']}", language, reason=row["reason"])] if row else []


def _next(facts: dict[str, Any], language: str) -> list[str]:
    """What the lead needs for its next stage."""
    if not facts["missing"]:
        stage = facts["current"]["stage"]
        return [say("missing_nothing", language, stage=named("stage", stage, language))]
    return _needed(facts["missing"][0], language)


def _needed(step: dict[str, Any], language: str) -> list[str]:
    """What a stage needs: in one line where it is one thing."""
    told = [_need(need, language) for need in step["needs"]]
    stage = named("stage", step["stage"], language)
    if len(told) == 1:
        return [say("lead_missing", language, stage=stage, what=told[0])]
    head = "lead_missing_any" if step["stage"] == "sql" else "lead_missing_all"
    return [say(head, language, stage=stage), *(f"  {line}" for line in told)]


def _need(need: dict[str, Any], language: str) -> str:
    fields = {name: _day(value) if isinstance(value, datetime) else value for name, value in need.items()}
    if "kind" in fields:
        fields["kind"] = named("proof", fields["kind"], language)
    return say(fields.pop("code"), language, **fields)


def _why_not(con: duckdb.DuckDBPyConnection, facts: dict[str, Any], asked: str, language: str) -> list[str]:
    if asked in (*STAGES, *ENDS):
        return _why_not_stage(facts, asked, language)
    owners = rows_of(
        con, "select owner_id, name from core.owners_today where owner_id = $key or name = $key", key=asked
    )
    if owners:
        return _why_not_owner(facts, owners[0], language)
    pools = rows_of(con, "select distinct pool_id from scored.assignments where pool_id is not null order by 1")
    if asked in [row["pool_id"] for row in pools]:
        return _why_not_pool(facts, asked, language)
    known = ", ".join([*STAGES, *ENDS, *(row["pool_id"] for row in pools)])
    raise BadUsage(said("lead_why_not_unknown", asked=asked, known=known))


def _why_not_stage(facts: dict[str, Any], stage: str, language: str) -> list[str]:
    """It was there, or what all stages up to that one still need."""
    entered = [row for row in facts["stages"] if row["stage"] == stage]
    if entered:
        return [say("lead_was_there", language), *(_stage(row, language) for row in entered)]
    if stage in ENDS:
        return [say("lead_no_end", language, stage=named("stage", stage, language))]
    ahead = [step["stage"] for step in facts["missing"]]
    if stage not in ahead:
        return [say("lead_went_past", language, stage=named("stage", stage, language)), *_next(facts, language)]
    steps = facts["missing"][: ahead.index(stage) + 1]
    return [line for step in steps for line in _needed(step, language)]


def _why_not_owner(facts: dict[str, Any], owner: dict[str, Any], language: str) -> list[str]:
    row, name = facts["assignment"], owner["name"] or owner["owner_id"]
    if row is None:
        return _owner(row, language)
    if row["owner_id"] == owner["owner_id"]:
        return [say("lead_has_owner", language, owner=name), *_owner(row, language)[:1]]
    failed = [gate for gate in row["gates"] if gate.get("owner") == owner["owner_id"]]
    told = [told_gate(gate, language).strip() for gate in failed] or [say("lead_not_asked", language, owner=name)]
    return [*told, *_owner({**row, "gates": []}, language)]


def _why_not_pool(facts: dict[str, Any], pool: str, language: str) -> list[str]:
    row = facts["assignment"]
    if row is None or (row["owner_id"] is None and row["pool_id"] == pool):
        return _owner(row, language)[:1]
    return [say("lead_not_in_pool", language, pool=pool), *_owner(row, language)]
