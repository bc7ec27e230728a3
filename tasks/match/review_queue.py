"""The queue of doubtful matches, and what was decided on matches so far: what a person works with, as rows."""

from collections.abc import Mapping
from typing import Any

import duckdb

from tasks.match.decisions import match_decisions
from tasks.summary import Rows, rows_of
from warehouse.ledger import Ledger

# The accounts near each person of the queue, so that one can be chosen without looking any further.
_NEAR = """
select candidates.person_id, candidates.account_id, accounts.name, accounts.city, candidates.score
from matched.match_candidates as candidates
join matched.review_queue using (person_id)
left join resolved.accounts on accounts.account_id = candidates.account_id
order by candidates.person_id, candidates.rank
"""
_PERSON_OF = """
select entity, row_id, person_rows.person_id, persons.name as person_name, persons.company_name
from matched.person_rows join matched.persons using (person_id)
where row_id in (select unnest($rows))
"""
_NAME_OF = """
select members.row_id, members.account_id, accounts.name
from resolved.account_members as members join resolved.accounts using (account_id)
where members.row_id in (select unnest($rows))
"""


def review_list(con: duckdb.DuckDBPyConnection, limit: int | None = 50, ledger: Ledger | None = None) -> Rows:
    """The matches that wait, in the order in which to work them; `con` is the published file.

    Each with `near`, the accounts to choose from. With the ledger those decided since the file was published, which
    leave the queue with the next run, are left out.
    """
    done = _decided_persons(con, ledger) if ledger is not None else set()
    rows = rows_of(con, "select * from marts.review_queue order by position")
    rows = [row for row in rows if row["person_id"] not in done][:limit]
    near: dict[str, Rows] = {}
    for found in rows_of(con, _NEAR):
        near.setdefault(found.pop("person_id"), []).append(found)
    return [{**row, "near": near.get(row["person_id"], [])} for row in rows]


def decided_list(con: duckdb.DuckDBPyConnection, ledger: Ledger, limit: int | None = 50) -> Rows:
    """The decisions that stand, newest first: what may be undone.

    decision_id, verdict, person_id, person_name, company_name, account_id, account_name, actor, decided_on, reason,
    and is_in_use: whether the published matches go by it already.
    """
    decisions = match_decisions(ledger.read("decisions"))[::-1][:limit]
    persons = _persons(con, decisions)
    naming = sorted({row["payload"]["account_row_id"] for row in decisions if row["payload"].get("account_row_id")})
    accounts = {row["row_id"]: row for row in rows_of(con, _NAME_OF, rows=naming)} if naming else {}
    used = {row["decision_id"] for row in rows_of(con, "select distinct decision_id from matched.remembered")}
    return [_decided(row, persons, accounts, used) for row in decisions]


def _decided(
    decision: dict[str, Any], persons: Mapping[tuple[str, str], Any], accounts: Mapping[str, Any], used: set[str]
) -> dict[str, Any]:
    keys = [(entity, row_id) for entity, row_id in decision["subject"]["rows"]]
    person: dict[str, Any] = next((persons[key] for key in keys if key in persons), {})
    account = accounts.get(decision["payload"].get("account_row_id") or "", {})
    return {
        "decision_id": decision["decision_id"],
        "verdict": decision["verdict"],
        "person_id": person.get("person_id"),
        "person_name": person.get("person_name"),
        "company_name": person.get("company_name"),
        "account_id": account.get("account_id"),
        "account_name": account.get("name"),
        "actor": decision["actor"],
        "decided_on": decision["recorded_as_of"],
        "reason": decision["reason"],
        "is_in_use": decision["decision_id"] in used,
    }


def _persons(con: duckdb.DuckDBPyConnection, decisions: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """(entity, row) → its person, of all rows that the decisions name."""
    rows = sorted({row_id for decision in decisions for _, row_id in decision["subject"]["rows"]})
    found = rows_of(con, _PERSON_OF, rows=rows) if rows else []
    return {(row["entity"], row["row_id"]): row for row in found}


def _decided_persons(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> set[str]:
    """Persons with a standing decision that the published file does not know yet."""
    used = {row["decision_id"] for row in rows_of(con, "select distinct decision_id from matched.remembered")}
    fresh = [row for row in match_decisions(ledger.read("decisions")) if row["decision_id"] not in used]
    return {row["person_id"] for row in _persons(con, fresh).values()}
