"""From the raw store into the warehouse: raw.*, ops.files and quality.quarantine hold what the manifests say."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from abmloop.errors import AbmError
from abmloop.faultpoint import fault_point
from abmloop.messages import said, say
from tasks.land.entities import ROW_COLUMNS, TRACE_COLUMNS, entities, raw_tables
from tasks.land.faults import Refused
from tasks.land.store import Manifest, RawStore
from warehouse.steps import Work
from warehouse.tables import TableSpec, parse_spec, quote

# Tables that hold rows of one file, besides raw.<entity>.
BY_FILE = ("ops.files", "quality.quarantine", "quality.healed", "quality.repairs")
# Types of which hardly two values of a file are alike.
UNLIKE_TYPES = frozenset({"id", "code", "company", "person", "phone", "email", "domain"})
QUARANTINE_COLUMNS = ("rule", "sheet", "line", "record", "column_name", "value", "raw_row", "row_hash")


@dataclass
class Loaded:
    """Files and rows brought into the warehouse, and taken out of it."""

    files: int = 0
    refused: int = 0
    removed: int = 0
    rows_in: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_skipped: int = 0


def ensure_raw_tables(work: Work) -> None:
    """Have the raw tables as the registry declares them; one of an older registry is made anew and loaded again."""
    found = work.query(_RAW_COLUMNS)
    known = dict(zip(found["name"].to_pylist(), map(set, found["columns"].to_pylist()), strict=True))
    for name, declared in raw_tables().items():
        spec = parse_spec(name, declared, "entities.yaml")
        there = known.get(name)
        if there == set(spec.columns):
            work.declared[name] = spec
            continue
        if there is not None:
            work.execute(f"drop table {name}")
            work.note_changes(name)
            work.execute("delete from ops.files where entity = ?", [name.partition(".")[2]])
        work.execute(_ddl(spec))
        work.ensure(spec)


_RAW_COLUMNS = """
select 'raw.' || table_name as name, list(column_name) as columns
from duckdb_columns() where schema_name = 'raw' and database_name = current_database() group by all
"""


def _ddl(spec: TableSpec) -> str:
    """The table with zstd where hardly two values are alike: DuckDB's choice takes twice the time, no less space."""
    of_entity = entities()[spec.name.partition(".")[2]].columns
    unlike = {column.name for column in of_entity if column.type in UNLIKE_TYPES} | {"row_hash"}
    columns = ", ".join(
        f"{quote(name)} {kind}{' using compression zstd' if name in unlike else ''}"
        for name, (kind, _) in spec.columns.items()
    )
    return f"create table if not exists {spec.name} ({columns})"


def load(work: Work, store: RawStore, manifests: list[Manifest]) -> Loaded:
    """Make the warehouse hold what those manifests landed until the run's day; only what differs is touched."""
    ensure_raw_tables(work)
    wanted = {
        (manifest.file_sha, manifest.entity, manifest.landing_key, _status(manifest)): manifest
        for manifest in manifests
        if manifest.was_landed_on <= work.run.as_of
    }
    rows = work.execute("select file_sha, entity, dialect::json ->> 'landing', status from ops.files").fetchall()
    there = {tuple(row) for row in rows}
    loaded = Loaded()
    for file_sha, entity, *_ in sorted(there - set(wanted)):
        _remove(work, str(file_sha), str(entity))
        work.note_changes(f"raw.{entity}")
        loaded.removed += 1
    for key in sorted(set(wanted) - there):
        _load_one(work, store, wanted[key], loaded)
    return loaded


def _status(manifest: Manifest) -> str:
    return "refused" if manifest.refusal else "loaded"


def _remove(work: Work, file_sha: str, entity: str) -> None:
    tables = [*BY_FILE, *([f"raw.{entity}"] if entity in entities() else [])]
    for table in tables:
        of_entity = "" if table.startswith("raw.") else " and entity = ?"
        work.execute(f"delete from {table} where file_sha = ?{of_entity}", [file_sha, entity][: 2 if of_entity else 1])


def _load_one(work: Work, store: RawStore, manifest: Manifest, loaded: Loaded) -> None:
    loaded.files += 1
    if manifest.refusal:
        loaded.refused += 1
    else:
        inserted = _insert_rows(work, store, manifest)
        work.note_changes(f"raw.{manifest.entity}", f"select '{manifest.file_sha}'")
        fault_point("land:rows_inserted")
        refused = _insert_faults(work, store, manifest)
        _check_conserved(manifest, inserted, refused)
    loaded.rows_in += manifest.rows_in
    loaded.rows_loaded += manifest.rows_loaded
    loaded.rows_quarantined += manifest.rows_quarantined
    loaded.rows_skipped += manifest.rows_skipped
    work.append("ops.files", pa.Table.from_pylist([_file_row(manifest, work.run.language)]))


def _check_conserved(manifest: Manifest, inserted: int, refused: int) -> None:
    """Raises AbmError where rows read are not rows loaded, quarantined and skipped together."""
    rest = manifest.rows_in - inserted - refused - manifest.rows_skipped
    if rest or inserted != manifest.rows_loaded:
        numbers = {"rows": manifest.rows_in, "loaded": inserted, "refused": refused, "skipped": manifest.rows_skipped}
        counted = {name: f"{number:,}" for name, number in numbers.items()}
        named = {"file": manifest.file_name, "entity": manifest.entity, "sha": manifest.file_sha}
        raise AbmError(said("landing_not_conserved", **named, **counted))


def _insert_rows(work: Work, store: RawStore, manifest: Manifest) -> int:
    """Insert a file's rows with what is the same for all of them; gives their number."""
    path = store.data_path(manifest)
    kept = set(pq.read_schema(path).names)
    own = entities()[manifest.entity].column_names
    constants: dict[str, Any] = {
        "source": manifest.source,
        "source_rank": manifest.rank,
        "source_date": manifest.day,
        "landed_on": manifest.landed_on,
        "file_sha": manifest.file_sha,
        "file_name": manifest.file_name,
        "run_id": manifest.run_id,
    }
    per_row = [name for name in (*own, *ROW_COLUMNS) if name in kept and name != "sequence"]
    names = ", ".join(quote(name) for name in (*per_row, *constants, "sequence"))
    bound = ", ".join(f"${name}::{TRACE_COLUMNS[name][0]}" for name in constants)
    bound += ", coalesce(sequence, $edition::varchar)" if "sequence" in kept else ", $edition::varchar"
    values = ", ".join(quote(name) for name in per_row)
    done = work.execute(
        f"insert into raw.{manifest.entity} ({names}) select {values}, {bound} from read_parquet($path)",
        {**constants, "edition": manifest.edition, "path": str(path)},
    ).fetchone()
    return int(done[0]) if done else 0


def _insert_faults(work: Work, store: RawStore, manifest: Manifest) -> int:
    """Insert a file's refused rows and its notes on values; gives the number of refused rows."""
    faults = pq.read_table(store.faults_path(manifest))
    if not faults.num_rows:
        return 0
    same = {key: getattr(manifest, key) for key in ("landed_on", "entity", "source", "file_sha", "file_name")}
    rejected = faults.filter(pa.compute.equal(faults["action"], "reject_row"))
    noted = faults.filter(pa.compute.not_equal(faults["action"], "reject_row"))
    messages, hints = _messages(rejected, work.run.language)
    table = rejected.select(QUARANTINE_COLUMNS).append_column("message", messages).append_column("hint", hints)
    work.quarantine(_with({**same, "run_id": manifest.run_id}, table))
    notes = noted.select(["sheet", "line", "column_name", "value", "action", "rule", "row_hash"])
    work.repairs(_with(same, notes.append_column("repaired", pa.nulls(notes.num_rows, pa.string()))))
    return int(rejected.num_rows)


def _with(same: dict[str, Any], table: pa.Table) -> pa.Table:
    for name, value in same.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value, pa.string()), table.num_rows))
    return table


def _messages(rejected: pa.Table, language: str) -> tuple[pa.Array, pa.Array]:
    """Message and hint of each refused row; rows with the same rule and fields share one rendering."""
    told: dict[tuple[str, str], tuple[str, str]] = {}
    messages: list[str] = []
    hints: list[str] = []
    for rule, fields in zip(rejected["rule"].to_pylist(), rejected["fields"].to_pylist(), strict=True):
        if (rule, fields) not in told:
            told[rule, fields] = tell_row(rule, json.loads(fields), language)
        message, hint = told[rule, fields]
        messages.append(message)
        hints.append(hint)
    return pa.array(messages, pa.string()), pa.array(hints, pa.string())


def tell_row(rule: str, fields: dict[str, Any], language: str) -> tuple[str, str]:
    """What is wrong with a refused row, and what to do."""
    return say(f"land_row_{rule}", language, **fields), say(f"land_row_{rule}_hint", language, **fields)


def _file_row(manifest: Manifest, language: str) -> dict[str, Any]:
    return {
        "file_sha": manifest.file_sha,
        "entity": manifest.entity,
        "file_name": manifest.file_name,
        "source": manifest.source,
        "format": manifest.format,
        "encoding": manifest.encoding,
        "encoding_confidence": manifest.confidence,
        "dialect": json.dumps(
            {**manifest.dialect, "landing": manifest.landing_key}, ensure_ascii=False, sort_keys=True
        ),
        "landed_on": manifest.was_landed_on,
        "rows_in": manifest.rows_in,
        "rows_loaded": manifest.rows_loaded,
        "rows_quarantined": manifest.rows_quarantined,
        "rows_skipped": manifest.rows_skipped,
        "status": _status(manifest),
        "message": tell_file(manifest, language),
        "run_id": manifest.run_id,
    }


def tell_file(manifest: Manifest, language: str) -> str | None:
    """Why a file was refused, or what was noted about it."""
    if manifest.refusal:
        rule, fields = manifest.refusal
        return f"inbox/{manifest.file_name}: {Refused(rule, **fields).told(language)}"
    notes = [say(f"land_note_{note['code']}", language, **note["fields"]) for note in manifest.notes]
    return " ".join(notes) or None
