"""Why an account is what it is, in words: values with their rows and what lost, family, tags, fit, lists, history."""

from collections.abc import Iterator
from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import named, said, say
from scoring.policies.scoring_tables import ACCOUNT_STAGES
from tasks.account_decisions import place_of
from tasks.explain.account_facts import account_facts
from tasks.find_account import MOST_SHOWN
from tasks.summary import Rows

Facts = dict[str, Any]


def explain_account(con: duckdb.DuckDBPyConnection, key: str, language: str = "en", why_not: str | None = None) -> str:
    """All that made the account, in words; `key` is its id (also a former one), its code, a row of it, or its name.

    With `why_not`, a stage: why it is not there. Reads the published file. Raises BadUsage where no account, or more
    than one, bears the key, or there is no such stage.
    """
    facts = account_facts(con, key)
    lines = [say("explain_account_title", language, name=facts["name"], account_id=facts["account_id"])]
    if why_not is not None:
        return "\n".join([*lines, *_why_not(facts["stage"], why_not, language)])
    if facts["former_id"]:
        lines.append(say("explain_account_redirected", language, old=facts["former_id"]))
    for part in (_fields, _members, _family, _tags, _fit, _stage, _lists, _history, _doubts):
        lines += part(facts, language)
    return "\n".join([*lines, say("explain_account_next", language, account_id=facts["account_id"])])


def _fields(facts: Facts, language: str) -> Iterator[str]:
    yield say("explain_account_fields", language)
    for one in facts["fields"]:
        why = say(f"explain_why_{one['why']}", language, won=one["with"] or "-", lost=one["against"] or "-")
        shown = {"field": one["field"], "value": one["value"], "row": one["row_id"] or "-"}
        yield say("explain_account_field", language, why=why, place=_place(one), **shown)
        for other in one["lost"]:
            told = {"rank": other["source_rank"] or "-", "day": other["source_date"] or other["landed_on"] or "-"}
            yield say("explain_account_lost", language, value=other["value"], row=other["row_id"], **told)


def _place(row: dict[str, Any]) -> str:
    return f"  {place_of(row)}" if row["file_name"] else ""


def _members(facts: Facts, language: str) -> Iterator[str]:
    members = facts["members"]
    yield say("explain_account_members", language, count=len(members))
    for row in members[:MOST_SHOWN]:
        told = {"method": row["method"], "landed_on": row["landed_on"], "place": place_of(row)}
        yield say("explain_account_member", language, row=row["row_id"], evidence=row["evidence"] or "", **told)
    if len(members) > MOST_SHOWN:
        yield say("explain_account_more", language, count=len(members) - MOST_SHOWN)


def _family(facts: Facts, language: str) -> Iterator[str]:
    family = facts["family"]
    for row in family["above"]:
        yield say("explain_account_parent", language, **row)
    if family["below"]:
        names = ", ".join(str(row["name"]) for row in family["below"][:3])
        yield say("explain_account_children", language, count=len(family["below"]), names=names)
    if family["group"]["accounts"] > 1:
        money = {name: family["group"][name] or 0 for name in ("pipeline_amount", "won_amount")}
        yield say("explain_account_group", language, **{**family["group"], **money})
    for row in facts["successions"]:
        yield say(f"explain_account_{row['relation']}", language, **{**row, "reason": row["reason"] or ""})


def _tags(facts: Facts, language: str) -> Iterator[str]:
    if facts["tags"]:
        yield say("explain_account_tags", language)
    for row in facts["tags"]:
        told = {"tag": row["tag_id"], "rule": row["rule_id"], "evidence": row["evidence"]}
        yield say("explain_account_tag", language, why=row["why"] or "-", **told)


def _fit(facts: Facts, language: str) -> Iterator[str]:
    """Points, and the log that adds up to them."""
    fit = facts["fit"]
    if fit is None:
        return
    known = {"points": fit["fit_points"], "grade": fit["grade"], "completeness": fit["completeness"]}
    yield say("explain_account_fit", language, **known)
    for row in fit["log"]:
        told = {"points": row["points"], "evidence": row["evidence"], "why": row["why"]}
        yield say("explain_account_fit_line", language, criterion=row["criterion_id"], **told)
    yield say(
        "explain_account_fit_sum", language, points=sum(row["points"] for row in fit["log"]), lines=len(fit["log"])
    )
    if fit["unknown"]:
        yield say("explain_account_unknown_fields", language, fields=", ".join(fit["unknown"]))


def _stage(facts: Facts, language: str) -> Iterator[str]:
    row = facts["stage"]
    if row is None:
        return
    shown = {"stage": named("account_stage", row["stage"], language), "reason": row["stage_reason"] or "-"}
    yield say("explain_account_stage", language, **shown)
    roles = {
        name: ", ".join(named("buying_role", role, language) for role in row[f"roles_{name}"]) or "-"
        for name in ("present", "missing")
    }
    yield say("explain_account_group_of_buyers", language, people=row["people"], top=row["top_person"] or "-", **roles)
    trend = {name: f"{row[name]:g}" for name in ("touches_this_week", "touches_weekly_before")}
    yield say("explain_account_trend", language, days="-" if row["days_quiet"] is None else row["days_quiet"], **trend)
    yield from (_ahead(step, language) for step in row["missing"][:1])


def _ahead(step: dict[str, Any], language: str) -> str:
    what = "; ".join(say(language=language, **need) for need in step["needs"])
    return say("explain_account_ahead", language, stage=named("account_stage", step["stage"], language), what=what)


def _why_not(row: dict[str, Any] | None, stage: str, language: str) -> list[str]:
    if stage not in ACCOUNT_STAGES:
        raise BadUsage(said("explain_account_no_stage", asked=stage, known=", ".join(ACCOUNT_STAGES)))
    if row is None:
        return [say("explain_account_untouched", language)]
    ahead = [step["stage"] for step in row["missing"]]
    shown = {"stage": named("account_stage", row["stage"], language), "reason": row["stage_reason"] or "-"}
    told = [say("explain_account_stage", language, **shown)]
    if stage not in ahead:
        return told
    return [*told, _ahead(row["missing"][ahead.index(stage)], language)]


def _lists(facts: Facts, language: str) -> Iterator[str]:
    if facts["lists"]:
        yield say("explain_account_lists", language)
    for row in facts["lists"]:
        told = {name: row[name] or "" for name in ("list", "tier", "reason")}
        days = f"{row['valid_from'] or ''}…{row['valid_to'] or ''}"
        yield say(
            "explain_account_list", language, entry=row["entry_id"], owner=row["owner_id"] or "-", days=days, **told
        )


def _history(facts: Facts, language: str) -> Iterator[str]:
    if facts["history"] or facts["former_ids"]:
        yield say("explain_account_history", language)
    yield from _events("explain_account_event", facts["history"], language)
    if facts["former_ids"]:
        ids = ", ".join(row["old_account_id"] for row in facts["former_ids"][:MOST_SHOWN])
        yield say("explain_account_former", language, ids=ids)


def _events(message: str, rows: Rows, language: str) -> Iterator[str]:
    for row in rows[:MOST_SHOWN]:
        told = {name: row[name] for name in ("as_of", "event", "reason")}
        yield say(message, language, other=row["other_account_id"] or "", **told)


def _doubts(facts: Facts, language: str) -> Iterator[str]:
    if facts["doubts"]:
        yield say("explain_account_doubts", language)
    for row in facts["doubts"][:MOST_SHOWN]:
        other = " ".join(str(row[name]) for name in ("other_name", "other_account_id") if row[name])
        yield say("explain_account_doubt", language, doubt=row["doubt"], other=other, evidence=row["evidence"])
