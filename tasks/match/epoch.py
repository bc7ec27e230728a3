"""The epoch of matching: what is rare in the directory, counted once and kept until the directory has grown."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from scoring.match.counts import VERSION, Counts
from scoring.match.tables import directory_of
from warehouse.steps import Work

_NAME = "matching"
_MOST_GROWTH = 1.1  # source: spec 00-loop: renewed when the directory has grown by a tenth


@dataclass(frozen=True)
class KeptCounts:
    """The number of an epoch, and its counts, which are read when they are asked for."""

    number: int
    load: Callable[[], Counts]

    @cached_property
    def counts(self) -> Counts:
        """The counts."""
        return self.load()


def epoch_counts(work: Work, accounts: int, directory: str) -> KeptCounts:
    """The epoch's number and counts. A new one begins where there is none, where the directory (the table
    `directory`, of so many accounts) has grown or shrunk by a tenth since, or where the counts that were kept are gone
    or of another version.

    The counts stand in a file beside the ledger, whose row names it: they outlive the warehouse, so that a rebuild
    matches by the same.
    """
    folder = work.run.root / "ledger" / "epochs"
    begun = [row for row in work.ledger.read("epochs", work.run).to_pylist() if row["name"] == _NAME]
    if begun:
        payload = json.loads(begun[-1]["payload"])
        path = folder / payload["file"]
        is_of_size = accounts / _MOST_GROWTH <= payload["accounts"] <= accounts * _MOST_GROWTH
        if path.is_file() and is_of_size and payload.get("version") == VERSION:
            return KeptCounts(begun[-1]["number"], lambda: Counts.from_rows(parquet.read_table(path)))
    counts = Counts.of(directory_of(work.query(f"select * from {directory} order by account_id")))
    number = 1 + max((row["number"] for row in begun), default=0)
    payload = {
        "file": _kept(folder, counts.rows()),
        "version": VERSION,
        "accounts": accounts,
        "begun_on": work.run.as_of.isoformat(),
    }
    work.ledger.append("epochs", [{"name": _NAME, "number": number, "payload": json.dumps(payload)}], work.run)
    return KeptCounts(number, lambda: counts)


def _kept(folder: Path, rows: pa.Table) -> str:
    """The name of the file, which is that of its content."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = folder / f"new-{os.getpid()}.parquet"
    parquet.write_table(rows, written, compression="zstd")
    with written.open("r+b") as file:
        name = f"{_NAME}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.parquet"
        os.fsync(file.fileno())
    written.replace(folder / name)
    return name
