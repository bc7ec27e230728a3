"""The files of a list: what a platform or a call centre gets, and the sheet beside it that says why."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import zone
from scoring.audiences.hours import MAINLAND, zones_of
from scoring.audiences.platforms import company_rows, platform_rows
from scoring.policies.crm import FieldType
from tasks.outbound.csv_out import csv_bytes, safe_cell
from tasks.outbound.lists.decide import Entry, Removal
from tasks.outbound.lists.desk import Desk

_ZIP_DATE = (2000, 1, 1, 0, 0, 0)  # the same rows give the same bytes
_PEOPLE: dict[str, FieldType] = {
    "name": "text",
    "title": "text",
    "company_name": "text",
    "stage": "text",
    "reason": "text",
}
_KEY_TYPES: dict[str, FieldType] = {"mobile": "phone", "email": "email"}
_HOURS: dict[str, FieldType] = {"not_before": "text", "not_after": "text"}


@dataclass(frozen=True)
class File:
    """One file that is to leave: its name's end, its bytes, its rows."""

    suffix: str
    content: bytes
    rows: int

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.content).hexdigest()


def entries_file(desk: Desk, entries: Sequence[Entry], valid_until: datetime | None) -> File:
    """The file of those who come on a list, in the order of their ids."""
    ordered = sorted(entries, key=lambda one: one.subject)
    if desk.rule.kind == "company":
        return _of_companies(desk, {one.subject for one in ordered})
    people = desk.rows.take([one.place for one in ordered])
    if desk.rule.kind == "ad":
        for kind in ("email", "mobile"):
            used = pa.array([one.keys.get(kind) for one in ordered], pa.string())
            people = people.set_column(people.schema.get_field_index(kind), kind, used)
        return _for_platform(desk, platform_rows(desk.rule, people))
    return _for_people(desk, ordered, people, valid_until)


def removals_file(desk: Desk, removals: Sequence[Removal]) -> File:
    """The file of those who go off, named as they were when they came on."""
    named = sorted((one.member.key_kind, one.value) for one in removals if one.value is not None)
    if desk.rule.kind == "company":
        # A company that was merged since goes off by both its names: as it was sent, and as it is called today.
        accounts = {value for _, value in named}
        return _of_companies(desk, accounts | {desk.moved[one] for one in accounts if one in desk.moved})
    if desk.rule.kind == "ad":
        empty = dict.fromkeys(("email", "mobile", "name", "country", "postcode"))
        rows = [{**empty, kind: value} for kind, value in named]
        schema = pa.schema([(name, pa.string()) for name in empty])
        return _for_platform(desk, platform_rows(desk.rule, pa.Table.from_pylist(rows, schema)))
    kind = desk.keys[0]
    return File("csv", csv_bytes({kind: _KEY_TYPES[kind]}, [[value] for _, value in named], "human"), len(named))


def _of_companies(desk: Desk, accounts: set[str]) -> File:
    """Companies as the platform knows them; nothing in a cell that a spreadsheet would run."""
    table = desk.rows if desk.companies is None else desk.companies
    found = table.filter(pc.is_in(table["account_id"], pa.array(sorted(accounts), pa.string())))
    rows = company_rows(found.sort_by("account_id"))
    return _for_platform(desk, pa.table({name: _safe(rows[name]) for name in rows.column_names}))


def _for_platform(desk: Desk, rows: pa.Table) -> File:
    """CSV without a mark at its start, as platforms read it; for Tencent one value a line, zipped."""
    values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    if desk.platform and not desk.platform.header:
        lines = "".join(f"{value}\n" for (value,) in values)
        return File("zip", _zipped(f"{desk.rule.id}.txt", lines.encode()), len(values))
    columns: dict[str, FieldType] = dict.fromkeys(rows.column_names, "text")
    return File("csv", csv_bytes(columns, values, "machine"), len(values))


def _for_people(desk: Desk, entries: Sequence[Entry], people: pa.Table, valid_until: datetime | None) -> File:
    """A sheet to work from: whom, how, when by their own clock, why they may be reached, and until when that holds."""
    kind = desk.keys[0]
    columns: dict[str, FieldType] = {
        kind: _KEY_TYPES[kind],
        **_PEOPLE,
        **_HOURS,
        "allowed_by": "text",
        "valid_until": "text",
    }
    ends = valid_until.strftime("%Y-%m-%d %H:%M UTC") if valid_until else ""
    rows = []
    for entry, person in zip(entries, people.to_pylist(), strict=True):
        told = [person[name] for name in _PEOPLE]
        rows.append([entry.keys[kind], *told, *_local_hours(entry), entry.word.evidence, ends])
    return File("csv", csv_bytes(columns, rows, "human"), len(rows))


def _local_hours(entry: Entry) -> tuple[str, str]:
    """The hours of an entry by the clock of the first place its number may be in."""
    if entry.window is None:
        return "", ""
    number = entry.keys.get("mobile", "")
    name = (zones_of(number) or (MAINLAND,))[0]
    starts, ends = (moment.astimezone(zone(name)) for moment in entry.window)
    return f"{starts:%Y-%m-%d %H:%M} {name}", f"{ends:%Y-%m-%d %H:%M} {name}"


def _safe(column: Any) -> pa.Array:
    return pa.array([None if value is None else safe_cell(value) for value in column.to_pylist()], pa.string())


def _zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def write_beside(path: Path, content: bytes) -> Path:
    """The content on disk beside its place, readable by the owner only; `put_in_place` does the rest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return beside


def put_in_place(beside: Path, path: Path) -> None:
    """Give the file its name, at once and for good."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sheet(told: dict[str, Any]) -> bytes:
    """What stands beside a file: counts and reasons, nobody's data."""
    return (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n").encode()
