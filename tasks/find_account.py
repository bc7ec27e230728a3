"""Which account a person means: by its id (a former one is followed), its code, a row of it, or its name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said, together
from scoring.names import parse_names
from tasks.summary import Rows, rows_of

MOST_SHOWN = 12
# What is typed may be a branch of one we know (its name begins with that one's), or have the same proper name.
_SIMILAR = """
with named as (
    select account_id, name, province, city, uscc, name_key,
           starts_with($key, name_key) and length(name_key) >= 6 as is_above,
           coalesce(name_core = $core, false) as has_core,
           contains(name_key, $core) as holds_core,
           jaro_winkler_similarity(name_key, $key) as likeness
    from resolved.accounts
    where name_key is not null
)
select account_id, name, province, city, uscc, round(likeness, 3) as likeness
from named
where is_above or likeness >= 0.88 or has_core and likeness >= 0.5 or holds_core and likeness >= 0.65
order by is_above desc, likeness + case when has_core then 0.15 else 0 end desc, account_id
limit $most
"""


_NEW_ACCOUNT = re.compile(r"N[0-9a-f]{16}")


@dataclass(frozen=True)
class FoundAccount:
    """`account_id`: as it is called today; `former_id`: what it was asked by, where that id leads to another now."""

    account_id: str
    former_id: str | None = None


def find_account(con: duckdb.DuckDBPyConnection, key: str) -> FoundAccount:
    """The one account of that key; the surest kind of key that finds any decides. `con` is the published file.

    Raises BadUsage where no account bears the key, naming similar ones, or more than one does.
    """
    found = _once_new(con, key.strip()) or accounts_of_key(con, key.strip())
    if len(found) == 1:
        return found[0]
    if found:
        ids = [one.account_id for one in found]
        raise BadUsage(together([said("explain_account_several", key=key), *_namesakes(con, ids)]))
    raise BadUsage(said("explain_account_unknown", key=key))


def accounts_of_key(con: duckdb.DuckDBPyConnection, key: str) -> list[FoundAccount]:
    """The accounts that bear the key exactly, by the surest kind of key that finds any; several where names repeat."""
    former = rows_of(con, "select account_id from resolved.account_redirects where old_account_id = $key", key=key)
    ways = (
        "select account_id from resolved.accounts where account_id = $key",
        "select account_id from resolved.accounts where uscc = upper($key)",
        "select account_id from resolved.account_members where row_id = $key",
        "select account_id from resolved.accounts where name = $key",
        "select account_id from resolved.accounts where name_key = $name_key or list_contains(alias_keys, $name_key)",
    )
    if former:
        return [FoundAccount(former[0]["account_id"], key)]
    name_key = parse_names([key])["name_key"][0].as_py()
    for way in ways:
        given = {"name_key": name_key} if "$name_key" in way else {"key": key}
        found = sorted({row["account_id"] for row in rows_of(con, way, **given)})
        if found:
            return [FoundAccount(str(account_id)) for account_id in found]
    return []


def _once_new(con: duckdb.DuckDBPyConnection, key: str) -> list[FoundAccount]:
    """The account in which a new one, made of leads, went up. Raises BadUsage while no list names the company."""
    if not _NEW_ACCOUNT.fullmatch(key):
        return []
    gone_up = rows_of(con, "select account_id from matched.new_account_redirects where old_account_id = $key", key=key)
    still_new = rows_of(con, "select name, people from matched.new_accounts where account_id = $key", key=key)
    if still_new:
        raise BadUsage(said("explain_account_is_new", key=key, **still_new[0]))
    return [FoundAccount(str(row["account_id"]), key) for row in gone_up]


def similar_accounts(con: duckdb.DuckDBPyConnection, name: str, most: int = 8) -> Rows:
    """Accounts whose names are like the one given, as a sales person would type it; the likest first."""
    parsed = parse_names([name]).to_pylist()[0]
    key = parsed["name_key"]
    core = parsed["core"] or key
    if not key or len(core) < 2:
        return []
    return rows_of(con, _SIMILAR, key=key, core=core, most=most)


def _namesakes(con: duckdb.DuckDBPyConnection, ids: list[str]) -> Iterator[str]:
    query = "select * from resolved.accounts where list_contains($ids, account_id) order by account_id limit $most"
    for row in rows_of(con, query, ids=ids, most=MOST_SHOWN):
        place = " ".join(str(row[name]) for name in ("province", "city", "uscc") if row[name])
        yield f"  {row['account_id']}  {row['name']}  {place}"
