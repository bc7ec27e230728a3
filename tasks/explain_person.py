"""Why a person belongs to a company, or to none: from the stored evidence of the published file, in words."""

from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import say
from tasks.summary import Rows, rows_of

_AGAINST = (
    "region_differs", "region_is_wider", "two_characters", "place_differs", "place_unlike_region", "form_differs",
    "branch_differs", "numerals_differ", "account_is_local",
)  # fmt: skip
# What would have decided, for a person without a company.
_WANTED = ("same_name", "same_domain", "place_agrees", "region_agrees")
_PERSON = """
select matches.*, persons.name, persons.company_name, accounts.name as account_name,
       remembered.actor, remembered.decided_on, remembered.reason
from matched.person_accounts as matches
join matched.persons using (person_id)
left join resolved.accounts on accounts.account_id = matches.account_id
left join (select distinct decision_id, actor, decided_on, reason from matched.remembered) as remembered
    using (decision_id)
where matches.person_id = $key
   or matches.person_id in (select person_id from matched.person_rows
                            where entity = 'contacts' and (row_id = $key or row_id like '%:' || $key))
order by matches.person_id
limit 1
"""
_NEAR = """
select candidates.*, accounts.name as account_name
from matched.match_candidates as candidates
left join resolved.accounts using (account_id)
where person_id = $person_id
order by rank
"""
_ROWS = """
select count(*) as rows, string_agg(distinct entity, ', ' order by entity) as entities,
       (select count(*) from matched.person_keys where person_id = $person_id and is_strong) as strong
from matched.person_rows where person_id = $person_id
"""


def explain_person(con: duckdb.DuckDBPyConnection, key: str, language: str = "en") -> str:
    """The company of a person with what speaks for and against it, and what the others near lacked.

    `key` is a person id or a contact's id in its source. Raises BadUsage where there is no such person.
    """
    found = rows_of(con, _PERSON, key=key)
    if not found:
        raise BadUsage(say("match_no_person", language, key=key))
    match = found[0]
    near = rows_of(con, _NEAR, person_id=match["person_id"])
    lines = [_title(match, language), _known(con, match["person_id"], language), *_decision(match, language)]
    lines += _nearby(match, near, language)
    if match["decision"] in ("review", "none") and near:
        lines.append(say("match_next", language, person_id=match["person_id"]))
    return "\n".join(lines)


def _title(match: dict[str, Any], language: str) -> str:
    company = match["company_name"] or say("match_nothing", language)
    name = match["name"] or match["person_id"]
    return say("match_person_title", language, name=name, person_id=match["person_id"], company=company)


def _known(con: duckdb.DuckDBPyConnection, person_id: str, language: str) -> str:
    return say("match_keys_title", language, **rows_of(con, _ROWS, person_id=person_id)[0])


def _decision(match: dict[str, Any], language: str) -> list[str]:
    method = say(f"match_method_{match['method']}", language)
    if match["decision"] == "none":
        return [say("match_none", language, method=method)]
    decided = say(
        "match_decided",
        language,
        account=match["account_name"] or match["account_id"],
        account_id=match["account_id"],
        decision=say(f"match_decision_{match['decision']}", language),
        method=method,
        confidence=f"{match['confidence']:.2f}",
    )
    supports, contradicts = _split(match["evidence"])
    lines = [decided, *(say("match_because", language, text=_feature(name, language)) for name in supports)]
    lines += [say("match_against", language, text=_feature(name, language)) for name in contradicts]
    if match["tie_break"]:
        lines.append(say("match_tie", language, text=say(f"match_tie_{match['tie_break']}", language)))
    if match["decision"] == "manual":
        lines.append(
            say(
                "match_remembered_by",
                language,
                actor=match["actor"] or "-",
                day=match["decided_on"],
                reason=match["reason"] or "-",
                decision_id=match["decision_id"],
            )
        )
    return lines


def _nearby(match: dict[str, Any], near: Rows, language: str) -> list[str]:
    """The other accounts near, each with what the best has and it has not, and what speaks against it."""
    others = [row for row in near if row["account_id"] != match["account_id"]]
    if not others:
        return [] if match["account_id"] else [say("match_near_none", language)]
    best = set(_split(match["evidence"])[0] if match["account_id"] else _WANTED)
    lines = [say("match_near_title", language)]
    for row in others:
        supports, contradicts = _split(row["features"])
        lines.append(
            say(
                "match_near",
                language,
                account=row["account_name"] or row["account_id"],
                account_id=row["account_id"],
                confidence=f"{row['score']:.2f}",
                lacks=_listed(sorted(best - set(supports)), language),
                against=_listed(contradicts, language),
            )
        )
    return lines


def _split(features: list[str] | None) -> tuple[list[str], list[str]]:
    """Features for and against."""
    names = features or []
    return [name for name in names if name not in _AGAINST], [name for name in names if name in _AGAINST]


def _feature(name: str, language: str) -> str:
    return say(f"match_feature_{name}", language)


def _listed(names: list[str], language: str) -> str:
    mark = "；" if language == "zh" else "; "
    return mark.join(_feature(name, language) for name in names) or say("match_nothing", language)
