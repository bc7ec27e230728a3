"""Why an account is what it is: each value with its row and what lost, its rows, parents, tags, fit and history."""

from collections.abc import Iterator
from typing import Any

import duckdb

from abmloop.messages import say
from tasks.find_account import find_account
from tasks.summary import rows_of

_MOST_SHOWN = 12
# Fields shown, by the column of resolved.account_sources that names their row.
_FIELDS = {
    "name": ("name",), "uscc": ("uscc",), "registration_no": ("registration_no",), "name_en": ("name_en",),
    "short_name": ("short_name",), "status": ("status",), "founded_on": ("founded_on",),
    "registered_capital": ("registered_capital",), "address": ("province", "city", "district", "address"),
    "industry": ("industry", "industry_section"), "company_type": ("company_type",),
    "employees": ("employees", "employees_band"), "revenue": ("revenue",), "phone": ("phone",), "email": ("email",),
    "website": ("website",), "scope": ("scope",), "crm_account_id": ("crm_account_id",),
}  # fmt: skip
# What the rows of merged accounts call a field by another name.
_ROW_COLUMNS = {"uscc": "code"}


def explain_account(con: duckdb.DuckDBPyConnection, key: str, language: str = "en") -> str:
    """All that made the account, in words; `key` is its id (also a former one), its code, a row of it, or its name.

    Reads the published file. Raises BadUsage where no account, or more than one, bears the key.
    """
    found = find_account(con, key, language)
    account_id = found.account_id
    account = rows_of(con, "select * from resolved.accounts where account_id = $id", id=account_id)[0]
    lines = [say("explain_account_title", language, name=account["name"] or account["uscc"], account_id=account_id)]
    if found.former_id:
        lines.append(say("explain_account_redirected", language, old=found.former_id))
    for part in (_fields, _members, _family, _tags, _fit, _lists, _history):
        lines += part(con, account, language)
    return "\n".join([*lines, say("explain_account_next", language, account_id=account_id)])


def _fields(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    """Each value, the row it is from, and the other values that rows of the account give."""
    key = {"id": account["account_id"]}
    sources = rows_of(con, "select * from resolved.account_sources where account_id = $id", **key)[0]
    rows = rows_of(con, "select * from resolved.merged_rows where account_id = $id order by position", **key)
    yield say("explain_account_fields", language)
    for field, source in ((field, source) for source, fields in _FIELDS.items() for field in fields):
        if account[field] is None:
            continue
        row_id = sources[f"{source}_row_id"]
        yield say("explain_account_field", language, field=field, value=account[field], row=row_id or "-")
        column = _ROW_COLUMNS.get(field, field)
        seen = {account[field], None}
        for row in rows:
            if row[column] not in seen:
                seen.add(row[column])
                yield say("explain_account_lost", language, value=row[column], row=row["row_id"])


def _members(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    query = """
        select member.*, coalesce(file_name, '') || coalesce(' ' || sheet, '') || coalesce(':' || line, '') as place
        from resolved.account_members as member
        left join staging.source_rows as origin on origin.entity = 'companies' and origin.row_id = member.row_id
        left join ops.files on files.file_sha = origin.file_sha and files.entity = 'companies'
        where account_id = $id
        order by member.first_landed_on, member.row_id
        limit $most
    """
    yield say("explain_account_members", language, count=account["member_count"])
    for row in rows_of(con, query, id=account["account_id"], most=_MOST_SHOWN):
        fields = {name: row[name] for name in ("method", "landed_on", "place")}
        yield say("explain_account_member", language, row=row["row_id"], evidence=row["evidence"] or "", **fields)


def _family(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    above = """
        select parent.name as parent, top.name as ultimate, evidence
        from resolved.hierarchy
        join resolved.accounts as parent on parent.account_id = hierarchy.parent_account_id
        join resolved.accounts as top on top.account_id = hierarchy.ultimate_parent_id
        where hierarchy.account_id = $id
    """
    below = "select name from resolved.accounts where parent_account_id = $id order by name, account_id"
    for row in rows_of(con, above, id=account["account_id"]):
        yield say("explain_account_parent", language, **row)
    children = rows_of(con, below, id=account["account_id"])
    if children:
        names = ", ".join(str(row["name"]) for row in children[:3])
        yield say("explain_account_children", language, count=len(children), names=names)


def _tags(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    query = "select * from resolved.account_tags where account_id = $id order by tag_id"
    rows = rows_of(con, query, id=account["account_id"])
    if rows:
        yield say("explain_account_tags", language)
    for row in rows:
        yield say("explain_account_tag", language, tag=row["tag_id"], rule=row["rule_id"], evidence=row["evidence"])


def _fit(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    """Points, and the log that adds up to them."""
    key = {"id": account["account_id"]}
    for row in rows_of(con, "select * from resolved.account_fit where account_id = $id", **key):
        known = {"points": row["fit_points"], "grade": row["grade"], "completeness": row["completeness"]}
        yield say("explain_account_fit", language, **known)
    log = """
        select fit_log.*, why
        from resolved.fit_log
        join rules.icp using (criterion_id)
        where account_id = $id
        order by abs(fit_log.points) desc, criterion_id
    """
    for row in rows_of(con, log, **key):
        line = {"points": row["points"], "evidence": row["evidence"], "why": row["why"]}
        yield say("explain_account_fit_line", language, criterion=row["criterion_id"], **line)


def _lists(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    query = "select * from resolved.target_accounts where account_id = $id order by list, entry_id"
    rows = rows_of(con, query, id=account["account_id"])
    if rows:
        yield say("explain_account_lists", language)
    for row in rows:
        fields = {name: row[name] or "" for name in ("list", "tier", "reason")}
        yield say("explain_account_list", language, entry=row["entry_id"], **fields)


def _history(con: duckdb.DuckDBPyConnection, account: dict[str, Any], language: str) -> Iterator[str]:
    query = "select * from resolved.account_history where account_id = $id order by as_of, event, reason"
    rows = rows_of(con, query, id=account["account_id"])
    if rows:
        yield say("explain_account_history", language)
    for row in rows[:_MOST_SHOWN]:
        fields = {name: row[name] for name in ("as_of", "event", "reason")}
        yield say("explain_account_event", language, other=row["other_account_id"] or "", **fields)
