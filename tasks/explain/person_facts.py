"""What is stored on a person's match: the evidence, the accounts near, the companies over time, what was decided."""

from typing import Any

import duckdb

from tasks.explain.consent_words import MARKS
from tasks.find_person import find_person
from tasks.summary import Rows, rows_of

# Features that speak against an account; all others speak for it.
AGAINST = frozenset(
    {
        "region_differs", "region_is_wider", "two_characters", "place_differs", "place_unlike_region", "form_differs",
        "branch_differs", "numerals_differ", "account_is_local", "short_core_differs",
    }
)  # fmt: skip
# What would have decided, where nothing did.
_WANTED = ("same_name", "same_domain", "place_agrees", "region_agrees")
_MATCH = f"""
select matches.*, persons.name, employments.company_name, persons.company_name as company_given,
       accounts.name as account_name, new_accounts.name as new_account_name, new_accounts.people as new_account_people,
       new_accounts.made_by as new_account_made_by, person_regions.region, person_regions.is_disputed,
       person_regions.indications, {MARKS}
from matched.person_accounts as matches
join matched.persons using (person_id)
join matched.employments on employments.person_id = matches.person_id and employments.is_decisive
left join resolved.accounts on accounts.account_id = matches.account_id
left join matched.new_accounts on new_accounts.account_id = matches.new_account_id
left join marts.person_regions on person_regions.person_id = matches.person_id
where matches.person_id = $person_id
"""
_NEAR = """
select candidates.rank, candidates.account_id, accounts.name as account_name, accounts.city as account_city,
       candidates.score, candidates.features
from matched.match_candidates as candidates
left join resolved.accounts using (account_id)
where person_id = $person_id
order by rank
"""
_KEYS = """
select (select count(*) from matched.person_rows where person_id = $person_id) as rows,
       (select string_agg(distinct entity, ', ' order by entity) from matched.person_rows where person_id = $person_id)
           as entities,
       count(*) filter (is_strong) as strong, count(*) filter (not is_strong) as shared
from matched.person_keys where person_id = $person_id
"""
_COMPANIES = """
select company_name, known_since, known_until, employments.account_id, accounts.name as account_name, decision, method,
       confidence, is_decisive
from matched.employments
left join resolved.accounts using (account_id)
where person_id = $person_id
order by is_decisive desc, known_until is not null, known_until desc, known_since desc, employer_key
"""
_DECISIONS = """
select distinct decision_id, decided.verdict, decided.seq, decided.decided_on, remembered.actor, remembered.reason,
       decided.account_id, accounts.name as account_name
from matched.decided_persons as decided
join matched.remembered using (decision_id)
left join resolved.accounts on accounts.account_id = decided.account_id
where person_id = $person_id
order by decided.seq desc
"""


def person_facts(con: duckdb.DuckDBPyConnection, key: str) -> dict[str, Any]:
    """All that is stored on the match of the person of that key; nothing is judged anew.

    `match` (the row of matched.person_accounts, with names), `keys` (counts), `companies`, `decisions`, and `near`: the
    nearest accounts with what supports each, what each `lacks` that the chosen one has (without one: that would have
    decided), and what is `against` it. `former_id`: what it was asked by, where that leads to another id now. Raises
    BadUsage where there is no such person.
    """
    person_id = find_person(con, key)
    match = rows_of(con, _MATCH, person_id=person_id)[0]
    near = rows_of(con, _NEAR, person_id=person_id)
    return {
        "person_id": person_id,
        "former_id": key if key.startswith("P") and key != person_id else None,
        "match": {**match, "supports": _supports(match["evidence"]), "against": _against(match["evidence"])},
        "keys": rows_of(con, _KEYS, person_id=person_id)[0],
        "companies": rows_of(con, _COMPANIES, person_id=person_id),
        "decisions": rows_of(con, _DECISIONS, person_id=person_id),
        "near": _compared(match, near),
    }


def _compared(match: dict[str, Any], near: Rows) -> Rows:
    """The accounts near but the chosen one, each beside it; the runner-up first."""
    chosen = next((row for row in near if row["account_id"] == match["account_id"]), None)
    wanted = set(_supports(chosen["features"]) if chosen else _WANTED)
    others = [row for row in near if row["account_id"] != match["account_id"]]
    others.sort(key=lambda row: (row["account_id"] != match["runner_up_account_id"], row["rank"]))
    return [
        {
            **{name: row[name] for name in ("account_id", "account_name", "account_city", "score")},
            "is_runner_up": row["account_id"] == match["runner_up_account_id"],
            "supports": _supports(row["features"]),
            "lacks": sorted(wanted - set(_supports(row["features"]))),
            "against": _against(row["features"]),
        }
        for row in others
    ]


def _supports(features: list[str] | None) -> list[str]:
    return [name for name in features or [] if name not in AGAINST]


def _against(features: list[str] | None) -> list[str]:
    return [name for name in features or [] if name in AGAINST]
