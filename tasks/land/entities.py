"""The registry of entities, typed: what each kind of file may hold, and the raw tables made of it."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from abmloop.errors import BadPolicy
from abmloop.yaml_text import load_yaml

REGISTRY = Path(__file__).with_name("entities.yaml")
_TYPES = """id company person code phone phones email emails domain text list date time
            amount number integer share boolean currency opaque"""
TYPES = frozenset(re.split(r"\s+", _TYPES))

# Columns that every raw table has after its own: name → (type, comment).
TRACE_COLUMNS: dict[str, tuple[str, str]] = {
    "extra": ("varchar", "JSON of the columns the entity does not know, as received"),
    "source": ("varchar", "the source the file belongs to"),
    "source_rank": ("integer", "rank of the source, 1 is the most trusted"),
    "source_date": ("date", "the day the source speaks of"),
    "landed_on": ("date", "the day (as_of) of the run that first landed the file"),
    "file_sha": ("varchar", "SHA-256 of the file"),
    "file_name": ("varchar", "path under the inbox, data only"),
    "sheet": ("varchar", "sheet of a workbook, member of an archive"),
    "line": ("bigint", "physical line or row where the record starts, from 1"),
    "record": ("bigint", "record number in its sheet, from 1"),
    "row_hash": ("varchar", "hash of entity, values and extra; the same row has the same hash in any file"),
    "sequence": (
        "varchar",
        "what orders rows of one day: a column the source names for it, else the edition of the file",
    ),
    "run_id": ("varchar", "the run that first landed the file"),
}
# Of these, what the raw store keeps per row; the rest is the same for a whole file and stands in its manifest.
ROW_COLUMNS = ("extra", "sheet", "line", "record", "row_hash", "sequence")

_BRACKETS = re.compile(r"[(\[【][^()\[\]【】]{0,40}[)\]】]")
_SEPARATORS = re.compile(r"[\s_\-./\\:;,'\"*#&|]+")


def plain_header(text: str) -> str:
    """A header for comparing: NFKC, lower case, simplified, without spaces, separators and invisible characters."""
    text = _simplified(unicodedata.normalize("NFKC", text).casefold())
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return _SEPARATORS.sub("", text)


def _simplified(text: str) -> str:
    return text if text.isascii() else str(_to_simplified().convert(text))


@cache
def _to_simplified() -> Any:
    import opencc  # its dictionaries take a moment to load, and most headers are known as they stand

    return opencc.OpenCC("t2s")


def bare_header(text: str) -> str:
    """`plain_header` without what stands in brackets: "公司名称 (必填)" and "公司名称" are one."""
    return plain_header(_BRACKETS.sub("", unicodedata.normalize("NFKC", text)))


@dataclass(frozen=True)
class Column:
    """One canonical column. `headers` in order of preference, the canonical name first."""

    name: str
    type: str
    headers: tuple[str, ...]


@dataclass(frozen=True)
class Entity:
    """One kind of input. `keys` are alternatives: the first whose first column is filled names the record."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...]
    keys: tuple[tuple[str, ...], ...]
    unmapped_source: Literal["inbox", "file"]

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The canonical columns, in the registry's order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def lookup(self) -> dict[str, tuple[str, int]]:
        """Plain header → (canonical column, preference); the smaller wins where two headers mean one column."""
        found: dict[str, tuple[str, int]] = {}
        for column in self.columns:
            for preference, header in enumerate(column.headers):
                found.setdefault(plain_header(header), (column.name, preference))
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides how a header is understood."""
        shape: dict[str, Any] = {
            "columns": [(column.name, column.headers) for column in self.columns],
            "required": self.required,
            "one_of": self.one_of,
        }
        return hashlib.sha256(json.dumps(shape, ensure_ascii=False).encode()).hexdigest()[:16]


def _parse_entity(name: str, declared: dict[str, Any]) -> Entity:
    columns = tuple(
        Column(column, about["type"], (column, *(str(header) for header in about["headers"])))
        for column, about in declared["columns"].items()
    )
    entity = Entity(
        name=name,
        comment=declared["comment"],
        columns=columns,
        required=tuple(declared.get("required", ())),
        one_of=tuple(tuple(group) for group in declared.get("one_of", ())),
        keys=tuple(tuple(key) for key in declared["keys"]),
        unmapped_source=declared["unmapped_source"],
    )
    _check(entity)
    return entity


def _check(entity: Entity) -> None:
    """Raises BadPolicy where the registry contradicts itself: two meanings of one header, unknown columns or types."""
    faults: list[str] = []
    owner: dict[str, str] = {}
    for column in entity.columns:
        if column.type not in TYPES:
            faults.append(f"{column.name}: unknown type {column.type!r}")
        for header in column.headers:
            other = owner.setdefault(plain_header(header), column.name)
            if other != column.name:
                faults.append(f"header {header!r} means both {other} and {column.name}")
    named = {*entity.required, *(name for group in (*entity.one_of, *entity.keys) for name in group)}
    faults += [f"{name}: is no column" for name in sorted(named - set(entity.column_names))]
    faults += [f"{name}: is a column of every raw table" for name in entity.column_names if name in TRACE_COLUMNS]
    if faults:
        raise BadPolicy("\n".join(f"entities.yaml: {entity.name}: {fault}" for fault in faults))


@cache
def entities() -> dict[str, Entity]:
    """All entities by name, in the registry's order. Raises BadPolicy where the registry is wrong."""
    declared = load_yaml(REGISTRY.read_text(encoding="utf-8"))
    return {name: _parse_entity(name, about) for name, about in declared.items() if name != "version"}


def raw_tables() -> dict[str, dict[str, Any]]:
    """The raw tables as the warehouse declares tables: name → comment and columns (`type | comment`)."""
    return {f"raw.{entity.name}": _raw_table(entity) for entity in entities().values()}


def _raw_table(entity: Entity) -> dict[str, Any]:
    own = {column.name: f"varchar | {_describe(column)}" for column in entity.columns}
    trace = {name: f"{kind} | {comment}" for name, (kind, comment) in TRACE_COLUMNS.items()}
    return {"comment": f"{entity.comment} As received.", "columns": {**own, **trace}}


def _describe(column: Column) -> str:
    also = ", ".join(column.headers[1:4])
    return f"{column.type}, as received" + (f"; also read from: {also}" if also else "")
