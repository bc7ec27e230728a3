"""What holds the publish, and how a person lets it go on: decisions in the ledger that name a file's content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from tasks.standing import standing_decisions
from tasks.summary import Rows, rows_of
from warehouse.ledger import Ledger

KIND = "quality"
# hold → the decision that accepted it
Accepted = Mapping[str, str]

_HOLDS = """
select hold_id, state, entity, source, file_name, kind, subject, before, after, allowed, example, landed_on, decision_id
from quality.differences
where state in ('held', 'accepted') or $with_all
order by state <> 'held', landed_on desc, entity, source, kind, subject
"""


def name_hold(content: str, kind: str, subject: str) -> str:
    """The id of a hold: of the content (snapshot or file) it is about, never of a name."""
    return "H" + hashlib.sha256("\n".join((content, kind, subject)).encode()).hexdigest()[:12]


def accepted_holds(decisions: pa.Table) -> dict[str, str]:
    """The holds that standing decisions accept. `decisions` is the ledger's table."""
    return {
        hold: row["decision_id"]
        for row in standing_decisions(decisions)
        if row["kind"] == KIND and row["verdict"] == "accept"
        for hold in json.loads(row["subject"])["holds"]
    }


def holds_list(con: duckdb.DuckDBPyConnection, *, with_all: bool = False) -> Rows:
    """What is held or was accepted, the open ones first; `with_all` also what was only noted or is superseded."""
    return rows_of(con, _HOLDS, with_all=with_all)


def accept_holds(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, by: Author, asked: Sequence[str], about: tuple[str, str]
) -> tuple[str, Rows]:
    """Write to the ledger that a person lets these holds go on; gives the decision's id and the holds.

    `asked` are ids of open holds, or names of files for all of theirs; `about` is (actor, reason). Counts
    from the next run on. Raises BadUsage where nothing of that name is held, or where no reason is given.
    """
    actor, reason = about
    if not reason.strip():
        raise BadUsage(said("quality.reason_wanted"))
    open_holds = [row for row in holds_list(con) if row["state"] == "held"]
    unknown = [name for name in asked if not any(name in (row["hold_id"], row["file_name"]) for row in open_holds)]
    if unknown or not asked:
        held = ", ".join(row["hold_id"] for row in open_holds) or said("report.none")
        raise BadUsage(said("quality.no_hold", asked=", ".join(unknown), held=held))
    meant = [row for row in open_holds if row["hold_id"] in asked or row["file_name"] in asked]
    subject = {"holds": [row["hold_id"] for row in meant]}
    payload = {row["hold_id"]: _figures(row) for row in meant}
    return _decide(ledger, by, (actor, reason), ("accept", subject, payload)), meant


def undo_acceptance(ledger: Ledger, by: Author, decision_id: str, about: tuple[str, str]) -> str:
    """Take an acceptance back; gives the undoing's id. Raises BadUsage for an unknown decision."""
    actor, reason = about
    known = ledger.read("decisions").to_pylist()
    if not any(row["decision_id"] == decision_id and row["kind"] == KIND for row in known):
        raise BadUsage(said("quality.no_decision", decision=decision_id))
    return _decide(ledger, by, (actor, reason), ("undo", {"holds": []}, {}), undoes=decision_id)


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    """What the person saw when they decided."""
    return {key: row[key] for key in ("entity", "source", "file_name", "kind", "subject", "before", "after")}


def _decide(
    ledger: Ledger,
    by: Author,
    who: tuple[str, str],
    what: tuple[str, dict[str, Any], dict[str, Any]],
    undoes: str | None = None,
) -> str:
    actor, reason = who
    verdict, *parts = what
    subject, payload = (json.dumps(part, ensure_ascii=False, sort_keys=True) for part in parts)
    named = json.dumps([ledger.head(), verdict, subject, undoes, actor, reason], ensure_ascii=False)
    row = {
        "decision_id": "D" + hashlib.sha256(named.encode()).hexdigest()[:16],
        "kind": KIND,
        "subject": subject,
        "verdict": verdict,
        "payload": payload,
        "actor": actor,
        "reason": reason,
        "undoes": undoes,
    }
    ledger.append("decisions", [row], by)
    return str(row["decision_id"])
