"""The log of refusals beside the ledger: a ledger put back from a backup learns from it who refused since (P20)."""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from abmloop.run import Author
from warehouse.ledger import Ledger

LOG_VARIABLE = "ABMLOOP_REFUSAL_LOG"
_NAMES = {"consents": "event_id", "suppressions": "suppression_id"}


def log_path(root: Path) -> Path:
    """Where the log is: ABMLOOP_REFUSAL_LOG, else the workspace. It is never put back from a backup."""
    return Path(os.environ.get(LOG_VARIABLE) or root / "refusals.ndjson")


def write_log(root: Path, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows of `consents` or `suppressions` to the log, on disk before this returns; keyed hashes only."""
    lines = [json.dumps({"table": table, "row": dict(row)}, default=str, ensure_ascii=False) + "\n" for row in rows]
    if not lines:
        return
    path = log_path(root)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def replay_log(ledger: Ledger, root: Path, by: Author) -> int:
    """Put into the ledger what the log holds and it lacks, in the log's order; gives how many rows.

    A last line that was cut short by a power cut was never answered as done, and is passed over.
    """
    path = log_path(root)
    if not path.is_file():
        return 0
    noted = _entries(path)
    added = 0
    for table, name in _NAMES.items():
        rows = [row for of, row in noted if of == table]
        known = set(ledger.read(table)[name].to_pylist()) if rows else set()
        if missing := [row for row in rows if row[name] not in known]:
            added += ledger.append(table, missing, by)
    return added


def _entries(path: Path) -> Sequence[tuple[str, dict[str, Any]]]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        row = dict(entry["row"])
        if row.get("given_at"):
            row["given_at"] = datetime.fromisoformat(str(row["given_at"]))
        found.append((str(entry["table"]), row))
    return found
