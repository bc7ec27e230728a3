"""The registration check (报备查重): who holds a company or its group, is it followed, may another team take it."""

from dataclasses import dataclass, field
from typing import Any

import duckdb

from abmloop.messages import say
from tasks.find_account import accounts_of_key, similar_accounts
from tasks.summary import Rows, rows_of

_CHECK = """
select account_id, accounts.name, accounts.uscc, accounts.province, accounts.city, accounts.status, holder_id,
       holder_name, team, held_by, held_since, is_holder_active, pool_id, last_activity_on, last_touch_on,
       coalesce(open_deals, 0) as open_deals, coalesce(is_followed, false) as is_followed,
       coalesce(may_be_taken, true) as may_be_taken, coalesce(rule, 'nobody') as rule, protected_until, reason
from resolved.accounts as accounts
left join marts.registration_check using (account_id)
where list_contains($ids, account_id)
order by account_id
"""
# The group (one ultimate parent) and whom it succeeded or was succeeded by; only those that somebody holds.
_FAMILY = """
with asked as (
    select account_id, ultimate_parent_id from resolved.accounts where list_contains($ids, account_id)
),
family as (
    select accounts.account_id,
           case when accounts.account_id = asked.ultimate_parent_id then 'top'
                when accounts.is_branch then 'branch' else 'group' end as relation
    from resolved.accounts as accounts
    join asked on asked.ultimate_parent_id = accounts.ultimate_parent_id
    union
    select old_account_id, 'predecessor' from resolved.successions join asked using (account_id)
    union
    select successions.account_id, 'successor'
    from resolved.successions
    join asked on asked.account_id = old_account_id
)
select relation, account_id, name, holder_id, holder_name, team, held_by, held_since, may_be_taken, rule,
       protected_until
from family
join marts.registration_check using (account_id)
where holder_id is not null and not list_contains($ids, account_id)
order by may_be_taken, relation, held_since, account_id
limit 20
"""


@dataclass(frozen=True)
class Registration:
    """`accounts`: what is meant, with holder and rule; `similar`: near names, where none is meant exactly or several
    are; `family`: accounts of the same group, predecessors and successors, that somebody holds."""

    asked: str
    accounts: Rows
    similar: Rows = field(default_factory=list)
    family: Rows = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values for scripts."""
        return {"asked": self.asked, "accounts": self.accounts, "similar": self.similar, "family": self.family}


def check_registration(con: duckdb.DuckDBPyConnection, asked: str) -> Registration:
    """Who holds the company of this name, code or account id; near names with their holders where it is not known.

    `con` is the published file. Nothing found is an answer too: nobody holds it.
    """
    key = asked.strip()
    found = [one.account_id for one in accounts_of_key(con, key)]
    near = [] if len(found) == 1 else [row["account_id"] for row in similar_accounts(con, key)]
    near = [account_id for account_id in near if account_id not in found]
    accounts = rows_of(con, _CHECK, ids=found) if found else []
    similar = rows_of(con, _CHECK, ids=near) if near else []
    place = {account_id: number for number, account_id in enumerate(near)}
    similar.sort(key=lambda row: place[row["account_id"]])
    family = rows_of(con, _FAMILY, ids=found) if found else []
    return Registration(key, accounts, similar, family)


def registration_lines(checked: Registration, language: str) -> list[str]:
    """The answer in words: the account, its group, near names, and what to do next."""
    lines = [line for row in checked.accounts for line in _account_lines(row, language)]
    if not checked.accounts:
        code = "holder_no_exact" if checked.similar else "holder_unknown"
        lines.append(say(code, language, asked=checked.asked))
    if checked.family:
        lines.append(say("holder_family", language))
        lines += [_relative(row, language) for row in checked.family]
    if checked.similar:
        lines.append(say("holder_similar", language))
        lines += [_one_line(row, language) for row in checked.similar]
    return [*lines, say("holder_next", language)]


def _holder(row: dict[str, Any], language: str) -> str:
    name = row["holder_name"] or row["holder_id"]
    return f"{name} ({row['team']})" if row["team"] else str(name)


def _account_lines(row: dict[str, Any], language: str) -> list[str]:
    place = " ".join(str(row[part]) for part in ("province", "city", "uscc") if row[part])
    lines = [
        say("holder_account", language, name=row["name"] or row["uscc"], account_id=row["account_id"], place=place)
    ]
    if row["holder_id"]:
        since = row["held_since"] or "-"
        by = say(f"held_by_{row['held_by'].replace(' ', '_')}", language)
        lines.append(say("holder_held", language, holder=_holder(row, language), by=by, since=since))
    followed = say("holder_followed_yes" if row["is_followed"] else "holder_followed_no", language)
    days = {"activity": row["last_activity_on"] or "-", "touch": row["last_touch_on"] or "-"}
    lines.append(say("holder_followed", language, followed=followed, deals=row["open_deals"], **days))
    return [*lines, "  " + _verdict(row, language)]


def _verdict(row: dict[str, Any], language: str) -> str:
    until = say("holder_until", language, day=row["protected_until"]) if row["protected_until"] else ""
    why = say(f"holder_rule_{row['rule']}", language, until=until, pool=row.get("pool_id") or "-")
    return say("holder_may" if row["may_be_taken"] else "holder_may_not", language, why=why)


def _one_line(row: dict[str, Any], language: str) -> str:
    holder = _holder(row, language) if row["holder_id"] else say("holder_nobody", language)
    place = " ".join(str(row[part]) for part in ("province", "city") if row[part])
    fields = {"account_id": row["account_id"], "name": row["name"], "place": place}
    return say("holder_line", language, holder=holder, verdict=_verdict(row, language), **fields)


def _relative(row: dict[str, Any], language: str) -> str:
    relation = say(f"relation_{row['relation']}", language)
    fields = {"account_id": row["account_id"], "name": row["name"], "place": relation}
    return say("holder_line", language, holder=_holder(row, language), verdict=_verdict(row, language), **fields)
