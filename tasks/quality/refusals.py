"""Refused rows for people: by rule, file and source, open and healed."""

from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.quality.heal import ROW_ID
from tasks.summary import Rows, rows_of

STATES = ("open", "healed", "all")
GROUPS = ("rule", "file", "source")

# Open and healed rows side by side.
_REFUSED = f"""
with refused as (
    select 'open' as state, *, {ROW_ID.format("")} as refused_id,
           null::date as healed_on, null::varchar as healed_by, null::varchar as how
    from quality.quarantine
    union all by name
    select 'healed' as state, * exclude (healed_by_sha) from quality.healed
),
meant as (
    select *
    from refused
    where ($state = 'all' or state = $state)
      and ($rule is null or rule = $rule)
      and ($source is null or source = $source)
      and ($entity is null or entity = $entity)
      and ($file is null or file_name = $file or ends_with(file_name, '/' || $file))
)
"""
_BY = {
    "rule": "entity, column_name, rule",
    "file": "entity, source, file_name",
    "source": "entity, source",
}
_COUNTED = """
select {group}, count(*) as rows,
       count(*) filter (state = 'open') as open, count(*) filter (state = 'healed') as healed,
       min(landed_on) as first_on, max(landed_on) as last_on, min(message) as example
from meant group by all order by open desc, rows desc, {group}
"""
_SHOWN = """
select state, file_name, sheet, line, column_name, value, rule, message, hint, healed_on, healed_by, how, refused_id
from meant
where $asked is null or rule = $asked or contains(file_name, $asked) or refused_id = $asked
   or line::varchar = $asked
order by file_name, sheet, line, column_name limit $limit
"""


@dataclass(frozen=True)
class Asked:
    """Which refused rows are meant; what is None does not matter. `file`: its path in the inbox, or its name."""

    rule: str | None = None
    file: str | None = None
    source: str | None = None
    entity: str | None = None
    state: str = "open"


def count_refusals(con: duckdb.DuckDBPyConnection, asked: Asked, group: str = "rule") -> Rows:
    """How many refusals by rule, file or source, those still open and those healed."""
    return rows_of(con, _REFUSED + _COUNTED.format(group=_BY[group]), **vars(asked))


def show_refusals(con: duckdb.DuckDBPyConnection, asked: Asked, name: str | None, limit: int) -> Rows:
    """The refusals of a rule, file, line or row number, with what to do, and by what they were healed."""
    return rows_of(con, _REFUSED + _SHOWN, asked=name, limit=limit, **vars(asked))


def refused_rows_received(con: duckdb.DuckDBPyConnection, asked: Asked) -> Rows:
    """The rows as received, one per row with all its reasons, by file and line: for correcting them."""
    sql = (
        _REFUSED
        + """
    select refused_id, entity, source, file_sha, file_name, sheet, line, any_value(raw_row) as raw_row,
           any_value(row_hash) as row_hash,
           string_agg(distinct rule, '; ' order by rule) as rules,
           string_agg(distinct message, '; ' order by message) as reasons,
           string_agg(distinct hint, '; ' order by hint) as hints
    from meant group by all order by file_name, sheet, line, refused_id
    """
    )
    return rows_of(con, sql, **vars(asked))


def headers_of(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    """(file, entity) → canonical column → the header it was read from."""
    rows = rows_of(
        con,
        """
        select unnest(file_shas) as file_sha, entity, column_name, header
        from quality.snapshots join quality.snapshot_columns using (snapshot_id) where not is_extra
        """,
    )
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        found.setdefault((row["file_sha"], row["entity"]), {})[row["column_name"]] = row["header"]
    return found


def extras_of(con: duckdb.DuckDBPyConnection, entity: str, hashes: list[str]) -> dict[str, Any]:
    """Row hash → the JSON of its unknown columns, of rows that reached raw."""
    if not hashes:
        return {}
    wanted = "list_contains($hashes, row_hash) and extra is not null"
    sql = f"select row_hash, any_value(extra) as extra from raw.{entity} where {wanted} group by all"
    return {row["row_hash"]: row["extra"] for row in rows_of(con, sql, hashes=hashes)}
