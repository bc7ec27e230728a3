"""Why a person belongs to a company, and why not to another: the stored evidence of the published file, in words."""

from collections.abc import Iterator
from typing import Any

import duckdb

from abmloop.messages import say
from tasks.explain.consent_words import told_consent
from tasks.explain.person_facts import person_facts

Facts = dict[str, Any]


def explain_person(con: duckdb.DuckDBPyConnection, key: str, language: str = "en") -> str:
    """The company of a person with what speaks for and against it, and what the others near lacked.

    `key` is a person id, also a former one, or a contact's id in its source. Raises BadUsage for an unknown person.
    """
    facts = person_facts(con, key)
    lines: list[str] = []
    for part in (_head, _decision, _new_account, _nearby, _companies, _decisions, _next):
        lines += part(facts, language)
    return "\n".join(lines)


def _head(facts: Facts, language: str) -> Iterator[str]:
    match = facts["match"]
    company = match["company_name"] or match["company_given"] or say("match_nothing", language)
    name = match["name"] or facts["person_id"]
    yield say("match_person_title", language, name=name, person_id=facts["person_id"], company=company)
    if facts["former_id"]:
        yield say("match_person_redirected", language, old=facts["former_id"])
    yield say("match_keys_title", language, **facts["keys"])
    if facts["keys"]["shared"]:
        yield say("match_keys_shared", language, shared=facts["keys"]["shared"])
    yield from told_consent(match, language)


def _decision(facts: Facts, language: str) -> Iterator[str]:
    match = facts["match"]
    method = say(f"match_method_{match['method']}", language)
    if match["decision"] == "none":
        yield say("match_none", language, method=method)
        return
    account = match["account_name"] or match["account_id"]
    decided = say(f"match_decision_{match['decision']}", language)
    told = {"decision": decided, "method": method, "confidence": f"{match['confidence']:.2f}"}
    yield say("match_decided", language, account=account, account_id=match["account_id"], **told)
    if match["relation"] in ("branch", "parent"):
        yield say(f"match_relation_{match['relation']}", language)
    for name in match["supports"]:
        yield say("match_because", language, text=_feature(name, language))
    for name in match["against"]:
        yield say("match_against", language, text=_feature(name, language))
    if match["tie_break"]:
        yield say("match_tie", language, text=say(f"match_tie_{match['tie_break']}", language))


def _new_account(facts: Facts, language: str) -> Iterator[str]:
    match = facts["match"]
    if match["new_account_id"]:
        told = {"account_id": match["new_account_id"], "people": match["new_account_people"]}
        name = match["new_account_name"] or match["company_name"]
        yield say(f"match_new_account_{match['new_account_made_by']}", language, name=name, **told)


def _nearby(facts: Facts, language: str) -> Iterator[str]:
    """The other accounts near, each with what the best has and it has not, and what speaks against it."""
    match = facts["match"]
    if not facts["near"]:
        if not match["account_id"]:
            yield say("match_near_none", language)
        return
    yield say("match_near_title" if match["account_id"] else "match_nearest_title", language)
    for row in facts["near"]:
        is_second = row["is_runner_up"] and match["account_id"]
        yield say(
            "match_runner_up" if is_second else "match_near",
            language,
            account=row["account_name"] or row["account_id"],
            account_id=row["account_id"],
            confidence=f"{row['score']:.2f}",
            margin=f"{match['margin'] or 0:.2f}",
            lacks=_listed(row["lacks"], language),
            against=_listed(row["against"], language),
        )


def _companies(facts: Facts, language: str) -> Iterator[str]:
    """The companies over time, where there was more than one."""
    if len(facts["companies"]) < 2:
        return
    yield say("match_companies_title", language)
    for row in facts["companies"]:
        account = row["account_name"] or row["account_id"] or say("match_nothing", language)
        code = "match_company_former" if row["known_until"] else "match_company"
        told = {"since": row["known_since"] or "…", "until": row["known_until"]}
        how = say(f"match_method_{row['method']}", language)
        yield say(code, language, company=row["company_name"] or "-", account=account, method=how, **told)


def _decisions(facts: Facts, language: str) -> Iterator[str]:
    for row in facts["decisions"]:
        account = row["account_name"] or row["account_id"] or say("match_nothing", language)
        in_use = facts["match"]["decision_id"] == row["decision_id"]
        told = {name: row[name] or "-" for name in ("actor", "reason", "decision_id")}
        yield say(
            "match_remembered_by" if in_use else "match_remembered_besides",
            language,
            verdict=say(f"match_verdict_{row['verdict']}", language),
            account=account,
            day=row["decided_on"],
            **told,
        )


def _next(facts: Facts, language: str) -> Iterator[str]:
    match = facts["match"]
    if match["decision"] == "review" or (match["decision"] == "none" and facts["near"]):
        yield say("match_next", language, person_id=facts["person_id"])


def _feature(name: str, language: str) -> str:
    return say(f"match_feature_{name}", language)


def _listed(names: list[str], language: str) -> str:
    mark = "；" if language == "zh" else "; "
    return mark.join(_feature(name, language) for name in names) or say("match_nothing", language)
