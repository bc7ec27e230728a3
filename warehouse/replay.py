"""The warehouse to play with: every table can be read, some made anew in memory, and nothing is ever written."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from abmloop.errors import BadUsage, Busy
from abmloop.messages import said
from warehouse.database import Limits, warehouse_path
from warehouse.models import all_models
from warehouse.tables import SCHEMAS, quote

_BEHIND = "history"


@contextlib.contextmanager
def play_warehouse(root: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose tables are those of the warehouse's last run; what is made of them stays in memory.

    A table is read from the warehouse's file, which is attached read-only, until it is made anew here; views are views
    on what stands here. Raises BadUsage where nothing was ever run, Busy while a run has the warehouse open.
    """
    path = warehouse_path(root)
    if not path.is_file():
        raise BadUsage(said("warehouse_none", root=root))
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute(f"set memory_limit = '{limits.memory_limit}'")
        if limits.threads:
            con.execute(f"set threads = {limits.threads}")
        con.execute("set temp_directory = ?", [folder])
        con.execute("set preserve_insertion_order = false")
        con.execute("set global timezone = 'UTC'")
        try:
            con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {_BEHIND} (read_only)")
        except (duckdb.IOException, duckdb.ConnectionException, duckdb.BinderException) as error:
            raise Busy(said("warehouse_at_work", root=root)) from error
        con.execute("set enable_external_access = false")
        _show(con)
        yield con


def make_room(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Take away the view of a table that is about to be made anew."""
    schema, _, table = name.partition(".")
    standing = con.execute(
        "select count(*) from duckdb_views() where database_name = 'memory' and schema_name = ? and view_name = ?",
        [schema, table],
    ).fetchall()[0][0]
    if standing:
        con.execute(f"drop view {schema}.{quote(table)}")


def _show(con: duckdb.DuckDBPyConnection) -> None:
    """A view of every table of the file; models that are views are those of this program."""
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? and not internal order by all",
        [_BEHIND],
    ).fetchall()
    for schema, table in tables:
        name = f"{schema}.{quote(table)}"
        con.execute(f"create view {name} as select * from {_BEHIND}.{name}")
    for model in all_models().values():
        if model.kind == "view":
            # A view whose tables are not there, or not yet of today's shape, is not there either; who asks is told.
            with contextlib.suppress(duckdb.CatalogException, duckdb.BinderException):
                con.execute(f"create view {model.name} as {model.sql}")
