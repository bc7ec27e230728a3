"""Reading bytes as landing does, without a workspace: for tests of readers and rules."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from scoring.policies.sources import Limits
from tasks.land.entities import ROW_COLUMNS, entities
from tasks.land.faults import Refused
from tasks.land.headers import Reading
from tasks.land.job import Job
from tasks.land.loading import tell_row
from tasks.land.reading import Read, read_file

Row = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What reading gave: the tally's numbers, rows and faults as dicts."""

    read: Read
    rows: list[Row]
    faults: list[Row]

    @property
    def rejected(self) -> list[Row]:
        return [fault for fault in self.faults if fault["action"] == "reject_row"]

    def values(self, column: str) -> list[Any]:
        return [row[column] for row in self.rows]

    def told(self, language: str = "en") -> list[str]:
        """The messages of the refused rows."""
        return [tell_row(fault["rule"], json.loads(fault["fields"]), language)[0] for fault in self.rejected]


def read_bytes(tmp_path: Path, data: bytes | str, name: str = "x.csv", entity: str = "contacts", **how: Any) -> Outcome:
    """Read `data` as a file called `name`; `how` goes to the reading (columns, constants, key, sequence) or the job."""
    path, out = tmp_path / "file", tmp_path / "out"
    out.mkdir(exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    of_reading = {key: how.pop(key) for key in ("columns", "constants", "key", "sequence") if key in how}
    limits = {**Limits().model_dump(), **how.pop("limits", {})}
    read = read_file(Job(str(path), name, str(out), (Reading(entity, **of_reading),), limits, **how))
    names = dict.fromkeys((*entities()[entity].column_names, *ROW_COLUMNS))
    rows = [{**names, **row} for row in pq.read_table(out / f"{entity}.parquet").to_pylist()]
    faults = pq.read_table(out / f"{entity}.faults.parquet").to_pylist()
    tally = read.tallies[0]
    rejected = len({fault["record"] for fault in faults if fault["action"] == "reject_row"})
    assert tally.rows_in == len(rows) + rejected + sum(tally.skipped.values())
    return Outcome(read, rows, faults)


def refusal(tmp_path: Path, data: bytes | str, name: str = "x.csv", entity: str = "contacts", **how: Any) -> Refused:
    """The refusal that reading `data` ends in."""
    with pytest.raises(Refused) as caught:
        read_bytes(tmp_path, data, name, entity, **how)
    return caught.value


def workbook(path: Path, rows: list[list[Any]], title: str = "Sheet1") -> openpyxl.Workbook:
    """A workbook of one sheet, saved to `path`; change and save it again for more."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return book
