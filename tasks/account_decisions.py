"""What people decide on companies (merge, split, pin, succeed, keep, target, undo): written to the ledger, undoable.

A decision names directory rows by source and source key, never derived ids, so that it outlives merges and renamings.
It counts from the next run on; what it will do is told when it is taken.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.run import Author
from tasks.find_account import find_account
from tasks.resolve.decisions import KINDS, PINNABLE
from tasks.standing import new_decision, standing_decisions
from tasks.summary import Rows, rows_of
from warehouse.ledger import Ledger

_STATUSES = ("active", "suspended", "revoked", "cancelled")


@dataclass(frozen=True)
class Desk:
    """Where somebody decides on companies: the published file, the ledger, who decides, why, and their language."""

    con: duckdb.DuckDBPyConnection
    ledger: Ledger
    by: Author
    actor: str
    reason: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Decided:
    """What was written to the ledger: the decision's id, what the next run makes of it, in words and as data."""

    decision_id: str
    lines: list[str]
    effect: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Account:
    """An account as a decision sees it; `notes`: what to say about how it was found."""

    account_id: str
    name: str
    code: str | None
    rows: Rows
    notes: list[str]

    @property
    def naming_row(self) -> str:
        """The row that names it: stands for the account in a decision."""
        return str(self.rows[0]["row_id"])


def merge_accounts(desk: Desk, one_key: str, other_key: str) -> Decided:
    """Two accounts are one company. Raises BadUsage for one account, and for two valid codes: that is a succession."""
    one, other = _account(desk, one_key), _account(desk, other_key)
    if one.account_id == other.account_id:
        raise BadUsage(said("account_same", name=one.name, account_id=one.account_id))
    if one.code and other.code and one.code != other.code:
        codes = {"one": one.account_id, "other": other.account_id, "one_code": one.code, "other_code": other.code}
        raise BadUsage(said("account_two_codes", **codes))
    first, second = sorted((one, other), key=lambda account: account.rows[0]["first_landed_on"])
    is_tie = first.rows[0]["first_landed_on"] == second.rows[0]["first_landed_on"]
    kept = say("account_oldest_row", desk.language) if is_tie else first.account_id
    lines = [
        say("account_will_merge", desk.language, one=one.name, other=other.name, kept=kept),
        *_row_lines(desk, one.rows + other.rows),
    ]
    effect = {"accounts": [one.account_id, other.account_id], "rows": _row_ids(one.rows + other.rows)}
    subject = {"rows": [one.naming_row, other.naming_row]}
    return _record(desk, ("merge", "merge"), subject, {}, (one.notes + other.notes + lines, effect))


def split_account(desk: Desk, key: str, row_ids: Sequence[str]) -> Decided:
    """These rows are another company. Raises BadUsage for foreign rows, for all rows, and for rows of one code."""
    account = _account(desk, key)
    own = {row["row_id"]: row for row in account.rows}
    strange = sorted(set(row_ids) - own.keys())
    if strange or not row_ids:
        known = ", ".join(own)
        raise BadUsage(said("account_not_its_rows", rows=", ".join(strange) or "-", known=known))
    leaving = [row for row in account.rows if row["row_id"] in set(row_ids)]
    staying = [row for row in account.rows if row["row_id"] not in set(row_ids)]
    if not staying:
        raise BadUsage(said("account_all_rows", account_id=account.account_id))
    common = {row["code"] for row in leaving} & {row["code"] for row in staying} - {None}
    if common:
        raise BadUsage(said("account_one_code", uscc=", ".join(sorted(common))))
    lines = [
        say("account_will_leave", desk.language, count=len(leaving), name=account.name),
        *_row_lines(desk, leaving),
        say("account_will_stay", desk.language, count=len(staying)),
        *_row_lines(desk, staying),
    ]
    subject = {"kept": _row_ids(staying), "apart": _row_ids(leaving)}
    return _record(desk, ("split", "split"), subject, {}, (account.notes + lines, subject))


def pin_field(desk: Desk, key: str, name: str, value: str) -> Decided:
    """A field has this value, whatever the lists say. Raises BadUsage for unknown fields and impossible values."""
    account = _account(desk, key)
    if name not in PINNABLE:
        raise BadUsage(said("account_no_field", field=name, known=", ".join(PINNABLE)))
    text = value.strip()
    wanted = _wanted(PINNABLE[name], text)
    if wanted:
        raise BadUsage(said(f"account_wants_{wanted}", field=name, value=value))
    now = rows_of(
        desk.con, f"select {name} as value from resolved.accounts where account_id = $id", id=account.account_id
    )
    effect = {"account_id": account.account_id, "field": name, "value": text, "before": now[0]["value"]}
    lines = [say("account_will_pin", desk.language, name=account.name, **effect)]
    payload = {"field": name, "value": text}
    return _record(desk, ("pin", "pin"), {"rows": [account.naming_row]}, payload, (account.notes + lines, effect))


def _wanted(kind: str, text: str) -> str | None:
    """What the value ought to be, where it is not."""
    try:
        if kind == "date":
            date.fromisoformat(text)
        elif kind == "amount":
            return None if Decimal(text).is_finite() else "number"
        elif kind == "number":
            int(text)
        elif kind == "place" and not (text.isdigit() and len(text) == 6):
            return "place"
        elif kind == "status" and text not in _STATUSES:
            return "status"
    except (ValueError, InvalidOperation):
        return "date" if kind == "date" else "number"
    return None if text else "text"


def succeed_account(desk: Desk, old_key: str, new_key: str, on: date) -> Decided:
    """From that day on the new account carries on for the old one (个转企); they stay two. Raises BadUsage for one."""
    old, new = _account(desk, old_key), _account(desk, new_key)
    if old.account_id == new.account_id:
        raise BadUsage(said("account_same", name=old.name, account_id=old.account_id))
    subject = {"before": [old.naming_row], "after": [new.naming_row]}
    if not (old.code and new.code):
        # Without two codes nothing else would keep them apart for good.
        subject |= {"kept": _row_ids(old.rows), "apart": _row_ids(new.rows)}
    names = {"old": old.name, "new": new.name, "day": on.isoformat()}
    effect = {"old_account_id": old.account_id, "account_id": new.account_id, "succeeded_on": on.isoformat()}
    lines = [*old.notes, *new.notes, say("account_will_succeed", desk.language, **names)]
    return _record(desk, ("succeed", "succeed"), subject, {"value": on.isoformat()}, (lines, effect))


def keep_account(desk: Desk, key: str, other_key: str | None = None) -> Decided:
    """Its doubts were looked at and it stays as it is (towards one other account, or all): no longer for review."""
    accounts = [_account(desk, one) for one in (key, other_key) if one]
    names = " / ".join(account.name for account in accounts)
    lines = [note for account in accounts for note in account.notes]
    lines.append(say("account_will_keep", desk.language, names=names))
    effect = {"accounts": [account.account_id for account in accounts]}
    subject = {"rows": [account.naming_row for account in accounts]}
    return _record(desk, ("keep", "keep"), subject, {}, (lines, effect))


def target_account(desk: Desk, key: str, entry: dict[str, Any] | None) -> Decided:
    """Put the account on the target list, or (entry None) take it off, whatever rules and files say.

    `entry`: tier, owner_id, valid_from, valid_to (ISO days), each or None. Raises BadUsage for an end before the start.
    """
    account = _account(desk, key)
    given = {name: value for name, value in (entry or {}).items() if value is not None}
    if given.get("valid_to", "9999") < given.get("valid_from", desk.by.as_of.isoformat()):
        raise BadUsage(said("account_ends_before", day=given["valid_to"]))
    verdict = "remove" if entry is None else "add"
    shown = {"name": account.name, "tier": given.get("tier", "-"), "owner": given.get("owner_id", "-")}
    lines = [*account.notes, say(f"account_will_{verdict}", desk.language, **shown)]
    effect = {"account_id": account.account_id, **given}
    return _record(desk, ("target", verdict), {"rows": [account.naming_row]}, given, (lines, effect))


def undo_decision(desk: Desk, decision_id: str) -> Decided:
    """Take a decision on companies back (also an undoing). Raises BadUsage for an unknown or undone one."""
    decisions = desk.ledger.read("decisions")
    known = {row["decision_id"]: row for row in decisions.to_pylist() if row["kind"] in KINDS}
    found = known.get(decision_id)
    if found is None:
        raise BadUsage(said("account_no_decision", decision_id=decision_id))
    if decision_id not in {row["decision_id"] for row in standing_decisions(decisions)}:
        raise BadUsage(said("account_undone", decision_id=decision_id))
    lines = [
        say("account_will_undo", desk.language, kind=found["kind"], verdict=found["verdict"], actor=found["actor"])
    ]
    effect = {"undoes": decision_id, "kind": found["kind"], "subject": json.loads(found["subject"])}
    return _record(desk, (found["kind"], "undo"), {}, {}, (lines, effect), undoes=decision_id)


def standing_of(desk: Desk, row_ids: Sequence[str]) -> Rows:
    """The decisions on companies that stand and name one of these rows, in their order."""
    wanted = set(row_ids)
    shown = ("decision_id", "kind", "verdict", "payload", "actor", "reason", "recorded_as_of")
    return [
        {name: row[name] for name in shown}
        for row in standing_decisions(desk.ledger.read("decisions"))
        if row["kind"] in KINDS and wanted & {one for part in json.loads(row["subject"]).values() for one in part}
    ]


def _account(desk: Desk, key: str) -> _Account:
    """The account of that key with its rows, the naming one first. Raises BadUsage where there is none, or several."""
    found = find_account(desk.con, key)
    about = rows_of(desk.con, "select * from resolved.accounts where account_id = $id", id=found.account_id)[0]
    followed = say("account_followed", desk.language, former=found.former_id, account_id=found.account_id)
    return _Account(
        account_id=found.account_id,
        name=str(about["name"] or about["uscc"]),
        code=about["uscc"],
        rows=rows_of_account(desk.con, found.account_id),
        notes=[followed] if found.former_id else [],
    )


def rows_of_account(con: duckdb.DuckDBPyConnection, account_id: str) -> Rows:
    """The directory rows of an account with their place, the one that names it first."""
    return rows_of(
        con,
        """
        select member.row_id, member.code, member.method, member.evidence, member.first_landed_on, member.landed_on,
               files.file_name, origin.sheet, origin.line
        from resolved.account_members as member
        left join staging.source_rows as origin on origin.entity = 'companies' and origin.row_id = member.row_id
        left join ops.files on files.file_sha = origin.file_sha and files.entity = 'companies'
        where account_id = $id
        order by own_account_id <> account_id, member.first_landed_on, member.row_id
        """,
        id=account_id,
    )


def _row_ids(rows: Rows) -> list[str]:
    return [str(row["row_id"]) for row in rows]


def _row_lines(desk: Desk, rows: Rows) -> list[str]:
    return [
        say("account_row", desk.language, row=row["row_id"], uscc=row["code"] or "-", file=place_of(row))
        for row in rows
    ]


def place_of(row: dict[str, Any]) -> str:
    """File, sheet and line of a row, as far as they are known."""
    sheet = f" ({row['sheet']})" if row["sheet"] else ""
    return f"{row['file_name'] or '-'}{sheet}:{row['line'] or '-'}"


def _record(
    desk: Desk,
    said: tuple[str, str],
    subject: dict[str, Any],
    payload: dict[str, Any],
    told: tuple[list[str], dict[str, Any]],
    undoes: str | None = None,
) -> Decided:
    """Write the decision (`said`: kind and verdict) to the ledger; `told`: what it will do, in words and as data."""
    row = new_decision(*said, subject, payload, (desk.ledger.head(), desk.actor, desk.reason))
    desk.ledger.append("decisions", [{**row, "undoes": undoes}], desk.by)
    decision_id = str(row["decision_id"])
    lines = [*told[0], say("account_decided", desk.language, decision_id=decision_id)]
    return Decided(decision_id, lines, told[1])
