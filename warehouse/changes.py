"""What changed since a step last looked: the log by which cost follows the change.

Who writes a table notes the keys whose rows it added, changed or removed; who builds on the table asks for the keys
noted since it asked last, and judges those alone. Both happen in the step's own transaction, so a killed step has
neither written nor asked.
"""

from dataclasses import dataclass

import duckdb

_EVERYTHING = "*"


@dataclass(frozen=True)
class Changes:
    """`is_all`: judge the whole table; else the temporary table `table` holds the changed keys (column `key`)."""

    is_all: bool
    rows: int
    table: str


def note_changes(con: duckdb.DuckDBPyConnection, table: str, keys: str) -> None:
    """Note that rows of `table` were added, changed or removed; `keys` is a SELECT of their keys, one column."""
    con.execute(
        "insert into ops.changes select ?, coalesce((select max(batch) from ops.changes), 0) + 1, key"
        f" from (select distinct key from ({keys}) as noted(key) where key is not null)",
        [table],
    )


def note_everything(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Note that any row of `table` may be another one now. What was noted before is contained in that."""
    batch = "coalesce((select max(batch) from ops.changes), 0) + 1"
    con.execute(f"insert into ops.changes select ?, {batch}, '{_EVERYTHING}'", [table])
    con.execute("delete from ops.changes where table_name = ? and key <> ?", [table, _EVERYTHING])


def take_changes(con: duckdb.DuckDBPyConnection, table: str, by: str, rules: str) -> Changes:
    """The keys of `table` noted since `by` asked last; from now on they count as taken.

    Everything where `by` asks for the first time, under other `rules` (a hash), or where the table was made anew.
    """
    last = con.execute(
        "select batch, rules from ops.changes_taken where table_name = ? and taken_by = ?", [table, by]
    ).fetchone()
    newest = con.execute("select coalesce(max(batch), 0) from ops.changes").fetchall()[0][0]
    con.execute("delete from ops.changes_taken where table_name = ? and taken_by = ?", [table, by])
    con.execute("insert into ops.changes_taken values (?, ?, ?, ?)", [table, by, newest, rules])
    since = -1 if last is None or last[1] != rules else int(last[0])
    taken = f"changed_{table.replace('.', '_')}"
    con.execute(
        f"create or replace temp table {taken} as"
        " select distinct key from ops.changes where table_name = ? and batch > ?",
        [table, since],
    )
    _forget_taken(con, table)
    rows, anew = con.execute(f"select count(*), count(*) filter (key = '{_EVERYTHING}') from {taken}").fetchall()[0]
    return Changes(is_all=since < 0 or anew > 0, rows=int(rows), table=taken)


def _forget_taken(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop what all who ask have taken; the newest batch number stays, since numbers only grow."""
    con.execute(
        "delete from ops.changes where table_name = $table"
        " and batch <= (select min(batch) from ops.changes_taken where table_name = $table)"
        " and batch < (select max(batch) from ops.changes)",
        {"table": table},
    )
