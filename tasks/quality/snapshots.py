"""Which landed files make one snapshot, which snapshots are of one series, and what of each is compared with what."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from scoring.policies.sources import SourcesPolicy, Watch
from tasks.land.naming import read_name
from tasks.land.plans import EXPORTS, INBOX_SOURCE


@dataclass(frozen=True)
class Snapshot:
    """What a source sent of one entity in one landing for one day. `is_declared`: sources.yaml names the source."""

    snapshot_id: str
    entity: str
    source: str
    series: str
    landed_on: date
    source_date: date | None
    edition: str
    last_run: str
    file_shas: tuple[str, ...]
    file_names: tuple[str, ...]
    row_count: int
    is_full: bool
    is_declared: bool

    @property
    def order(self) -> tuple[date, date, str, str, str, str]:
        """Snapshots of a series in the order in which they came; the name, then the content where nothing tells."""
        when = self.landed_on or date.min, self.source_date or date.min
        return *when, self.edition, self.last_run, self.file_names[-1], self.snapshot_id


def snapshots_of(files: Iterable[Mapping[str, Any]], policy: SourcesPolicy) -> list[Snapshot]:
    """The snapshots of loaded files, in their order. Files of one source, landing day and source date are one snapshot.

    `files`: file_sha, entity, file_name, source, landed_on, source_date, rows_loaded, run_id.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for file in files:
        declared = policy.source_of(str(file["file_name"])) is not None
        key = (
            file["entity"],
            file["source"],
            series_of(str(file["source"]), str(file["file_name"])),
            file["landed_on"],
            file["source_date"],
            # Where nobody says that files belong together each stands for itself.
            "" if declared else file["file_sha"],
        )
        groups.setdefault(key, []).append(file)
    return sorted((_snapshot(group, policy) for group in groups.values()), key=lambda each: each.order)


def _snapshot(files: list[Mapping[str, Any]], policy: SourcesPolicy) -> Snapshot:
    files = sorted(files, key=lambda file: (str(file["run_id"]), str(file["file_name"]), str(file["file_sha"])))
    newest = files[-1]
    source = policy.source_of(str(newest["file_name"]))
    shas = tuple(sorted(str(file["file_sha"]) for file in files))
    named = "\n".join((str(newest["entity"]), *shas))
    return Snapshot(
        snapshot_id=hashlib.sha256(named.encode()).hexdigest()[:16],
        entity=str(newest["entity"]),
        source=str(newest["source"]),
        series=series_of(str(newest["source"]), str(newest["file_name"])),
        landed_on=newest["landed_on"],
        source_date=newest["source_date"],
        edition=read_name(str(newest["file_name"])).version or "",
        last_run=str(newest["run_id"]),
        file_shas=shas,
        file_names=tuple(str(file["file_name"]) for file in files),
        row_count=sum(int(file["rows_loaded"]) for file in files),
        is_full=source is not None and source.snapshot == "full",
        is_declared=source is not None,
    )


def series_of(source: str, file_name: str) -> str:
    """What tells which files continue one another: the source; the undated name too where several kinds share one."""
    if source != INBOX_SOURCE and not file_name.startswith(f"{EXPORTS}/"):
        return source
    return f"{source}/{read_name(PurePosixPath(file_name).name).list_name or ''}"


def watch_of(snapshot: Snapshot, policy: SourcesPolicy) -> Watch:
    """The limits for a snapshot: its source's own, the file's for what those leave out."""
    source = policy.source_of(snapshot.file_names[-1])
    if source is None or source.watch is None:
        return policy.watch
    own = {name: getattr(source.watch, name) for name in source.watch.model_fields_set}
    return policy.watch.model_copy(update=own)
