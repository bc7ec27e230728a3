"""What people decided on matches (accept, choose, create, reject, undo): written to the ledger, read by later runs."""

import json
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from scoring.names import parse_names
from tasks.find_account import find_account
from tasks.find_person import find_person
from tasks.standing import new_decision, standing_decisions
from tasks.summary import rows_of
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
        ("name_key", pa.string()),
        ("decided_on", pa.date32()),
        ("actor", pa.string()),
        ("reason", pa.string()),
    ]
)
_KEYS = pa.schema([("decision_id", pa.string()), ("key_hash", pa.string())])


def match_decisions(decisions: pa.Table) -> list[dict[str, Any]]:
    """The ledger's decisions on matches that stand, in their order, with `subject` and `payload` read."""
    standing = [row for row in standing_decisions(decisions) if row["kind"] == "match" and row["verdict"] in VERDICTS]
    return [
        {**row, "subject": json.loads(row["subject"]), "payload": json.loads(row["payload"] or "{}")}
        for row in standing
    ]


def remembered_decisions(decisions: pa.Table) -> pa.Table:
    """One row per standing decision on a match and row of its contact (matched.remembered).

    `decisions` is the ledger's table. It names the contact and the account by source and source key of their rows,
    never by derived ids, so that a decision outlives merges and renamings.
    """
    found = [part for row in match_decisions(decisions) for part in _by_row(row)]
    return pa.Table.from_pylist(found, _SCHEMA)


def remembered_keys(decisions: pa.Table) -> pa.Table:
    """One row per standing decision and strong key of its person, as a keyed hash (matched.remembered_keys).

    A person who comes again under another row, with one of those keys, is still the one decided on.
    """
    found = [
        {"decision_id": row["decision_id"], "key_hash": key}
        for row in match_decisions(decisions)
        for key in sorted(set(row["subject"].get("keys", ())))
    ]
    return pa.Table.from_pylist(found, _KEYS)


def _by_row(decision: dict[str, Any]) -> list[dict[str, Any]]:
    payload = decision["payload"]
    about = {
        "decision_id": decision["decision_id"],
        "seq": decision["seq"],
        "verdict": decision["verdict"],
        "account_row_id": payload.get("account_row_id"),
        "alias_key": payload.get("alias_key"),
        "name_key": payload.get("name_key", payload.get("alias_key")),
        "decided_on": decision["recorded_as_of"],
        "actor": decision["actor"],
        "reason": decision["reason"],
    }
    rows = sorted({(entity, row_id) for entity, row_id in decision["subject"]["rows"]})
    return [{**about, "entity": entity, "row_id": row_id} for entity, row_id in rows]


def record_review(  # noqa: PLR0913 - what was decided, by whom and why, in one call of the command line or the page
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    by: Author,
    person: str,
    verdict: str,
    account: str | None = None,
    actor: str = "",
    reason: str = "",
) -> str:
    """Write a person's verdict on a match to the ledger; gives the decision's id. Counts from the next run on.

    accept takes the account proposed (or `account`), choose another one, reject refuses it for this person, create
    says that the company is not in the directory. `person` and `account` are any key that finds one (find_person,
    find_account). Raises BadUsage for an unknown person, account or verdict.
    """
    row = review_row(con, person, verdict, account, (ledger.head(), actor, reason))
    ledger.append("decisions", [row], by)
    return str(row["decision_id"])


def review_row(
    con: duckdb.DuckDBPyConnection,
    person: str,
    verdict: str,
    account: str | None,
    by: tuple[int, str, str],
) -> dict[str, Any]:
    """The decision as a row for the ledger, not yet written; `by`: the ledger's head, who decides, and why."""
    if verdict not in VERDICTS:
        raise BadUsage(said("match_no_verdict", verdict=verdict, known=", ".join(VERDICTS)))
    person_id = find_person(con, person)
    match = _match_of(con, person_id)
    if verdict == "choose" and account is None:
        raise BadUsage(said("match_choose_which", person_id=person_id))
    account_id = None
    if verdict in _TAKES_ACCOUNT:
        proposed = match["account_id"] or match["runner_up_account_id"]
        account_id = find_account(con, account).account_id if account else proposed
        if account_id is None:
            raise BadUsage(said("match_nothing_proposed", person_id=person_id))
    name_key = parse_names([match["company_name"]])["name_key"][0].as_py()
    payload = {
        "account_row_id": _naming_row(con, account_id) if account_id else None,
        "alias_key": name_key if verdict in ("accept", "choose") else None,
        "name_key": name_key,
        "confidence": match["confidence"],
    }
    subject = {"rows": _contact_rows(con, person_id), "keys": _strong_keys(con, person_id)}
    return new_decision("match", verdict, subject, payload, by)


def undo_review(ledger: Ledger, by: Author, decision_id: str, actor: str = "", reason: str = "") -> str:
    """Take a decision on a match back; gives the id of the undoing. Raises BadUsage for an unknown decision."""
    known = ledger.read("decisions").to_pylist()
    if not any(row["decision_id"] == decision_id and row["kind"] == "match" for row in known):
        raise BadUsage(said("match_no_decision", decision_id=decision_id))
    row = new_decision("match", "undo", {"rows": []}, {}, (ledger.head(), actor, reason))
    ledger.append("decisions", [{**row, "undoes": decision_id}], by)
    return str(row["decision_id"])


def _match_of(con: duckdb.DuckDBPyConnection, person_id: str) -> dict[str, Any]:
    return rows_of(
        con,
        """
        select matches.*, persons.company_name from matched.person_accounts as matches
        join matched.persons using (person_id) where person_id = $person_id
        """,
        person_id=person_id,
    )[0]


def _strong_keys(con: duckdb.DuckDBPyConnection, person_id: str) -> list[str]:
    """The person's strong keys as keyed hashes: the ledger holds no number and no address."""
    rows = rows_of(
        con,
        """
        select distinct key_hash from matched.person_keys
        where person_id = $person_id and is_strong order by key_hash
        """,
        person_id=person_id,
    )
    return [str(row["key_hash"]) for row in rows]


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


def _naming_row(con: duckdb.DuckDBPyConnection, account_id: str) -> str:
    """The directory row after which an account is named."""
    rows = rows_of(
        con,
        """
        select row_id from resolved.account_members where account_id = $account_id
        order by first_landed_on, row_id limit 1
        """,
        account_id=account_id,
    )
    return str(rows[0]["row_id"])
