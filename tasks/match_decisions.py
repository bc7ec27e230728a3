"""What people decided on matches (accept, choose, create, reject, undo): written to the ledger, read by later runs."""

import json
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import say
from abmloop.run import Author
from scoring.names import parse_names
from tasks.standing import new_decision, standing_decisions
from tasks.summary import Rows, rows_of
from warehouse.ledger import Ledger

VERDICTS = ("accept", "choose", "create", "reject")
_TAKES_ACCOUNT = ("accept", "choose", "reject")
_SCHEMA = pa.schema(
    [
        ("decision_id", pa.string()),
        ("seq", pa.int64()),
        ("entity", pa.string()),
        ("row_id", pa.string()),
        ("verdict", pa.string()),
        ("account_row_id", pa.string()),
        ("alias_key", pa.string()),
        ("decided_on", pa.date32()),
        ("actor", pa.string()),
        ("reason", pa.string()),
    ]
)


def remembered_decisions(decisions: pa.Table) -> pa.Table:
    """One row per standing decision on a match and row of its contact (matched.remembered).

    `decisions` is the ledger's table. It names the contact and the account by source and source key of their rows,
    never by derived ids, so that a decision outlives merges and renamings.
    """
    standing = standing_decisions(decisions)
    matches = [row for row in standing if row["kind"] == "match" and row["verdict"] in VERDICTS]
    found = [part for row in matches for part in _by_row(row)]
    return pa.Table.from_pylist(found, _SCHEMA)


def _by_row(decision: dict[str, Any]) -> list[dict[str, Any]]:
    subject, payload = json.loads(decision["subject"]), json.loads(decision["payload"] or "{}")
    about = {
        "decision_id": decision["decision_id"],
        "seq": decision["seq"],
        "verdict": decision["verdict"],
        "account_row_id": payload.get("account_row_id"),
        "alias_key": payload.get("alias_key"),
        "decided_on": decision["recorded_as_of"],
        "actor": decision["actor"],
        "reason": decision["reason"],
    }
    return [{**about, "entity": entity, "row_id": row_id} for entity, row_id in sorted(map(tuple, subject["rows"]))]


def review_list(con: duckdb.DuckDBPyConnection, limit: int = 50) -> Rows:
    """The first matches of the queue, in the order in which to work them; `con` is the published file."""
    return rows_of(con, "select * from marts.review_queue order by position limit $limit", limit=limit)


def record_review(  # noqa: PLR0913 - what was decided, by whom and why, in one call of the command line or the page
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    by: Author,
    person_id: str,
    verdict: str,
    account_id: str | None = None,
    actor: str = "",
    reason: str = "",
) -> str:
    """Write a person's verdict on a match to the ledger; gives the decision's id. Counts from the next run on.

    accept takes the account proposed (or `account_id`), choose another one, reject refuses it for this person, create
    says that the company is not in the directory. Raises BadUsage for an unknown person, account or verdict.
    """
    if verdict not in VERDICTS:
        raise BadUsage(say("match_no_verdict", "en", verdict=verdict, known=", ".join(VERDICTS)))
    match = _match_of(con, person_id)
    target = (account_id or match["account_id"] or match["runner_up_account_id"]) if verdict in _TAKES_ACCOUNT else None
    if verdict == "choose" and account_id is None:
        raise BadUsage(say("match_choose_which", "en", person_id=person_id))
    key_of_name = parse_names([match["company_name"]])["name_key"][0].as_py()
    payload = {
        "account_row_id": _naming_row(con, target) if verdict in _TAKES_ACCOUNT else None,
        "alias_key": key_of_name if verdict in ("accept", "choose") else None,
        "confidence": match["confidence"],
    }
    row = new_decision(
        "match", verdict, {"rows": _contact_rows(con, person_id)}, payload, (ledger.head(), actor, reason)
    )
    ledger.append("decisions", [row], by)
    return str(row["decision_id"])


def undo_review(ledger: Ledger, by: Author, decision_id: str, actor: str = "", reason: str = "") -> str:
    """Take a decision on a match back; gives the id of the undoing. Raises BadUsage for an unknown decision."""
    known = ledger.read("decisions").to_pylist()
    if not any(row["decision_id"] == decision_id and row["kind"] == "match" for row in known):
        raise BadUsage(say("match_no_decision", "en", decision_id=decision_id))
    row = new_decision("match", "undo", {"rows": []}, {}, (ledger.head(), actor, reason))
    ledger.append("decisions", [{**row, "undoes": decision_id}], by)
    return str(row["decision_id"])


def _match_of(con: duckdb.DuckDBPyConnection, person_id: str) -> dict[str, Any]:
    found = rows_of(
        con,
        """
        select matches.*, persons.company_name from matched.person_accounts as matches
        join matched.persons using (person_id) where person_id = $person_id
        """,
        person_id=person_id,
    )
    if not found:
        raise BadUsage(say("match_no_person", "en", key=person_id))
    return found[0]


def _contact_rows(con: duckdb.DuckDBPyConnection, person_id: str) -> list[list[str]]:
    """The person's contact rows; those of other entities where no source knows them as a contact."""
    rows = rows_of(
        con,
        """
        select entity, row_id from matched.person_rows where person_id = $person_id
        order by entity <> 'contacts', entity, row_id
        """,
        person_id=person_id,
    )
    contacts = [row for row in rows if row["entity"] == "contacts"]
    return [[row["entity"], row["row_id"]] for row in contacts or rows]


def _naming_row(con: duckdb.DuckDBPyConnection, account_id: str | None) -> str:
    """The directory row after which an account is named."""
    rows = rows_of(
        con,
        """
        select row_id from resolved.account_members where account_id = $account_id
        order by first_landed_on, row_id limit 1
        """,
        account_id=account_id,
    )
    if not rows:
        raise BadUsage(say("match_no_account", "en", account_id=account_id))
    return str(rows[0]["row_id"])
