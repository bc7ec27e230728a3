"""One hash per table, the same whatever the order of rows: how two runs are held against each other."""

import duckdb

from warehouse.tables import quote

# Where a row was found and which run wrote it may differ between two equal runs. Source: spec 01-inputs, lineage.
LINEAGE = frozenset(
    {"run_id", "file_sha", "file_name", "sheet", "line", "record", "raw_row", "started_at", "seconds", "recorded_at"}
)
# What the runs say about themselves.
LOGS = frozenset({"marts.published", "marts.run_log", "marts.data_quality"})


def table_hashes(con: duckdb.DuckDBPyConnection, schemas: tuple[str, ...] = ("core", "marts")) -> dict[str, str]:
    """Table name → hash over its rows, lineage columns and logs left out; equal tables have equal hashes."""
    names = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where list_contains(?, table_schema) and table_name <> 'dictionary' order by 1",
        [list(schemas)],
    ).fetchall()
    return {name: _hash(con, name) for (name,) in names if name not in LOGS}


def _hash(con: duckdb.DuckDBPyConnection, name: str) -> str:
    columns = sorted(row[0] for row in con.execute(f"describe {name}").fetchall() if row[0] not in LINEAGE)
    row = ", ".join(quote(column) for column in columns)
    # The sum beside the exclusive or tells a row that stands twice from one that does not stand at all.
    sql = f"select count(*), bit_xor(h), sum(h % 1000000007) from (select hash({row}) as h from {name})"
    return ":".join(str(part) for part in con.execute(sql).fetchall()[0])
