"""A snapshot in figures, counted in raw once, when it is new: rows, filled cells, forms, days, regions, values."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from scoring.drift import REGION, ColumnProfile, Profile
from scoring.values.regions import parse_places
from tasks.land.entities import Entity, entities
from tasks.land.store import Manifest
from tasks.quality.snapshots import Snapshot
from warehouse.steps import Work
from warehouse.tables import quote

# Columns whose values are a vocabulary of the source's system.
VOCABULARIES = frozenset({"status", "stage", "type", "kind", "channel", "role", "company_type", "currency", "list"})
MOST_VALUES = 60
_SAMPLE_ROWS = 4_000  # enough to tell the form of a column; more only costs
_MOSTLY = 0.8
_DAYS = frozenset({"date", "time"})
# What our own exports of refused rows add is no column of the source.
OWN_HEADER = "abmloop_"

_SHAPES = """
select column_name, count(*) as sampled,
       count(*) filter (regexp_full_match(value, '[-+]?[0-9][0-9.,]*%?')) as number,
       count(*) filter (regexp_matches(value, '^[0-9]{{4}}[-/.年][0-9]{{1,2}}([-/.月]|$)')) as date
from (unpivot (select {columns} from {rows} where {sample}) on columns(*) into name column_name value value)
group by column_name
"""


@dataclass(frozen=True)
class Counted:
    """The rows of quality.snapshot_columns and quality.snapshot_values of one snapshot, and its number of rows."""

    row_count: int
    columns: list[dict[str, Any]]
    values: list[dict[str, Any]]

    @property
    def profile(self) -> Profile:
        """The same for comparing."""
        return profile_of(self.row_count, self.columns, self.values)


def profile_of(row_count: int, columns: list[dict[str, Any]], values: list[dict[str, Any]]) -> Profile:
    """The profile that rows of the two tables describe; columns we do not know go by their header."""
    found = {
        row["column_name"]: ColumnProfile(row["filled"] or 0, row["shape"], row["sampled"] or 0, row["is_extra"])
        for row in columns
        if not (row["is_extra"] and row["column_name"].startswith(OWN_HEADER))
    }
    by_column: dict[str, dict[str, int]] = {}
    for row in values:
        by_column.setdefault(row["column_name"], {})[row["value"]] = row["row_count"]
    return Profile(row_count, found, by_column)


def count_snapshot(work: Work, snapshot: Snapshot, manifests: list[Manifest]) -> Counted:
    """Count one snapshot; `manifests` are those of its files."""
    entity = entities()[snapshot.entity]
    headers: dict[str, str] = {}
    for manifest in manifests:
        headers |= {name: header for name, header in manifest.columns.items() if name in entity.column_names}
    rows, counts = _count_columns(work, snapshot, entity, list(headers))
    shapes = _shapes(work, snapshot, list(headers), rows)
    known = [
        {
            "snapshot_id": snapshot.snapshot_id, "column_name": name, "is_extra": False, "header": header,
            **counts[name], **shapes.get(name, {"shape": None, "sampled": 0}),
        }
        for name, header in headers.items()
    ]  # fmt: skip
    extras = sorted({header for manifest in manifests for header in manifest.extra})
    empty = {"filled": None, "shape": None, "sampled": None, "first_on": None, "last_on": None}
    unknown = [
        {"snapshot_id": snapshot.snapshot_id, "column_name": header, "is_extra": True, "header": header, **empty}
        for header in extras
    ]
    return Counted(rows, known + unknown, _values(work, snapshot, entity, set(headers)))


def _rows(snapshot: Snapshot) -> str:
    """SQL for the rows of a snapshot; what two of its files both hold counts once."""
    shas = ", ".join(f"'{sha}'" for sha in snapshot.file_shas)
    rows = f"select * from raw.{snapshot.entity} where file_sha in ({shas})"
    if len(snapshot.file_shas) > 1:
        rows += " qualify row_number() over (partition by row_hash order by file_sha, record) = 1"
    return f"({rows})"


def _count_columns(
    work: Work, snapshot: Snapshot, entity: Entity, names: list[str]
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Rows, and per column filled cells and first and last day, in one pass."""
    dated = {column.name for column in entity.columns if column.type in _DAYS}
    asked = ["count(*)"]
    for name in names:
        day = f"try_cast({quote(name)} as date)"
        days = (f"min({day})", f"max({day})") if name in dated else ("null::date", "null::date")
        asked += [f"count({quote(name)})", *days]
    rows, *found = work.execute(f"select {', '.join(asked)} from {_rows(snapshot)}").fetchall()[0]
    triples = zip(found[0::3], found[1::3], found[2::3], strict=True)
    return int(rows), {
        name: {"filled": filled, "first_on": first, "last_on": last}
        for name, (filled, first, last) in zip(names, triples, strict=True)
    }


def _shapes(work: Work, snapshot: Snapshot, names: list[str], rows: int) -> dict[str, dict[str, Any]]:
    """The form of each column, by a sample that depends on the rows' content alone."""
    if not names or not rows:
        return {}
    share = min(1.0, _SAMPLE_ROWS / rows)
    sample = "true" if share == 1.0 else f"row_hash < '{int(share * 16**8):08x}'"
    sql = _SHAPES.format(columns=", ".join(map(quote, names)), rows=_rows(snapshot), sample=sample)
    return {
        name: {"shape": _shape(sampled, number, date), "sampled": sampled}
        for name, sampled, number, date in work.execute(sql).fetchall()
    }


def _shape(sampled: int, number: int, date: int) -> str | None:
    text = sampled - number - date
    found = [name for name, rows in (("number", number), ("date", date), ("text", text)) if rows >= _MOSTLY * sampled]
    return found[0] if found else None


def _values(work: Work, snapshot: Snapshot, entity: Entity, names: set[str]) -> list[dict[str, Any]]:
    """Rows by value of the columns with few values, and by province."""
    found: dict[str, dict[str, int]] = {}
    for name in sorted(VOCABULARIES & names & set(entity.column_names)):
        counted = work.execute(
            f"select {quote(name)}, count(*) from {_rows(snapshot)} where {quote(name)} is not null"
            f" group by all order by 1 limit {MOST_VALUES + 1}"
        ).fetchall()
        if len(counted) <= MOST_VALUES:
            found[name] = {str(value): int(rows) for value, rows in counted}
    if "province" in names or ("city" in names and "province" in entity.column_names):
        found[REGION] = _regions(work, snapshot)
    return [
        {"snapshot_id": snapshot.snapshot_id, "column_name": column, "value": value, "row_count": rows}
        for column, counted_values in found.items()
        for value, rows in counted_values.items()
    ]


def _regions(work: Work, snapshot: Snapshot) -> dict[str, int]:
    """Rows by province, each by its name in force; provinces abroad as given."""
    counted = work.query(
        "select coalesce(province, '') || '|' || coalesce(city, '') || '|' as place, any_value(province) as province,"
        f" count(*) as row_count from {_rows(snapshot)} where coalesce(province, city) is not null"
        " group by province, city, place"
    )
    named = parse_places(counted["place"]).column("province").to_pylist()
    found: dict[str, int] = {}
    for name, given, rows in zip(
        named,
        counted["province"].to_pylist(),
        pa.compute.cast(counted["row_count"], pa.int64()).to_pylist(),
        strict=True,
    ):
        region = name or given
        if region:
            found[region] = found.get(region, 0) + rows
    return found
