"""Why an account is in its stage, and what each stage ahead still needs, as stored."""

from typing import Any

import duckdb

from tasks.summary import Rows, rows_of

_STANDING = """
select engagement.*, persons.name as top_person
from marts.account_engagement as engagement
left join matched.persons on persons.person_id = engagement.top_person_id
where account_id = $id
"""
_IS_THERE = (
    "select count(*) as tables from duckdb_tables() where schema_name = 'marts' and table_name = 'account_engagement'"
)
_AHEAD = """
select ahead.stage, ahead.from_points, ahead.from_people, ahead.from_roles
from rules.account_stages as ahead
where ahead.rank > (
    select coalesce(max(rank), 0) from rules.account_stages where stage = $stage
)
order by ahead.rank
"""


def stage_facts(con: duckdb.DuckDBPyConnection, account_id: str) -> dict[str, Any] | None:
    """The account's row of marts.account_engagement and, under `missing`, what each stage ahead needs.

    A need is a `code` of the messages with its fields. None where nobody of the account was touched, it has no deal and
    stands on no target list, or where only the directory was brought up to date so far.
    """
    found = rows_of(con, _STANDING, id=account_id) if rows_of(con, _IS_THERE)[0]["tables"] else []
    if not found:
        return None
    row = found[0]
    ahead = rows_of(con, _AHEAD, stage=row["stage"])
    return {**row, "missing": [{"stage": step["stage"], "needs": _needs(step, row)} for step in ahead]}


def _needs(step: dict[str, Any], row: dict[str, Any]) -> Rows:
    """What is not there yet of a stage's bars; stages without bars hang on a list or a deal."""
    if step["from_points"] is None:
        return [{"code": f"account_needs_{step['stage']}"}]
    needs: Rows = []
    points, people, roles = float(row["points"]), row["people"], len(row["roles_present"])
    if points < step["from_points"]:
        short = f"{step['from_points'] - points:.2f}"
        needs.append({"code": "account_needs_points", "short": short, "bar": f"{step['from_points']:g}"})
    if people < step["from_people"]:
        needs.append(
            {"code": "account_needs_people", "short": step["from_people"] - people, "bar": step["from_people"]}
        )
    if roles < (step["from_roles"] or 0):
        named = ", ".join(row["roles_missing"])
        needs.append({"code": "account_needs_roles", "short": step["from_roles"] - roles, "roles": named})
    return needs
