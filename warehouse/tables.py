"""Declarations of the tables that Python makes: name, one row's meaning, grain, columns with types and comments."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from abmloop.errors import AbmError
from abmloop.yaml_text import load_yaml

FOLDER = Path(__file__).parent / "tables"
ZONES = ("raw", "staging", "resolved", "matched", "core", "scored", "marts")
SCHEMAS = (*ZONES, "rules", "ops", "quality")


@dataclass(frozen=True)
class Follows:
    """By which log of changes a table's rows change: those of `key` noted for `table`; others than `where` any time."""

    table: str
    key: str
    where: str = "true"

    def picks(self, changed: str) -> str:
        """SQL condition that picks the rows which may have changed; `changed` is a table of keys."""
        of_key = f"{self.key} in (select key from {changed})"
        return of_key if self.where == "true" else f"({self.where}) is not true or {of_key}"


_FOLLOWS = re.compile(r"(?P<table>[a-z_.]+) by (?P<key>[a-z_]+)(?: where (?P<where>.+))?")


def parse_follows(name: str, text: str) -> Follows:
    """What `follows:` says: `<table> by <key>`, with ` where <condition>` if only some rows do. Raises AbmError."""
    found = _FOLLOWS.fullmatch(text.strip())
    if not found:
        raise AbmError(f"{name}: follows: {text!r} is not `<table> by <key> [where <condition>]`")
    return Follows(found["table"], found["key"], found["where"] or "true")


@dataclass(frozen=True)
class TableSpec:
    """One declared table. `columns`: name → (DuckDB type, comment); `grain`: the columns that name a row.

    `is_published` is false where the declaration says `published: no`: a stage on the way that nobody asks for.
    """

    name: str
    comment: str
    grain: tuple[str, ...]
    columns: dict[str, tuple[str, str]]
    is_published: bool = True
    follows: Follows | None = None

    def ddl(self) -> str:
        """`create table if not exists …`, as an analyst would write it."""
        columns = ",\n  ".join(f"{quote(name)} {kind}" for name, (kind, _) in self.columns.items())
        return f"create table if not exists {self.name} (\n  {columns}\n)"


def quote(identifier: str) -> str:
    """A name as a quoted SQL identifier; refuses what no column or table of ours is called."""
    if "\0" in identifier or len(identifier) > 128:
        raise AbmError(f"not usable as a column name: {identifier[:40]!r}")
    return '"' + identifier.replace('"', '""') + '"'


def parse_spec(name: str, declared: dict[str, object], file_name: str = "") -> TableSpec:
    """A table as YAML declares it: `comment`, `grain` (comma-separated), `columns: {name: "type | comment"}`.

    Optional: `published: no`; `follows: <table> by <key>` (see Follows).
    """
    columns: dict[str, tuple[str, str]] = {}
    for column, text in dict(declared.get("columns") or {}).items():  # type: ignore[call-overload]
        kind, _, comment = str(text).partition("|")
        columns[str(column)] = (kind.strip(), comment.strip())
        if not comment.strip():
            raise AbmError(f"{file_name}: {name}.{column}: has no comment; write `type | what it says`")
    if name.partition(".")[0] not in SCHEMAS or not declared.get("comment") or not columns:
        raise AbmError(f"{file_name}: {name}: needs a known schema, a comment and columns")
    grain = tuple(part.strip() for part in str(declared.get("grain") or "").split(",") if part.strip())
    follows = parse_follows(name, str(declared["follows"])) if "follows" in declared else None
    return TableSpec(name, str(declared["comment"]), grain, columns, declared.get("published", True) is True, follows)


@cache
def declared_tables() -> dict[str, TableSpec]:
    """All tables declared in `warehouse/tables/*.yaml`, by name."""
    found: dict[str, TableSpec] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for name, declared in (load_yaml(path.read_text(encoding="utf-8")) or {}).items():
            if name in found:
                raise AbmError(f"{path.name}: {name}: is declared twice")
            found[name] = parse_spec(name, declared, path.name)
    return found


def fingerprint(specs: Iterable[TableSpec]) -> str:
    """A hash of the shapes: a warehouse made with another one is rebuilt, not patched."""
    text = "\n".join(sorted(spec.ddl() for spec in specs))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
