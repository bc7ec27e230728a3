"""The SQL runner: one SELECT a file is one table; its header says what a row is and what must hold."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from abmloop.errors import AbmError
from abmloop.messages import said
from warehouse.tables import ZONES, Follows, parse_follows

FOLDER = Path(__file__).parent / "models"
_HEADER = re.compile(r"^--\s?(.*)$")
_ENTRY = re.compile(r"^(grain|check|column|kind|published|follows):\s*(.*)$")
_PARAMETER = re.compile(r"\$([a-z_]+)")
_READ = re.compile(r'"schema_name":"([^"\\]+)","table_name":"([^"\\]+)"')
_ASIDE = ("rules", "ops", "quality")


@dataclass(frozen=True)
class Model:
    """One SQL file. `columns`: name → comment; `kind`: table or view.

    `is_published` is false where the header says `published: no`: a stage on the way that nobody asks for;
    `is_published_view` is true where it says `published: view`: written out only when somebody asks for it; `follows`
    names the log of changes of a table that is kept up to date in part.
    """

    name: str
    sql: str
    description: str
    grain: tuple[str, ...]
    checks: tuple[str, ...]
    columns: dict[str, str]
    kind: str
    is_published: bool = True
    is_published_view: bool = False
    follows: Follows | None = None

    @property
    def zone(self) -> str:
        """The schema the table stands in."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """The table's name within its schema."""
        return self.name.partition(".")[2]

    @cached_property
    def reads(self) -> frozenset[str]:
        """The tables its FROM clauses name."""
        return frozenset(tables_read(self.name, self.sql))


def parse_model(name: str, text: str) -> Model:
    """The model that a file's text says. Raises AbmError for an unknown kind or a statement that is no SELECT."""
    entries: dict[str, list[str]] = {"grain": [], "check": [], "column": [], "kind": [], "published": [], "follows": []}
    description: list[str] = []
    for line in text.splitlines():
        found = _HEADER.match(line)
        if not found:
            break
        entry = _ENTRY.match(found[1])
        if entry:
            entries[entry[1]].append(entry[2].strip())
        elif not any(entries.values()):
            description.append(found[1].strip())
    return Model(
        name=name,
        sql=text.strip().rstrip(";"),
        description=" ".join(description),
        grain=tuple(part.strip() for line in entries["grain"] for part in line.split(",")),
        checks=tuple(entries["check"]),
        columns={key.strip(): text.strip() for key, _, text in (line.partition("|") for line in entries["column"])},
        kind=(entries["kind"] or ["table"])[0],
        is_published=entries["published"] != ["no"],
        is_published_view=entries["published"] == ["view"],
        follows=parse_follows(name, entries["follows"][0]) if entries["follows"] else None,
    )


def tables_read(name: str, sql: str) -> set[str]:
    """The schema-qualified tables that a SELECT reads, found by DuckDB's own parser."""
    told = duckdb.execute("select json_serialize_sql(?)", [sql.strip().rstrip(";")]).fetchall()[0][0]
    if told.startswith('{"error":true'):
        raise AbmError(f"{name}: not one SELECT: {json.loads(told).get('error_message')}")
    # Within a text of the statement the quotes have backslashes, so only its tables look like this.
    return {f"{schema}.{table}" for schema, table in _READ.findall(told)}


@cache
def models_by_name() -> dict[str, Model]:
    """Every model by name (`zone.table`), as its file says; what it reads is found out when somebody asks."""
    paths = {f"{path.parent.name}.{path.stem}": path for path in sorted(FOLDER.glob("*/*.sql"))}
    return {name: parse_model(name, path.read_text(encoding="utf-8")) for name, path in paths.items()}


@cache
def all_models() -> dict[str, Model]:
    """Every model by name (`zone.table`), in build order. Raises AbmError on a cycle or a broken zone rule."""
    found = models_by_name()
    for model in found.values():
        _check_zone(model)
    return {name: found[name] for name in _in_order(found)}


def _check_zone(model: Model) -> None:
    """Nothing reads to its right: only its own zone, zones to its left, and the rules, ops and quality aside."""
    for read in model.reads:
        zone = read.partition(".")[0]
        if zone not in _ASIDE and ZONES.index(zone) > ZONES.index(model.zone):
            raise AbmError(f"{model.name} reads {read}, which stands to its right; zones go {' → '.join(ZONES)}")


def _in_order(models: dict[str, Model]) -> list[str]:
    graph = {name: sorted(model.reads & models.keys()) for name, model in sorted(models.items())}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AbmError(f"models read each other in a circle: {' → '.join(error.args[1])}") from error


def build_models(con: duckdb.DuckDBPyConnection, names: Iterable[str], parameters: dict[str, Any]) -> dict[str, int]:
    """Make these models' tables anew, in order; gives rows per table. Raises AbmError on a broken grain or check."""
    wanted, models = set(names), models_by_name()
    unknown = wanted - models.keys()
    if unknown:
        raise AbmError(f"no such model: {', '.join(sorted(unknown))}; they are the files of warehouse/models/")
    ordered = _in_order(_with_views_between(wanted)) if len(wanted) > 1 else wanted
    return {name: build_model(con, models[name], parameters) for name in ordered if name in wanted}


def _with_views_between(wanted: set[str]) -> dict[str, Model]:
    """The models, and the views that they read: through those what one of them gives reaches another."""
    models = models_by_name()
    found, waiting = {}, sorted(wanted)
    while waiting:
        name = waiting.pop()
        found[name] = models[name]
        views = (read for read in sorted(models[name].reads) if read in models and models[read].kind == "view")
        waiting.extend(read for read in views if read not in found)
    return found


def build_model(con: duckdb.DuckDBPyConnection, model: Model, parameters: dict[str, Any]) -> int:
    """Make one model's table or view; gives its rows (0 for a view)."""
    body = "\n".join(line for line in model.sql.splitlines() if not line.startswith("--"))
    used = {name: parameters[name] for name in set(_PARAMETER.findall(body))}
    try:
        con.execute(f"create or replace {model.kind} {model.name} as {body}", used or None)
        if model.kind == "view":
            return 0
        return verify_table(con, model.name, model.grain, model.checks)
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException) as error:
        raise AbmError(said("warehouse_model_failed", model=model.name, problem=error)) from error


def verify_table(con: duckdb.DuckDBPyConnection, name: str, grain: tuple[str, ...], checks: tuple[str, ...]) -> int:
    """Rows of the table. Raises AbmError naming the broken grain or check and how many rows break it."""
    tests = [f"count(*) filter (not coalesce(({check}), true))" for check in checks]
    rows, *broken = con.execute(f"select count(*), {', '.join(tests) or '0'} from {name}").fetchall()[0]
    for check, number in zip(checks, broken, strict=False):
        if number:
            counted = {"number": f"{number:,}", "rows": f"{rows:,}"}
            raise AbmError(said("warehouse_check_broken", table=name, check=check, **counted))
    if grain:
        keys = ", ".join(grain)
        twice = con.execute(
            f"select {keys}, count(*) from {name} group by {keys} having count(*) > 1 limit 3"
        ).fetchall()
        if twice:
            raise AbmError(said("warehouse_grain_broken", table=name, keys=keys, example=twice))
    return int(rows)
