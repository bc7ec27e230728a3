"""Opening the warehouse: one DuckDB file, one writer, nothing outside the workspace in reach."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from abmloop.errors import AbmError, BadUsage, Busy
from abmloop.messages import said
from warehouse.tables import SCHEMAS, declared_tables, fingerprint

FORMAT = 2


@dataclass(frozen=True)
class Limits:
    """How much of the machine DuckDB may use. `threads` 0 = all cores; `memory_limit` as DuckDB writes it."""

    memory_limit: str = "2GB"
    threads: int = 0


def warehouse_path(root: Path) -> Path:
    """The warehouse's file in a workspace."""
    return root / "state" / "warehouse.duckdb"


def published_path(root: Path) -> Path:
    """The read-only copy that analysts open."""
    return root / "published" / "abmloop.duckdb"


def _lock_down(con: duckdb.DuckDBPyConnection, root: Path, limits: Limits) -> None:
    """Memory and threads as set; no file outside the workspace, no extension, no later change. Source: spec S13.

    Where the process has the file open already, the settings are those it was opened with.
    """
    if con.execute("select current_setting('lock_configuration')").fetchall()[0][0]:
        return
    temporary = root / "state" / "tmp"
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    con.execute(f"set memory_limit = '{limits.memory_limit}'")
    # Blocks are handed from one use to the next instead of back to the system: half the time in the system goes there.
    con.execute(f"set block_allocator_memory = '{limits.memory_limit}'")
    if limits.threads:
        con.execute(f"set threads = {limits.threads}")
    con.execute("set temp_directory = ?", [str(temporary)])
    con.execute("set preserve_insertion_order = false")
    con.execute("set global timezone = 'UTC'")
    for option in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"):
        con.execute(f"set {option} = false")
    # Squeezing text takes longer than all else that writing a table does: docs/decisions/0008.
    con.execute("set disabled_compression_methods = 'dict_fsst,fsst,zstd'")
    con.execute("set allowed_directories = ?", [[str(root)]])
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def _create(con: duckdb.DuckDBPyConnection) -> None:
    """Schemas and declared tables of an empty warehouse, in one transaction."""
    specs = declared_tables().values()
    con.execute("begin")
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    for spec in specs:
        con.execute(spec.ddl())
    con.execute("insert into ops.warehouse values (?, ?)", [fingerprint(specs), FORMAT])
    con.execute("commit")


def _fits(con: duckdb.DuckDBPyConnection) -> bool | None:
    """Whether the file was made with today's table shapes; None where it is empty."""
    try:
        found = con.execute("select fingerprint, format from ops.warehouse").fetchone()
    except duckdb.CatalogException:
        return None
    return bool(found == (fingerprint(declared_tables().values()), FORMAT))


def remove_warehouse(root: Path) -> None:
    """Delete the warehouse; it is rebuilt from the raw store and the ledger."""
    path = warehouse_path(root)
    for name in (path, path.with_name(path.name + ".wal")):
        name.unlink(missing_ok=True)


def connect(root: Path, limits: Limits | None = None) -> duckdb.DuckDBPyConnection:
    """The warehouse, open for writing, with all declared tables there.

    A warehouse made with other table shapes is deleted and begun anew: the next `land` reads the raw store again.
    Raises Busy where another process has it open, AbmError where the file cannot be read.
    """
    path = warehouse_path(root)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    con = _connect(path)
    fits = _fits(con)
    if fits is False:
        con.close()
        remove_warehouse(root)
        con, fits = _connect(path), None
    if fits is None:
        _create(con)
    _lock_down(con, root, limits or Limits())
    return con


@contextlib.contextmanager
def held_open(root: Path, limits: Limits) -> Iterator[None]:
    """Have the warehouse open until the block ends: what one step has read, the next finds in memory.

    Connections of this process share it, each with its own transaction and temporary tables.
    """
    with connect(root, limits):
        yield


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise Busy(said("warehouse_busy", path=path, problem=error)) from error
        raise AbmError(said("warehouse_cannot_open", path=path, problem=error)) from error
    except (duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException) as error:
        raise AbmError(said("warehouse_damaged", path=path, problem=error)) from error


def connect_to_look(root: Path) -> duckdb.DuckDBPyConnection:
    """The warehouse as its last run left it, read-only; the published copy while a run has the warehouse open.

    For what a run found that was stopped before it published.
    """
    try:
        return duckdb.connect(str(warehouse_path(root)), read_only=True)
    except duckdb.ConnectionException:
        return duckdb.connect(str(warehouse_path(root)))  # this process has it open for writing
    except duckdb.Error:
        return connect_published(root)


def connect_published(root: Path) -> duckdb.DuckDBPyConnection:
    """The published copy, read-only; never blocks a run and is never blocked by one."""
    path = published_path(root)
    if not path.is_file():
        raise BadUsage(said("warehouse_not_published", root=root))
    con = duckdb.connect(str(path), read_only=True)
    with contextlib.suppress(duckdb.Error):
        con.execute("set enable_external_access = false")
    return con
