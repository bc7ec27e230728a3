"""All that made an account, as data: each value with its row and what lost, rows, family, tags, fit, lists, history."""

from collections.abc import Iterator
from typing import Any

import duckdb

from tasks.explain.stage_facts import stage_facts
from tasks.find_account import find_account
from tasks.summary import Rows, rows_of

# Fields shown, by the column of resolved.account_sources that names their row.
FIELDS = {
    "name": ("name",), "uscc": ("uscc",), "registration_no": ("registration_no",), "name_en": ("name_en",),
    "short_name": ("short_name",), "status": ("status",), "founded_on": ("founded_on",),
    "registered_capital": ("registered_capital",), "address": ("province", "city", "district", "address"),
    "industry": ("industry", "industry_section"), "company_type": ("company_type",),
    "employees": ("employees", "employees_band"), "revenue": ("revenue",), "phone": ("phone",), "email": ("email",),
    "website": ("website",), "scope": ("scope",), "crm_account_id": ("crm_account_id",),
}  # fmt: skip
# What the rows of merged accounts call a field by another name.
_ROW_COLUMNS = {"uscc": "code"}
_MEMBERS = """
select member.row_id, member.source, method, evidence, code, member.first_landed_on, member.landed_on, own_account_id,
       file_name, sheet, line
from resolved.account_members as member
left join staging.source_rows as origin on origin.entity = 'companies' and origin.row_id = member.row_id
left join ops.files on files.file_sha = origin.file_sha and files.entity = 'companies'
where account_id = $id
order by member.first_landed_on, member.row_id
"""
_ABOVE = """
select parent.account_id as parent_account_id, parent.name as parent, top.account_id as ultimate_parent_id,
       top.name as ultimate, depth, evidence
from resolved.hierarchy
join resolved.accounts as parent on parent.account_id = hierarchy.parent_account_id
join resolved.accounts as top on top.account_id = hierarchy.ultimate_parent_id
where hierarchy.account_id = $id
"""
_BELOW = (
    "select account_id, name, is_branch from resolved.accounts where parent_account_id = $id order by name, account_id"
)
# The whole group under one ultimate parent, each account counted once.
_GROUP = """
select count(*) as accounts, coalesce(sum(people), 0)::bigint as people, coalesce(sum(touches), 0)::bigint as touches,
       coalesce(sum(open_deals), 0)::bigint as open_deals, coalesce(sum(won_deals), 0)::bigint as won_deals,
       sum(pipeline_amount) as pipeline_amount, sum(won_amount) as won_amount
from resolved.accounts
left join marts.account_360 using (account_id)
where accounts.ultimate_parent_id = (select ultimate_parent_id from resolved.accounts where account_id = $id)
"""
_FIT_LOG = """
select criterion_id, fit_log.points, fit_log.evidence, icp.why, criterion_group, group_cap
from resolved.fit_log
join rules.icp using (criterion_id)
where account_id = $id
order by abs(fit_log.points) desc, criterion_id
"""
_UNKNOWN = "select criterion_id, asks, points from rules.icp where points > 0 and asks not in ('tag') order by position"
_TAGS = """
select tag_id, tag_group, rule_id, account_tags.evidence, why
from resolved.account_tags
left join rules.tags using (rule_id, tag_id, tag_group)
where account_id = $id
order by tag_group, tag_id
"""
_SUCCESSIONS = """
select 'succeeded_by' as relation, other.account_id, other.name, succeeded_on, reason, actor
from resolved.successions
join resolved.accounts as other using (account_id)
where old_account_id = $id
union all
select 'succeeds', other.account_id, other.name, succeeded_on, reason, actor
from resolved.successions
join resolved.accounts as other on other.account_id = old_account_id
where successions.account_id = $id
order by all
"""


def account_facts(con: duckdb.DuckDBPyConnection, key: str) -> dict[str, Any]:
    """What made the account that `key` means (id, former id, code, row or name); plain values, for scripts too.

    Reads the published file. Raises BadUsage where no account, or more than one, bears the key.
    """
    found = find_account(con, key)

    def rows(sql: str) -> Rows:
        return rows_of(con, sql, id=found.account_id)

    account = rows("select * from resolved.accounts where account_id = $id")[0]
    return {
        "account_id": found.account_id,
        "former_id": found.former_id,
        "name": account["name"] or account["uscc"],
        "fields": list(_fields(con, account)),
        "members": rows(_MEMBERS),
        "family": {"above": rows(_ABOVE), "below": rows(_BELOW), "group": rows(_GROUP)[0]},
        "successions": rows(_SUCCESSIONS),
        "tags": rows(_TAGS),
        "fit": _fit(con, account),
        "stage": stage_facts(con, found.account_id),
        "lists": rows("select * from resolved.target_accounts where account_id = $id order by list, entry_id"),
        "former_ids": rows("select old_account_id from resolved.account_redirects where account_id = $id order by all"),
        "history": rows("select * from resolved.account_history where account_id = $id order by as_of, event, reason"),
        "doubts": rows("select * from marts.account_review where account_id = $id order by since, evidence"),
    }


def _fields(con: duckdb.DuckDBPyConnection, account: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each value, the row it is from, why that row, and the other values that rows of the account give."""
    key = {"id": account["account_id"]}
    sources = rows_of(con, "select * from resolved.account_sources where account_id = $id", **key)[0]
    rows = rows_of(con, "select * from resolved.merged_rows where account_id = $id order by position", **key)
    by_id = {row["row_id"]: row for row in rows}
    places = {row["row_id"]: row for row in rows_of(con, _MEMBERS, **key)}
    for source, field in ((source, field) for source, fields in FIELDS.items() for field in fields):
        value, row_id = account[field], sources[f"{source}_row_id"]
        if value is None:
            continue
        column = _ROW_COLUMNS.get(field, field)
        saying = [row for row in rows if row[column] is not None]
        won = by_id.get(row_id)
        others = [row for row in saying if row["row_id"] != row_id]
        yield {
            "field": field,
            "value": value,
            "row_id": row_id,
            **_origin(places.get(row_id or ""), won),
            **_why(row_id, won, others),
            "lost": _lost(value, column, others, places),
        }


def _origin(place: dict[str, Any] | None, row: dict[str, Any] | None) -> dict[str, Any]:
    """Where a row stands, and what its source counts."""
    told = {name: (place or {}).get(name) for name in ("source", "file_name", "sheet", "line", "landed_on")}
    return {**told, **{name: (row or {}).get(name) for name in ("source_rank", "source_date")}}


def _lost(value: Any, column: str, others: Rows, places: dict[str, dict[str, Any]]) -> Rows:
    """The other values, each once, with the first row that gives it."""
    seen, lost = {value}, []
    for row in others:
        if row[column] not in seen:
            seen.add(row[column])
            lost.append({"value": row[column], "row_id": row["row_id"], **_origin(places.get(row["row_id"]), row)})
    return lost


def _why(row_id: str | None, won: dict[str, Any] | None, others: Rows) -> dict[str, Any]:
    """Which rule let the row's value count: pin, only, rank, date, completeness or order, and its figures."""
    if row_id and row_id.startswith("pin:"):
        return {"why": "pin", "with": row_id.removeprefix("pin:"), "against": None}
    if won is None or not others:
        return {"why": "only", "with": None, "against": None}
    best = others[0]
    for rule, column in (("rank", "source_rank"), ("date", "source_date")):
        if won[column] != best[column]:
            return {"why": rule, "with": won[column], "against": best[column]}
    # A block or a comparable name may come from a row that is not the first; then its place in the order says nothing.
    is_first = won["position"] < best["position"]
    return {
        "why": "completeness" if is_first else "only",
        "with": None,
        "against": best["row_id"] if is_first else None,
    }


def _fit(con: duckdb.DuckDBPyConnection, account: dict[str, Any]) -> dict[str, Any] | None:
    """Points and their log, and the fields of the profile that are not known."""
    key = {"id": account["account_id"]}
    found = rows_of(
        con, "select fit_points, grade, completeness from resolved.account_fit where account_id = $id", **key
    )
    if not found:
        return None
    asked = {row["asks"] for row in rows_of(con, _UNKNOWN)}
    fields = {"province_code" if name == "region" else name for name in asked}
    unknown = sorted(name for name in fields if account.get(name) is None)
    return {**found[0], "log": rows_of(con, _FIT_LOG, **key), "unknown": unknown}
