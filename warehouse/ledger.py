"""The ledger: what people decided and what the outside world was told. SQLite with full sync, or PostgreSQL by URL."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, Table, Text, cast, create_engine, event, func, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from abmloop.errors import AbmError
from abmloop.faultpoint import fault_point
from abmloop.messages import said
from abmloop.run import Author, Run
from warehouse import ledger_tables
from warehouse.ledger_tables import counter, metadata

Row = Mapping[str, Any]
Rows: TypeAlias = Sequence[Row] | pa.Table
_DRIVER_LEVEL = logging.WARNING
_HEAD = "entry"
_VERSION = "schema_version"
_BATCH = 50_000  # rows: what a large first run adds must not stand in memory as Python objects


def ledger_url(root: Path, given: str | None) -> str:
    """The SQLAlchemy URL of a workspace's ledger."""
    return given or f"sqlite:///{root / 'ledger' / 'ledger.db'}"


def _open(url: str) -> Engine:
    # A debug log of the driver would hold every row: no level that is set for all loggers reaches it.
    logging.getLogger("sqlalchemy").setLevel(_DRIVER_LEVEL)
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

        @event.listens_for(engine, "connect")
        def _set_up(connection: Any, _record: Any) -> None:
            # pysqlite must not begin transactions by itself, else BEGIN IMMEDIATE below would come too late.
            connection.isolation_level = None
            for pragma in ("busy_timeout=60000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                connection.execute(f"pragma {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # Who only reads must not wait for who writes, nor make them wait.
            if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
                connection.exec_driver_sql("begin immediate")

    return engine


class Ledger:
    """One workspace's ledger. Appends are transactions that take the next entry number; nothing is ever updated."""

    def __init__(self, url: str) -> None:
        self.engine = _open(url)
        self._create()

    @classmethod
    def of(cls, root: Path, given_url: str | None = None) -> "Ledger":
        """The ledger of the workspace in `root`, made if it is not there yet."""
        return cls(ledger_url(root, given_url))

    def close(self) -> None:
        """Give up all connections."""
        self.engine.dispose()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _create(self) -> None:
        try:
            with self._reading() as connection:
                found = connection.execute(select(counter.c.value).where(counter.c.name == _VERSION)).scalar()
        except OperationalError:
            found = None
        except Exception as error:
            if "does not exist" not in str(error):
                raise
            found = None
        if found is None:
            metadata.create_all(self.engine)
            with self.engine.begin() as connection:
                rows = [{"name": _HEAD, "value": 0}, {"name": _VERSION, "value": ledger_tables.SCHEMA_VERSION}]
                connection.execute(self._insert_new(counter), rows)
        elif found > ledger_tables.SCHEMA_VERSION:
            raise AbmError(said("ledger_newer", found=found, known=ledger_tables.SCHEMA_VERSION))
        elif found < ledger_tables.SCHEMA_VERSION:
            self._grow()

    def _grow(self) -> None:
        """Bring an older format up to date: new tables and new columns, which are null in older rows; all or nothing.

        Whoever comes second finds nothing left to do.
        """
        with self.engine.begin() as connection:
            connection.execute(select(counter.c.value).where(counter.c.name == _VERSION).with_for_update())
            found = inspect(connection)
            there = set(found.get_table_names())
            for table in metadata.sorted_tables:
                known = {column["name"] for column in found.get_columns(table.name)} if table.name in there else set()
                missing = [column for column in table.columns if column.name not in known] if known else []
                for column in missing:
                    kind = column.type.compile(self.engine.dialect)
                    connection.exec_driver_sql(f"alter table {table.name} add column {column.name} {kind}")
            metadata.create_all(connection)
            version = ledger_tables.SCHEMA_VERSION
            connection.execute(update(counter).where(counter.c.name == _VERSION).values(value=version))

    def _insert_new(self, table: Table) -> Any:
        """An insert that leaves out rows whose unique key is there already."""
        kind = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        return kind(table).on_conflict_do_nothing()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction, for what must read and write in one (the gate and the intent)."""
        with self.engine.begin() as connection:
            yield connection
            fault_point("ledger:before_commit")
        fault_point("ledger:after_commit")

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A write transaction during which nobody else records anything: what `read` gives stays true to its end."""
        with self.transaction() as connection:
            connection.execute(select(counter.c.value).where(counter.c.name == _HEAD).with_for_update())
            yield connection

    def append(self, table: str, rows: Rows, by: Author) -> int:
        """Add rows to one table in one transaction; see `append_all`."""
        return self.append_all({table: rows}, by)[table]

    def append_all(self, rows: Mapping[str, Rows], by: Author) -> dict[str, int]:
        """Add rows to several tables in one transaction; rows whose unique key is known are left out.

        Gives the number of rows really added per table.
        """
        with self.transaction() as connection:
            return {name: self.append_in(connection, name, some, by) for name, some in rows.items()}

    def append_in(self, connection: Connection, table: str, rows: Rows, by: Author) -> int:
        """Add rows within a transaction of `transaction()`; gives the number really added."""
        if not len(rows):
            return 0
        target = metadata.tables[table]
        taken = update(counter).where(counter.c.name == _HEAD).values(value=counter.c.value + 1)
        entry = connection.execute(taken.returning(counter.c.value)).scalar_one()
        stamp = {
            "entry": entry,
            "recorded_as_of": by.as_of,
            "recorded_at": datetime.now(UTC).replace(tzinfo=None),
            "run_id": by.run_id,
        }
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            if isinstance(part, pa.Table) and self.engine.dialect.name == "sqlite":
                _insert_columns(connection, target, part, stamp)
            elif self.engine.dialect.name == "sqlite":
                _insert_rows(connection, target, part, stamp)
            else:
                some = part.to_pylist() if isinstance(part, pa.Table) else part
                connection.execute(self._insert_new(target), [{**row, **stamp} for row in some])
        added = connection.execute(select(func.count()).select_from(target).where(target.c.entry == entry)).scalar_one()
        return int(added)

    def others_since(self, connection: Connection, table: str, column: str, run: Run) -> set[Any]:
        """That column of the rows which others recorded since the run began and which it therefore does not read."""
        target = metadata.tables[table]
        newer = (target.c.entry > run.ledger_head) & (target.c.run_id != run.run_id)
        return set(connection.execute(select(target.c[column]).where(newer)).scalars())

    def head(self) -> int:
        """The number of the newest entry."""
        with self._reading() as connection:
            return int(connection.execute(select(counter.c.value).where(counter.c.name == _HEAD)).scalar() or 0)

    def read(self, table: str, run: Run | None = None, only: Row = MappingProxyType({}), after: int = 0) -> pa.Table:
        """The rows of a table in the order they were recorded.

        With a run: those up to its `ledger_head` and its own, recorded on or before its `as_of`. `only`: column →
        value; `after`: later entries only. Types: text, int64, bool, date32 and timestamp[us] without zone (UTC).
        """
        found = pa.concat_tables([self._schema(table).empty_table(), *self.batches(table, run, after, only)])
        return found if run is None else found.filter(pc.field("recorded_as_of") <= run.as_of)

    def batches(
        self,
        table: str,
        run: Run | None = None,
        since: int = 0,
        only: Row = MappingProxyType({}),
        but: Sequence[int] = (),
    ) -> Iterator[pa.Table]:
        """The rows of entries after `since`, `but` those, in the order they were recorded, some ten thousand at a time.

        With a run: those up to its `ledger_head` and its own, whatever day they were recorded for.
        """
        target, schema = metadata.tables[table], self._schema(table)
        # Times come as text and are read by Arrow: one Python object a time would cost more than all else.
        columns = [cast(column, Text) if _is_time(column) else column for column in target.columns]
        query = select(*columns).where(target.c.entry > since, target.c.entry.not_in(but)).order_by(target.c.seq)
        for name, value in only.items():
            query = query.where(target.c[name] == value)
        if run is not None:
            query = query.where((target.c.entry <= run.ledger_head) | (target.c.run_id == run.run_id))
        with self._reading() as connection:
            for rows in connection.execution_options(yield_per=_BATCH).execute(query).partitions():
                arrays = [pa.array(values) for values in zip(*rows, strict=True)]
                yield pa.table([a.cast(f.type) for a, f in zip(arrays, schema, strict=True)], schema=schema)

    def holds(self, table: str, seq: int, run_id: str, recorded_at: datetime) -> bool:
        """Whether that very row is in the table."""
        target = metadata.tables[table]
        query = select(target.c.run_id, target.c.recorded_at).where(target.c.seq == seq)
        with self._reading() as connection:
            return [tuple(row) for row in connection.execute(query)] == [(run_id, recorded_at)]

    @staticmethod
    def _schema(table: str) -> pa.Schema:
        return pa.schema([(column.name, _arrow_type(column)) for column in metadata.tables[table].columns])

    def save_config(self, config_hash: str, files: str) -> None:
        """Keep the rules' text (JSON: file name → text) under its hash."""
        row = {"config_hash": config_hash, "files": files, "recorded_at": datetime.now(UTC).replace(tzinfo=None)}
        with self.engine.begin() as connection:
            connection.execute(self._insert_new(ledger_tables.configs), [row])

    def config(self, config_hash: str) -> str:
        """The rules' text kept under that hash (JSON: file name → text)."""
        configs = ledger_tables.configs
        with self._reading() as connection:
            found = connection.execute(select(configs.c.files).where(configs.c.config_hash == config_hash)).scalar()
        if found is None:
            raise AbmError(said("ledger_no_rules", name=config_hash))
        return str(found)


def _insert_columns(connection: Connection, target: Table, rows: pa.Table, stamp: Row) -> None:
    """Add rows of an Arrow table, whose unique key is not known yet, straight to SQLite's driver.

    SQLAlchemy's own way costs four times as much for a million rows. Times are written as it writes them.
    """
    columns = [_as_stored(rows[name]).to_pylist() for name in rows.column_names]
    _insert(connection, target, rows.column_names, zip(*columns, strict=True), stamp)


def _insert_rows(connection: Connection, target: Table, rows: Sequence[Row], stamp: Row) -> None:
    """The same for rows, which all name the columns of the first."""
    names = list(rows[0])
    if unknown := set(names) - set(target.columns.keys()):
        raise ValueError(f"the ledger's table {target.name} has no column {', '.join(sorted(unknown))}")
    times = [name for name in names if _is_time(target.columns[name])]
    given = [{**row, **{name: _stored(row[name]) for name in times}} for row in rows] if times else rows
    _insert(connection, target, names, ([row[name] for name in names] for row in given), stamp)


def _insert(
    connection: Connection, target: Table, names: Sequence[str], rows: Iterable[Sequence[Any]], stamp: Row
) -> None:
    constant = [_stored(value) for value in stamp.values()]
    marks = ", ".join("?" * (len(names) + len(stamp)))
    sql = f"insert into {target.name} ({', '.join([*names, *stamp])}) values ({marks}) on conflict do nothing"
    connection.exec_driver_sql(sql, [(*row, *constant) for row in rows])


def _stored(value: Any) -> Any:
    """A time or a day as the text that SQLAlchemy keeps in SQLite."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def _as_stored(column: Any) -> Any:
    """Times and days as the text that SQLAlchemy keeps in SQLite."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("us")), "%Y-%m-%d %H:%M:%S")
    return pc.strftime(column, "%Y-%m-%d") if pa.types.is_date(column.type) else column


def _is_time(column: Any) -> bool:
    return str(column.type) in ("DATE", "DATETIME")


def _arrow_type(column: Any) -> pa.DataType:
    kinds: dict[str, pa.DataType] = {
        "INTEGER": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "DATETIME": pa.timestamp("us"),
    }
    return kinds.get(str(column.type), pa.string())
