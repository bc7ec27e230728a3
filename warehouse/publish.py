"""Publishing: a new file with copies of the listed tables, checked, synced to disk, then put in place in one step."""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.errors import AbmError
from abmloop.faultpoint import fault_point
from abmloop.messages import said
from abmloop.run import Run
from abmloop.yaml_text import load_yaml
from warehouse.database import published_path
from warehouse.models import Model, all_models
from warehouse.parts import pick_part
from warehouse.tables import Follows, declared_tables, fingerprint, quote

SCHEMAS = ("resolved", "matched", "core", "scored", "marts", "rules", "quality", "ops")
EXTRA_TABLES = ("staging.source_rows",)
# What is made for the CRM holds people's full contact data and leaves through the outbound room only.
NEVER_PUBLISHED_PREFIX = "marts.crm_"
_ALIAS = "published"
_KEYS, _ROWS = "changed_keys", "changed_rows"

_DIGITS = r"regexp_replace({0}, '(\d{{3}})\d{{4,}}(\d{{4}})', '\1****\2', 'g')"
# The same with spaces or hyphens in it: 138 0013 8000, 0573-5335 7702.
_GROUPS = r"regexp_replace({0}, '\b(0\d{{2,3}}|1[3-9]\d)[ .-]\d{{3,4}}[ .-]?(\d{{4}})\b', '\1****\2', 'g')"
_MAIL = r"regexp_replace({0}, '([[:alnum:]])[[:alnum:]._%+-]*@', '\1***@', 'g')"
_CONTACT = _MAIL.format(_DIGITS.replace("{0}", _GROUPS))
MASKS = {
    "contact": _CONTACT,
    "text": _CONTACT,
    "name": "left({0}, 1) || '**'",
    "drop": "null",
    # A value without a column is a whole line, with names in it; its file and line are told beside it.
    "cell": f"case when column_name is not null then {_CONTACT} end",
}


def masked_contacts(text: str) -> str:
    """The SQL of a text without people's telephone numbers and mail addresses."""
    return _CONTACT.format(text)


@dataclass(frozen=True)
class Column:
    """A column to publish: its DuckDB type, its comment and its mask (None: as it is)."""

    name: str
    kind: str
    comment: str
    mask: str | None

    def expression(self) -> str:
        """The SQL that gives the published value."""
        name = quote(self.name)
        if self.mask is None:
            return name
        if self.kind == "VARCHAR[]":
            return f"list_transform({name}, lambda item: {MASKS[self.mask].format('item')}) as {name}"
        # Whatever else it is (a struct, a list of them) is shown as text: only text can be masked.
        return f"{MASKS[self.mask].format(f'{name}::varchar')}::varchar as {name}"


@cache
def _masking() -> dict[str, Any]:
    text = (Path(__file__).parent / "masking.yaml").read_text(encoding="utf-8")
    return dict(load_yaml(text))


def mask_of(table: str, column: str, unmasked: frozenset[str]) -> str | None:
    """The mask of a column by `masking.yaml`, unless the user publishes it (`table.column`) unmasked."""
    if f"{table}.{column}" in unmasked:
        return None
    masking = _masking()
    found = masking["tables"].get(table, {}).get(column) or masking["columns"].get(column)
    return None if found is None else str(found)


def described(name: str) -> tuple[str, Mapping[str, str]]:
    """A table's comment and its columns' comments, from its declaration or its model's header."""
    spec = declared_tables().get(name)
    if spec is not None:
        return spec.comment, {column: comment for column, (_, comment) in spec.columns.items()}
    model = all_models().get(name)
    return (model.description, model.columns) if model else ("", {})


def _is_published(name: str) -> bool:
    declared = declared_tables().get(name) or all_models().get(name)
    return declared is None or (declared.is_published and name not in _views())


def _views() -> dict[str, Model]:
    """The models that are published as the SELECT they are, over tables that are published."""
    return {name: model for name, model in all_models().items() if model.is_published_view}


def leaves_house(name: str) -> bool:
    """Whether a table is published, or holds what is made for the CRM."""
    return (name.partition(".")[0] in SCHEMAS or name in EXTRA_TABLES) and _is_published(name)


def tables_to_publish(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The names of all tables and views that are published."""
    rows = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_catalog = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in rows if leaves_house(name) and not name.startswith(NEVER_PUBLISHED_PREFIX)]


def _columns(con: duckdb.DuckDBPyConnection, table: str, unmasked: frozenset[str]) -> list[Column]:
    comments = described(table)[1]
    rows = con.execute(f"describe {table}").fetchall()
    return [Column(row[0], row[1], comments.get(row[0], ""), mask_of(table, row[0], unmasked)) for row in rows]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _comment_columns(con: duckdb.DuckDBPyConnection, table: str, comments: Mapping[str, str]) -> None:
    for column, comment in comments.items():
        con.execute(f"comment on column {table}.{quote(column)} is {_text(comment)}")


def _copy(con: duckdb.DuckDBPyConnection, table: str, unmasked: frozenset[str]) -> None:
    """One table into the new file, masked and commented."""
    columns = _columns(con, table, unmasked)
    body = ", ".join(column.expression() for column in columns)
    con.execute(f"create or replace table {_ALIAS}.{table} as select {body} from {table}")
    con.execute(f"comment on table {_ALIAS}.{table} is {_text(described(table)[0])}")
    _comment_columns(con, f"{_ALIAS}.{table}", {column.name: column.comment for column in columns if column.comment})


def _patch(con: duckdb.DuckDBPyConnection, table: str, unmasked: frozenset[str], which: str) -> None:
    """The rows of one table that may have changed since the file was written, anew; `which` picks them."""
    body = ", ".join(column.expression() for column in _columns(con, table, unmasked))
    con.execute(f"delete from {_ALIAS}.{table} where {which}")
    if table in all_models() and all_models()[table].kind == "view":
        con.execute(f"insert into {_ALIAS}.{table} by name select {body} from {table} where {which}")
        return
    pick_part(con, table, which, _ROWS)
    con.execute(f"insert into {_ALIAS}.{table} by name select {body} from {_ROWS}")


def _counted(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of a table that was put into the new file. Raises AbmError where the warehouse has another number."""
    rows, copied = con.execute(
        f"select (select count(*) from {table}), (select count(*) from {_ALIAS}.{table})"
    ).fetchall()[0]
    if rows != copied:
        raise AbmError(said("warehouse_copy_apart", table=table, rows=f"{rows:,}", copied=f"{copied:,}"))
    return int(rows)


def _follows(table: str) -> Follows | None:
    declared = declared_tables().get(table) or all_models().get(table)
    return None if declared is None else declared.follows


def logs_followed() -> list[str]:
    """The logs of changes by which published tables are brought up to date in part."""
    tables = [*declared_tables(), *all_models()]
    return sorted({follows.table for follows in map(_follows, tables) if follows is not None})


def publishing_rules(unmasked: Iterable[str]) -> str:
    """A hash of all that says how tables are published: under another one the file is written whole."""
    models = "\n".join(f"{name}\n{model.sql}" for name, model in sorted(all_models().items()))
    parts = (fingerprint(declared_tables().values()), models, repr(_masking()), repr(MASKS), repr(sorted(unmasked)))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


_DICTIONARY = """
create or replace view marts.dictionary as
select c.schema_name, c.table_name, coalesce(t.comment, v.comment) as table_comment, c.column_name, c.data_type,
       c.comment
from duckdb_columns() as c
left join duckdb_tables() as t using (database_oid, schema_oid, table_oid)
left join duckdb_views() as v
    on (v.database_oid, v.schema_oid, v.view_oid) = (c.database_oid, c.schema_oid, c.table_oid)
where not c.internal
order by all
"""
# What is made here and declared nowhere: comment, comments of the columns.
_PUBLISHED = (
    "One row: the run this file was published by.",
    {
        "run_id": "the run",
        "as_of": "the day its figures stand for",
        "config_hash": "the rules it went by",
        "parts": "how many runs brought the file up to date in part since it was written whole",
    },
)
_DICTIONARY_COMMENTS = (
    "One row per column of this file: what it holds.",
    {
        "schema_name": "schema",
        "table_name": "table or view",
        "table_comment": "what one row of the table is",
        "column_name": "column",
        "data_type": "its DuckDB type",
        "comment": "what the column holds",
    },
)


def _sync(path: Path) -> None:
    """Make sure that the file, or a folder's entries, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_published(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    unmasked: Iterable[str] = (),
    changed: Mapping[str, pa.Table] | None = None,
) -> dict[str, int]:
    """Write a new published file beside the old one and put it in its place; gives rows per table.

    `changed`: log of changes → keys noted since the file that stands was written; tables that follow such a log are
    patched in a copy of that file, all others written anew. Without it the file is written whole. `con` must hold no
    transaction that writes the warehouse. Readers that have the old file open keep it until they reopen; whoever opens
    the path finds the old file or the new one, never a part. Source: spec 08-looking.
    """
    target = published_path(run.root)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in target.parent.glob(".abmloop-*"):
        left_over.unlink(missing_ok=True)
    fresh = target.parent / f".abmloop-{run.run_id}.duckdb"
    parts = 0 if changed is None else who_published(target)[1] + 1
    if changed is not None:
        shutil.copyfile(target, fresh)
    con.execute(f"attach {_text(str(fresh))} as {_ALIAS}")
    try:
        con.execute("begin")
        rows = _write_tables(con, frozenset(unmasked), changed or {})
        con.execute(
            f"create or replace table {_ALIAS}.marts.published as"
            " select ? as run_id, ?::date as as_of, ? as config_hash, ?::integer as parts",
            [run.run_id, run.as_of, run.config_hash, parts],
        )
        con.execute(f"comment on table {_ALIAS}.marts.published is {_text(_PUBLISHED[0])}")
        _comment_columns(con, f"{_ALIAS}.marts.published", _PUBLISHED[1])
        con.execute("commit")
        con.execute(f"checkpoint {_ALIAS}")
    except Exception:
        con.execute("rollback")
        raise
    finally:
        con.execute(f"detach {_ALIAS}")
    _finish(fresh, target, rows)
    return rows


def _write_tables(
    con: duckdb.DuckDBPyConnection, unmasked: frozenset[str], changed: Mapping[str, pa.Table]
) -> dict[str, int]:
    tables = tables_to_publish(con)
    for schema in sorted({table.partition(".")[0] for table in tables} | {"marts"}):
        con.execute(f"create schema if not exists {_ALIAS}.{schema}")
    for table in tables:
        follows = _follows(table)
        if follows is not None and follows.table in changed:
            con.register(_KEYS, changed[follows.table])
            _patch(con, table, unmasked, follows.picks(_KEYS))
            con.unregister(_KEYS)
        else:
            _copy(con, table, unmasked)
    return {table: _counted(con, table) for table in tables}


def who_published(target: Path) -> tuple[str, int]:
    """The run that wrote the published file, and how often it was patched. Raises duckdb.Error where there is none."""
    with duckdb.connect(str(target), read_only=True) as con:
        run_id, parts = con.execute("select run_id, parts from marts.published").fetchall()[0]
    return str(run_id), int(parts)


def _finish(fresh: Path, target: Path, tables: Collection[str]) -> None:
    """Add views and the dictionary, check that the file opens, sync it, and replace the old one."""
    with duckdb.connect(str(fresh)) as con:
        con.execute(_DICTIONARY)
        con.execute(f"comment on view marts.dictionary is {_text(_DICTIONARY_COMMENTS[0])}")
        _comment_columns(con, "marts.dictionary", _DICTIONARY_COMMENTS[1])
        present = set(tables)
        for name, model in _views().items():
            if not model.reads <= present:
                continue
            present.add(name)
            con.execute(f"create or replace view {name} as {model.sql}")
            con.execute(f"comment on view {name} is {_text(model.description)}")
            _comment_columns(con, name, model.columns)
        con.execute("select count(*) from marts.dictionary").fetchall()
        con.execute("checkpoint")
    _sync(fresh)
    fault_point("publish:before_replace")
    fresh.replace(target)
    _sync(target.parent)
    fault_point("publish:after_replace")
