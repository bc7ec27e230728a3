"""What is stored on a lead: its score line by line, its stages, who has it, and what each further stage still needs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.scoring_tables import STAGES
from tasks.explain.consent_words import MARKS
from tasks.summary import Rows, rows_of

AGAIN = ("recycled", "lost")  # from here a lead may come back

_LEAD = f"""
select leads.*, grades.fit_points, grades.fit_grade, grades.engagement_points, grades.grid, grades.mql_from_points,
       grades.blocked_by, persons.name, persons.seniority, accounts.name as account_name, score_day.as_of,
       person_regions.region, person_regions.is_disputed, person_regions.indications, {MARKS}
from scored.leads
join scored.grades using (lead_id)
join matched.persons on persons.person_id = leads.person_id
cross join scored.score_day
left join resolved.accounts on accounts.account_id = leads.account_id
left join marts.person_regions on person_regions.person_id = leads.person_id
where leads.lead_id = $key or leads.person_id = $key
"""
_LINES = """
select event_points.*, score_events.event_on, score_events.note
from scored.event_points
join scored.score_events using (subject, subject_kind, model, rule_id, event_id)
where subject = $person_id and subject_kind = 'person' and model = 'engagement'
order by abs(event_points.points) desc, event_points.event_at desc, event_id
"""
_PERSON_FIT = """
select person_fit.fit_points, person_fit.grade, event_points.rule_id, event_points.points::double as points,
       person_icp.why
from scored.person_fit
left join scored.event_points
    on event_points.subject = person_id and subject_kind = 'person' and model = 'fit'
left join rules.person_icp on person_icp.criterion_id = event_points.rule_id
where person_id = $person_id
order by person_icp.position
"""
_CHANCES = """
select target, model, probability, points, moved from scored.predictions where lead_id = $lead_id order by target
"""
_STAGES = "select * from scored.lead_stages where lead_id = $lead_id order by entered_at, cycle, stage"
_ASSIGNMENT = """
select assignments.*, owners_today.name as owner_name
from scored.assignments
left join core.owners_today using (owner_id)
where lead_id = $lead_id and is_current
"""
_HELD = "select held_by, reason from scored.held_leads where lead_id = $lead_id"
_EVIDENCE = """
select rule_id, kind, words, seniorities, why from rules.evidence where stage = 'sql' and kind <> 'answer'
"""
# Of rules that ask for answers: which topics are answered, by the words that scored.stage_signals goes by.
_ANSWERS = """
select evidence.rule_id, any_value(evidence.at_least) as at_least, any_value(evidence.why) as why,
       list(distinct evidence.topic order by evidence.topic) as topics,
       list(distinct evidence.topic order by evidence.topic) filter (qualifications.row_id is not null) as answered
from rules.evidence
left join core.qualifications
    on qualifications.person_id = $person_id and qualifications.answer is not null
    and len(list_filter(evidence.words, lambda word: contains(lower(qualifications.question), word))) > 0
    and not list_contains(evidence.negatives, lower(trim(qualifications.answer)))
where evidence.stage = 'sql' and evidence.kind = 'answer'
group by evidence.rule_id
"""


def lead_facts(con: duckdb.DuckDBPyConnection, key: str) -> dict[str, Any]:
    """All that is stored on the lead of that key (lead or person id); nothing is judged anew.

    `lead`, `lines` (of its score, weightiest first), `person_fit` (the person's own, by criterion), `chances` (by the
    predictive scores in use), `stages`, `current` (its stage now), `assignment` and `held` (None where there is none),
    and `missing`: for each stage still ahead what it needs, as {"stage", "needs"}, each need a `code` of the messages
    with its fields. Raises BadUsage where there is no such lead.
    """
    found = rows_of(con, _LEAD, key=key)
    if not found:
        raise BadUsage(said("lead_unknown", key=key))
    lead = found[0]
    stages = rows_of(con, _STAGES, lead_id=lead["lead_id"])
    current = next(row for row in stages if row["is_current"])
    return {
        "lead": lead,
        "lines": rows_of(con, _LINES, person_id=lead["person_id"]),
        "person_fit": rows_of(con, _PERSON_FIT, person_id=lead["person_id"]),
        "chances": rows_of(con, _CHANCES, lead_id=lead["lead_id"]),
        "stages": stages,
        "current": current,
        "assignment": _assignment(con, lead["lead_id"]),
        "held": next(iter(rows_of(con, _HELD, lead_id=lead["lead_id"])), None),
        "missing": _missing(con, lead, current),
    }


def _assignment(con: duckdb.DuckDBPyConnection, lead_id: str) -> dict[str, Any] | None:
    found = rows_of(con, _ASSIGNMENT, lead_id=lead_id)
    return {**found[0], "gates": json.loads(found[0]["gates"] or "[]")} if found else None


def _missing(con: duckdb.DuckDBPyConnection, lead: dict[str, Any], current: dict[str, Any]) -> Rows:
    """What each stage ahead needs; nothing is ahead of a lead that is won, or disqualified for good."""
    stage = current["stage"]
    if stage in AGAIN:
        stage = "inquiry"
    if stage not in STAGES:
        return []
    ahead = STAGES[STAGES.index(stage) + 1 :]
    return [{"stage": name, "needs": _needs(con, name, lead, current)} for name in ahead]


def _needs(con: duckdb.DuckDBPyConnection, stage: str, lead: dict[str, Any], current: dict[str, Any]) -> Rows:
    if stage == "mql":
        return _needs_of_mql(con, lead, current)
    if stage == "sql":
        return _needs_of_sql(con, lead["person_id"])
    return [{"code": f"missing_{stage}"}]


def _needs_of_mql(con: duckdb.DuckDBPyConnection, lead: dict[str, Any], current: dict[str, Any]) -> Rows:
    bar, grade = lead["mql_from_points"], lead["fit_grade"]
    needs: Rows = []
    if lead["blocked_by"]:
        needs.append({"code": f"missing_{lead['blocked_by']}", "reason": lead["exclusion_reason"] or "-"})
    if bar is None:
        return [*needs, {"code": "missing_grade", "grade": grade}]
    if current["stage"] in AGAIN:
        days = rows_of(con, "select cool_down_days from rules.mql")[0]["cool_down_days"]
        since = current["entered_at"]
        again = {"code": "missing_points_again", "bar": f"{bar:g}", "grade": grade, "since": since}
        return [*needs, {**again, "until": since + timedelta(days=days)}]
    short = bar - float(lead["engagement_points"])
    if short > 0:
        needs.append({"code": "missing_points", "points": f"{short:.2f}", "grade": grade, "bar": f"{bar:g}"})
    return needs or [{"code": "missing_next_run"}]


def _needs_of_sql(con: duckdb.DuckDBPyConnection, person_id: str) -> Rows:
    """The proofs that scoring.yaml takes, any one of them; of answers how many are there."""
    needs = [
        {
            "code": "missing_proof_by" if row["seniorities"] else "missing_proof",
            "rule": row["rule_id"],
            "kind": row["kind"],
            "words": ", ".join(row["words"][:3]),
            "seniorities": ", ".join(row["seniorities"]),
        }
        for row in rows_of(con, _EVIDENCE)
    ]
    for row in rows_of(con, _ANSWERS, person_id=person_id):
        answered = row["answered"] or []
        left = [topic for topic in row["topics"] if topic not in answered]
        told = {"rule": row["rule_id"], "known": len(answered), "needed": row["at_least"], "left": ", ".join(left)}
        needs.append({"code": "missing_answers", **told})
    return needs
