"""The epoch of matching: what is rare in the directory, counted once and kept until the directory has grown."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from scoring.match.counts import Counts
from scoring.match.tables import directory_of
from warehouse.steps import Work

_NAME = "matching"
_MOST_GROWTH = 1.1  # source: spec 00-loop: renewed when the directory has grown by a tenth


def epoch_counts(work: Work, accounts: int, directory: str) -> tuple[int, Counts]:
    """(number of the epoch, its counts). A new one begins where there is none, where the directory (the table
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
        if path.is_file() and accounts / _MOST_GROWTH <= payload["accounts"] <= accounts * _MOST_GROWTH:
            with contextlib.suppress(ValueError):  # counted by another version
                return begun[-1]["number"], Counts.from_rows(parquet.read_table(path))
    counts = Counts.of(directory_of(work.query(f"select * from {directory} order by account_id")))
    number = 1 + max((row["number"] for row in begun), default=0)
    payload = {"file": _kept(folder, counts.rows()), "accounts": accounts, "begun_on": work.run.as_of.isoformat()}
    work.ledger.append("epochs", [{"name": _NAME, "number": number, "payload": json.dumps(payload)}], work.run)
    return number, counts


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
