"""Watching what sources send: each new snapshot against the last sound one of its series."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from scoring.drift import Difference, compare
from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities
from tasks.land.store import Manifest, RawStore
from tasks.quality.holds import Accepted, name_hold
from tasks.quality.profiles import Counted, count_snapshot
from tasks.quality.rows import typed_rows
from tasks.quality.snapshots import Snapshot, snapshots_of, watch_of
from warehouse.steps import Work
from warehouse.tables import quote

# An unmapped list whose keys are at least so far those of the one before is the same list again; but a file of less
# than a tenth of its rows is a part of it, such as corrections.
_SAME_KEYS_SHARE = 0.5
_SAME_LIST_SHARE = 0.1
_OVERLAP_SAMPLE = 64  # one key of so many is looked up in snapshots of more than _OVERLAP_ROWS rows
_OVERLAP_ROWS = 100_000

_FILES = (
    "select file_sha, entity, file_name, source, landed_on, rows_loaded, run_id from ops.files where status = 'loaded'"
)
_TABLES = ("quality.snapshots", "quality.snapshot_columns", "quality.snapshot_values")


def watch_snapshots(work: Work, policy: SourcesPolicy, accepted: Accepted) -> None:
    """Bring quality.snapshots and quality.differences up to date: only what is new is counted and compared."""
    manifests = {(manifest.file_sha, manifest.entity): manifest for manifest in RawStore(work.run.root).manifests()}
    files = [
        {**row, "source_date": _day(manifests.get((row["file_sha"], row["entity"])))}
        for row in work.query(_FILES).to_pylist()
    ]
    snapshots = snapshots_of(files, policy)
    _forget(work, [snapshot.snapshot_id for snapshot in snapshots])
    context = _Context(_known(work), _modes(work), accepted, manifests)
    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for series in _by_series(snapshots):
        judged, found = _judge_series(work, series, policy, context)
        rows += judged
        differences += found
    _write(work, rows, differences)


@dataclass(frozen=True)
class _Context:
    """What judging a series needs beside it: what is counted already, what people accepted, the files' manifests."""

    known: dict[str, Counted]
    modes: dict[tuple[str, str], str]
    accepted: Accepted
    manifests: Mapping[tuple[str, str], Manifest]


def _day(manifest: Manifest | None) -> Any:
    return pa.scalar(manifest.day).cast(pa.date32()).as_py() if manifest is not None and manifest.day else None


def _forget(work: Work, ids: list[str]) -> None:
    """Drop what was counted of snapshots that are no longer: a file was added to them, or is of another source now."""
    for table in _TABLES:
        work.execute(f"delete from {table} where not list_contains($ids, snapshot_id)", {"ids": ids})


def _known(work: Work) -> dict[str, Counted]:
    """What was counted in former runs, by snapshot."""
    columns = _grouped(work.table("quality.snapshot_columns").to_pylist())
    values = _grouped(work.table("quality.snapshot_values").to_pylist())
    counts = work.query("select snapshot_id, row_count from quality.snapshots").to_pylist()
    return {
        row["snapshot_id"]: Counted(
            row["row_count"], columns.get(row["snapshot_id"], []), values.get(row["snapshot_id"], [])
        )
        for row in counts
    }


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["snapshot_id"], []).append(row)
    return found


def _modes(work: Work) -> dict[tuple[str, str], str]:
    """How former runs took a snapshot, beside the one it was compared with."""
    rows = work.query(
        "select snapshot_id, before_id, mode from quality.snapshots where before_id is not null"
    ).to_pylist()
    return {(row["snapshot_id"], row["before_id"]): row["mode"] for row in rows}


def _by_series(snapshots: list[Snapshot]) -> list[list[Snapshot]]:
    found: dict[tuple[str, str], list[Snapshot]] = {}
    for snapshot in snapshots:
        found.setdefault((snapshot.entity, snapshot.series), []).append(snapshot)
    return [found[key] for key in sorted(found)]


def _judge_series(
    work: Work, series: list[Snapshot], policy: SourcesPolicy, context: _Context
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Walk through a series: each snapshot against the last sound one; what is held is no measure for the next."""
    sound: Snapshot | None = None
    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for snapshot in series:
        counted = _counted(work, snapshot, context)
        mode = _mode(work, snapshot, sound, context)
        found: list[dict[str, Any]] = []
        if sound is not None:
            before = context.known[sound.snapshot_id].profile
            watch = watch_of(snapshot, policy)
            told = compare(before, counted.profile, watch, mode != "delta", snapshot.is_declared)
            found = [_difference(each, snapshot, sound, context.accepted) for each in told]
        state = _state(found, is_first=sound is None)
        rows.append(_row(snapshot, counted, mode, sound, state))
        differences += found
        if state != "held":
            _supersede([row for row in rows[:-1] if _replaces(rows[-1], row)], differences)
            sound = sound if sound is not None and _is_part(snapshot, sound) else snapshot
    return rows, differences


def _counted(work: Work, snapshot: Snapshot, context: _Context) -> Counted:
    """The snapshot's figures; counted now if they were not yet."""
    found = context.known.get(snapshot.snapshot_id)
    if found is None:
        manifests = [context.manifests[sha, snapshot.entity] for sha in snapshot.file_shas]
        found = count_snapshot(work, snapshot, manifests)
        work.append("quality.snapshot_columns", typed_rows("quality.snapshot_columns", found.columns))
        work.append("quality.snapshot_values", typed_rows("quality.snapshot_values", found.values))
        work.count(snapshots=1)
        context.known[snapshot.snapshot_id] = found
    return found


def _mode(work: Work, snapshot: Snapshot, sound: Snapshot | None, context: _Context) -> str:
    """full where declared; repeat where an unmapped list holds mostly what the one before held; else delta."""
    if snapshot.is_full:
        return "full"
    if sound is None or snapshot.is_declared:
        return "delta"
    key = (snapshot.snapshot_id, sound.snapshot_id)
    if key not in context.modes:
        context.modes[key] = "repeat" if _is_same_list(work, snapshot, sound) else "delta"
    return context.modes[key] if context.modes[key] != "full" else "delta"


def _is_part(snapshot: Snapshot, of: Snapshot) -> bool:
    """Whether an unmapped file is so small beside the one before that it is no measure for the next."""
    return not snapshot.is_declared and snapshot.row_count < _SAME_LIST_SHARE * of.row_count


def _is_same_list(work: Work, snapshot: Snapshot, before: Snapshot) -> bool:
    least, most = sorted((snapshot.row_count, before.row_count))
    if not least or least < _SAME_LIST_SHARE * most:
        return False
    keys = [quote(name) for key in entities()[snapshot.entity].keys for name in key[:1]]
    sample = f"hash(key) % {_OVERLAP_SAMPLE} = 0" if least > _OVERLAP_ROWS else "key is not null"
    side = (
        f"select distinct coalesce({', '.join([*keys, 'row_hash'])}) as key from raw.{snapshot.entity}"
        " where list_contains({shas}, file_sha)"
    )
    shared, ours, theirs = work.execute(
        f"with ours as (select key from ({side.format(shas='$ours')}) where {sample}),"
        f" theirs as (select key from ({side.format(shas='$theirs')}) where {sample})"
        " select (select count(*) from ours semi join theirs using (key)),"
        " (select count(*) from ours), (select count(*) from theirs)",
        {"ours": list(snapshot.file_shas), "theirs": list(before.file_shas)},
    ).fetchall()[0]
    return bool(shared >= _SAME_KEYS_SHARE * max(1, min(ours, theirs)))


def _difference(found: Difference, snapshot: Snapshot, before: Snapshot, accepted: Accepted) -> dict[str, Any]:
    hold_id = name_hold(snapshot.snapshot_id, found.kind, found.subject)
    decision = accepted.get(hold_id)
    return {
        "hold_id": hold_id,
        "snapshot_id": snapshot.snapshot_id,
        "before_id": before.snapshot_id,
        "landed_on": snapshot.landed_on,
        "entity": snapshot.entity,
        "source": snapshot.source,
        "file_name": snapshot.file_names[-1],
        "file_sha": snapshot.file_shas[-1],
        "kind": found.kind,
        "subject": found.subject,
        "before": float(found.before),
        "after": float(found.after),
        "allowed": float(found.limit),
        "example": found.example,
        "state": "noted" if not found.is_beyond else "accepted" if decision else "held",
        "decision_id": decision if found.is_beyond else None,
    }


def _state(differences: list[dict[str, Any]], *, is_first: bool) -> str:
    states = {difference["state"] for difference in differences}
    if is_first:
        return "first"
    return "held" if "held" in states else "accepted" if "accepted" in states else "sound"


def _row(snapshot: Snapshot, counted: Counted, mode: str, before: Snapshot | None, state: str) -> dict[str, Any]:
    return {
        "snapshot_id": snapshot.snapshot_id,
        "entity": snapshot.entity,
        "source": snapshot.source,
        "series": snapshot.series,
        "landed_on": snapshot.landed_on,
        "source_date": snapshot.source_date,
        "file_shas": list(snapshot.file_shas),
        "file_names": list(snapshot.file_names),
        "row_count": counted.row_count,
        "mode": mode,
        "before_id": before.snapshot_id if before else None,
        "state": state,
    }


def _replaces(later: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Whether a later snapshot takes an earlier one's place: as the whole list, or as the same file corrected."""
    return later["mode"] != "delta" or not set(later["file_names"]).isdisjoint(earlier["file_names"])


def _supersede(earlier: list[dict[str, Any]], differences: list[dict[str, Any]]) -> None:
    """What was wrong with held snapshots that a sound one replaced is no question any more."""
    replaced = {row["snapshot_id"] for row in earlier if row["state"] == "held"}
    for row in [*earlier, *differences]:
        if row["snapshot_id"] in replaced and row["state"] == "held":
            row["state"] = "superseded"


def _write(work: Work, rows: list[dict[str, Any]], differences: list[dict[str, Any]]) -> None:
    """The snapshots' states and all differences, in place of the former ones."""
    work.replace("quality.snapshots", typed_rows("quality.snapshots", rows))
    work.execute("delete from quality.differences where snapshot_id is not null")
    work.append("quality.differences", typed_rows("quality.differences", differences))
    work.count(differences_held=sum(row["state"] == "held" for row in differences))
