"""Why a lead is where it is: its score line by line, its stages, its owner, and what is missing for the next stage."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import say
from tasks.summary import Rows, rows_of

_MOST_LINES = 15
_NEXT = {"inquiry": "mql", "mql": "sal", "sal": "sql", "sql": "opportunity", "opportunity": "won"}
_AGAIN = ("recycled", "lost")

_LEAD = """
select leads.*, grades.fit_points, grades.fit_grade, grades.engagement_points, grades.grid, grades.mql_from_points,
       grades.blocked_by, persons.name, accounts.name as account_name, score_day.as_of
from scored.leads
join scored.grades using (lead_id)
join matched.persons on persons.person_id = leads.person_id
cross join scored.score_day
left join resolved.accounts on accounts.account_id = leads.account_id
where leads.lead_id = $key or leads.person_id = $key
"""
_LINES = """
select event_points.*, score_events.event_on, score_events.note
from scored.event_points
join scored.score_events using (subject, subject_kind, model, rule_id, event_id)
where subject = $person_id and subject_kind = 'person' and model = 'engagement'
order by abs(event_points.points) desc, event_points.event_at desc, event_id
"""
_STAGES = "select * from scored.lead_stages where lead_id = $lead_id order by entered_at, cycle, stage"
_ASSIGNMENT = """
select assignments.*, owners_today.name as owner_name
from scored.assignments
left join core.owners_today using (owner_id)
where lead_id = $lead_id and is_current
"""

_HELD = "select held_by, reason from scored.held_leads where lead_id = $lead_id"


def explain_lead(con: duckdb.DuckDBPyConnection, key: str, language: str = "en") -> str:
    """The lead's story from the published file, in words. `key`: lead or person id. Raises BadUsage if unknown."""
    found = rows_of(con, _LEAD, key=key)
    if not found:
        raise BadUsage(say("lead_unknown", language, key=key))
    lead = found[0]
    stages = rows_of(con, _STAGES, lead_id=lead["lead_id"])
    current = next(row for row in stages if row["is_current"])
    lines = [
        _heading(lead, current, language),
        *_score(lead, rows_of(con, _LINES, person_id=lead["person_id"]), language),
        "",
        say("lead_history", language),
        *(_stage(row, language) for row in stages),
        "",
        *_owner(rows_of(con, _ASSIGNMENT, lead_id=lead["lead_id"]), language),
        *_held(rows_of(con, _HELD, lead_id=lead["lead_id"]), language),
        "",
        _missing(lead, current, language),
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
        account=account or say("lead_no_account", language, decision=lead["decision"]),
        stage=current["stage"],
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
            note=f"  {row['note']}" if row["note"] else "",
        )
        for row in log[:_MOST_LINES]
    ]
    rest = log[_MOST_LINES:]
    if rest:
        points = f"{sum(row['points'] for row in rest):.2f}"
        shown.append(say("lead_more_lines", language, lines=len(rest), points=points))
    total = sum(row["points"] for row in log)
    return [head, *shown, say("lead_sum", language, points=f"{total:.2f}", lines=len(log))]


def _stage(row: dict[str, Any], language: str) -> str:
    return say(
        "lead_stage",
        language,
        day=_day(row["entered_at"]),
        cycle=row["cycle"],
        stage=row["stage"],
        rule=row["rule"],
        reason=f", {row['reason']}" if row["reason"] else "",
        known=_day(row["decided_at"]),
        flag=say("lead_before_inquiry", language) if row["is_before_inquiry"] else "",
    )


def _owner(found: Rows, language: str) -> list[str]:
    """Who has the lead and why, and who was passed over."""
    if not found:
        return [say("lead_not_assigned", language)]
    row = found[0]
    day = _day(row["assigned_at"])
    if row["owner_id"] is None:
        told = say("lead_in_pool", language, pool=row["pool_id"], day=day, reason=row["reason"])
    else:
        back = say("lead_goes_back", language, day=_day(row["reclaim_at"])) if row["reclaim_at"] else ""
        told = say(
            "lead_owner",
            language,
            owner=row["owner_name"] or row["owner_id"],
            day=day,
            reason=row["reason"],
            accept=_day(row["accept_due_at"]),
            touch=_day(row["first_touch_due_at"]),
            back=back,
        )
    return [told, *(say("lead_gate", language, **gate) for gate in json.loads(row["gates"] or "[]"))]


def _held(found: Rows, language: str) -> list[str]:
    """Which rule of the directory keeps the lead from sales."""
    return [say(f"lead_{row['held_by']}", language, reason=row["reason"]) for row in found]


def _missing(lead: dict[str, Any], current: dict[str, Any], language: str) -> str:
    """What the lead needs for its next stage."""
    stage = current["stage"]
    if stage in _NEXT and stage != "inquiry":
        needed = _NEXT[stage]
        return say("lead_missing", language, stage=needed, what=say(f"missing_{needed}", language))
    if stage != "inquiry" and stage not in _AGAIN:
        return say("missing_nothing", language, stage=stage)
    return say("lead_missing", language, stage="mql", what=_missing_for_mql(lead, current, language))


def _missing_for_mql(lead: dict[str, Any], current: dict[str, Any], language: str) -> str:
    bar, grade = lead["mql_from_points"], lead["fit_grade"]
    if lead["blocked_by"]:
        return say(f"missing_{lead['blocked_by']}", language, reason=lead["exclusion_reason"] or "-")
    if bar is None:
        return say("missing_grade", language, grade=grade)
    if current["stage"] in _AGAIN:
        return say("missing_points_again", language, bar=f"{bar:g}", grade=grade, day=_day(current["entered_at"]))
    short = bar - float(lead["engagement_points"])
    if short <= 0:
        return say("missing_next_run", language)
    return say("missing_points", language, points=f"{short:.2f}", grade=grade, bar=f"{bar:g}")
