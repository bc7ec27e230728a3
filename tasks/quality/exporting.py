"""Refused rows as files to correct: as received, with the reason beside, so named that they find their way back."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from abmloop.errors import AbmError
from abmloop.messages import said
from scoring.policies.crm import FieldType
from scoring.policies.sources import SourcesPolicy
from tasks.land.corrections import ROW_HEADER
from tasks.land.entities import entities
from tasks.land.faults import Refused
from tasks.land.plans import is_mapped, plan_file
from tasks.outbound.csv_out import csv_bytes
from tasks.outbound.xlsx_out import write_workbook
from tasks.quality.refusals import Asked, extras_of, headers_of, refused_rows_received
from tasks.summary import Rows

FORMATS = ("xlsx", "csv")
_OWN = (ROW_HEADER, "abmloop_file", "abmloop_line", "abmloop_rule", "abmloop_reason", "abmloop_hint")
_TEXT = "abmloop_text"
_KINDS: dict[str, FieldType] = {
    "phone": "phone", "amount": "decimal", "number": "decimal", "share": "decimal", "integer": "integer",
    "date": "date", "time": "time", "boolean": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """One written file: its path, and where in the inbox it belongs once corrected."""

    path: Path
    inbox: str
    rows: int


@dataclass(frozen=True)
class _Sheet:
    """The rows of one file and entity, ready to be written: header → kind, rows in the order of the headers."""

    inbox: str
    kinds: dict[str, FieldType]
    rows: list[list[str]]


def export_refused(
    con: duckdb.DuckDBPyConnection, policy: SourcesPolicy, asked: Asked, folder: Path, form: str = "xlsx"
) -> list[Exported]:
    """Write the refused rows into `folder`, a file for each they came from, under the paths of the inbox.

    Dropped into the inbox under that path a corrected file is of the same source as the first; each row bears the
    number of the one it stands for. Cells are safe against formulas, and come back as they were. Raises AbmError for
    another form than xlsx or csv. `con` is the warehouse: the published file has no whole rows.
    """
    if form not in FORMATS:
        raise AbmError(said("usage_export_form", asked=form, known=", ".join(FORMATS)))
    found: dict[tuple[str, str, bool], Rows] = {}
    for row in refused_rows_received(con, asked):
        found.setdefault((row["file_sha"], row["entity"], _is_made(row, policy)), []).append(row)
    headers = headers_of(con)
    written: list[Exported] = []
    for (sha, entity, is_made), rows in found.items():
        hashes = sorted({row["row_hash"] for row in rows if row["row_hash"]})
        extras = extras_of(con, entity, hashes) if entity in entities() else {}
        sheet = _sheet(rows, {} if is_made else headers.get((sha, entity), {}), extras, policy)
        written.append(_write(sheet, folder, form, {each.inbox for each in written}))
    return written


def _sheet(rows: Rows, headers: dict[str, str], extras: dict[str, Any], policy: SourcesPolicy) -> _Sheet:
    """Cells under the headers they were read from; a line that could not be split stands in a column of its own."""
    received = [_cells(row, headers, extras) for row in rows]
    names = list(dict.fromkeys([*headers.values(), *(name for cells in received for name in cells if name != _TEXT)]))
    names += [_TEXT] if any(_TEXT in cells for cells in received) else []
    types = {column.name: column.type for column in entities()[rows[0]["entity"]].columns}
    kinds = {header: _KINDS.get(types.get(column, ""), "text") for column, header in headers.items()}
    own = [
        [
            row["refused_id"],
            row["file_name"],
            str(row["line"] or ""),
            row["rules"],
            row["reasons"] or "",
            row["hints"] or "",
        ]
        for row in rows
    ]
    return _Sheet(
        _inbox_name(rows[0], policy),
        {name: kinds.get(name, "text") for name in (*names, *_OWN)},
        [[*(cells.get(name, "") for name in names), *told] for cells, told in zip(received, own, strict=True)],
    )


def _cells(row: dict[str, Any], headers: dict[str, str], extras: dict[str, Any]) -> dict[str, str]:
    """Header → value of one row. Rows refused after reading bear canonical names: those go back to their headers."""
    received = json.loads(row["raw_row"] or "{}")
    if list(received) == ["text"] and "text" not in headers.values():
        return {_TEXT: received["text"]}
    known = set(headers.values())
    cells = {
        name if name in known else headers.get(name, name): str(value)
        for name, value in received.items()
        if value is not None and name not in (*_OWN, _TEXT)
    }
    more = json.loads(extras.get(row["row_hash"]) or "{}")
    return cells | {name: str(value) for name, value in more.items() if name not in (*_OWN, _TEXT, *cells)}


def _inbox_name(row: dict[str, Any], policy: SourcesPolicy) -> str:
    """A path in the inbox that makes the corrected file one of the same source, without a suffix."""
    path = PurePosixPath(row["file_name"])
    stem = path.name.partition(".")[0]
    beside = str(path.with_name(f"{stem}_refused"))
    if is_mapped(policy, row["file_name"]):
        return f"{row['entity']}/{row['source']}/{stem}_refused" if _is_made(row, policy) else beside
    names = (beside, f"{row['entity']}/{row['source']}/{stem}_refused")
    return next((name for name in names if _source_of(policy, f"{name}.csv", row["entity"]) == row["source"]), names[1])


def _is_made(row: dict[str, Any], policy: SourcesPolicy) -> bool:
    """Whether a refused row is one that a ready mapping made: it bears our columns and goes to its entity's folder."""
    of_values = any("-" in rule or rule.startswith("missing_") for rule in row["rules"].split("; "))
    return of_values and is_mapped(policy, row["file_name"])


def _source_of(policy: SourcesPolicy, file_name: str, entity: str) -> str | None:
    try:
        plans = plan_file(policy, file_name)
    except Refused:
        return None
    return next((plan.source for plan in plans if plan.reading.entity == entity), None)


def _write(sheet: _Sheet, folder: Path, form: str, taken: set[str]) -> Exported:
    inbox = f"{sheet.inbox}.{form}"
    number = 2
    while inbox in taken:
        inbox, number = f"{sheet.inbox}_{number}.{form}", number + 1
    # Names of files are data: no part of one may lead out of the folder.
    parts = [part for part in PurePosixPath(inbox).parts if part not in ("..", "/", "")]
    path = folder.joinpath(*parts)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if form == "csv":
        path.write_bytes(csv_bytes(sheet.kinds, sheet.rows, "human"))
    else:
        write_workbook(path, "refused", [[*sheet.kinds], *sheet.rows])
    path.chmod(0o600)
    return Exported(path, inbox, len(sheet.rows))
