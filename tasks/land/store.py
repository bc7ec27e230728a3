"""The raw store: what was landed, by content, as Parquet with a manifest; raw.* is made from it alone."""

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from abmloop.errors import AbmError
from abmloop.faultpoint import fault_point
from abmloop.messages import said

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """One file read as one entity. It is written last: what has no manifest was not landed.

    `landed_on` is the `as_of` of the run that first landed the bytes as this entity; it never changes. `refusal` is
    (rule, fields) of a file refused as a whole. `retry` marks refusals that may end differently another time.
    `version` is the edition its name tells, `replaced` counts the contents it followed under its name on its day.
    `mapping` is the ready mapping it was read by.
    """

    file_sha: str
    entity: str
    file_name: str
    source: str
    rank: int
    day: str | None
    snapshot: str
    landed_on: str
    run_id: str
    reading_key: str
    landing_key: str
    format: str | None = None
    encoding: str | None = None
    confidence: float | None = None
    dialect: dict[str, Any] = field(default_factory=dict)
    rows_in: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    refusal: tuple[str, dict[str, Any]] | None = None
    retry: bool = False
    limits_key: str = ""
    version: str | None = None
    replaced: int = 0
    mapping: str | None = None
    format_version: int = FORMAT_VERSION

    @property
    def was_landed_on(self) -> date:
        """The day of landing."""
        return date.fromisoformat(self.landed_on)

    @property
    def edition(self) -> str | None:
        """Orders files of one source and day, where they are editions of one list; null for a first one."""
        return f"{self.version or '0000.000'}~{self.replaced:04d}" if self.version or self.replaced else None

    @property
    def rows_skipped(self) -> int:
        """Records left out by rule."""
        return sum(self.skipped.values())


class RawStore:
    """`<workspace>/raw/<entity>/<sha>.json` with `<sha>.<reading_key>.parquet` and `….faults.parquet` beside it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "raw"
        self.incoming = self.folder / ".incoming"

    def open(self) -> None:
        """Make the folder; remove what a killed run left unfinished."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(mode=0o700)

    def manifests(self) -> list[Manifest]:
        """All manifests, by entity and hash. Raises AbmError for one that cannot be read."""
        return [self._load(path) for path in sorted(self.folder.glob("[!.]*/*.json"))]

    @staticmethod
    def _load(path: Path) -> Manifest:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format_version"] > FORMAT_VERSION:
                raise AbmError(said("landing_manifest_newer", path=path, format=values["format_version"]))
            refusal = values["refusal"]
            return Manifest(**{**values, "refusal": tuple(refusal) if refusal else None})
        except (ValueError, KeyError, TypeError) as error:
            raise AbmError(said("landing_manifest_damaged", path=path, problem=error, sha=path.stem)) from error

    def data_path(self, manifest: Manifest) -> Path:
        """The rows' Parquet file."""
        return self.folder / manifest.entity / f"{manifest.file_sha}.{manifest.reading_key}.parquet"

    def faults_path(self, manifest: Manifest) -> Path:
        """The faults' Parquet file."""
        return self.folder / manifest.entity / f"{manifest.file_sha}.{manifest.reading_key}.faults.parquet"

    def keep(self, manifest: Manifest, out: Path | None) -> None:
        """Take what a reading wrote to `out` (None for a refused file) into the store, for good.

        Rows first, manifest last, each synced and renamed: killed in between, the file counts as not landed.
        """
        folder = self.folder / manifest.entity
        folder.mkdir(mode=0o700, exist_ok=True)
        if out is not None:
            for name, path in (("parquet", self.data_path(manifest)), ("faults.parquet", self.faults_path(manifest))):
                _settle(out / f"{manifest.entity}.{name}", path)
            fault_point("land:rows_kept")
        self.write(manifest)
        fault_point("land:manifest_kept")
        self._remove_older(manifest)

    def write(self, manifest: Manifest) -> None:
        """Write the manifest alone, in one step."""
        self.incoming.mkdir(mode=0o700, exist_ok=True)
        draft = self.incoming / f"{manifest.file_sha}.{manifest.entity}.json"
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(asdict(manifest), stream, ensure_ascii=False, indent=1, sort_keys=True)
        draft.chmod(0o600)
        _settle(draft, self.folder / manifest.entity / f"{manifest.file_sha}.json")

    def _remove_older(self, manifest: Manifest) -> None:
        """Remove the rows of readings by older rules, now that the manifest names another."""
        for path in (self.folder / manifest.entity).glob(f"{manifest.file_sha}.*.parquet"):
            if not path.name.startswith(f"{manifest.file_sha}.{manifest.reading_key}.") or manifest.refusal:
                path.unlink()

    def take_in(self, path: Path, file_sha: str) -> tuple[Path, Path]:
        """The file under a generated name, and an empty folder for its rows: the reader never opens its own name."""
        taken, out = self.incoming / f"{file_sha}.in", self.incoming / f"{file_sha}.out"
        taken.unlink(missing_ok=True)
        try:
            os.link(path, taken, follow_symlinks=False)
        except OSError:
            shutil.copyfile(path, taken, follow_symlinks=False)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(mode=0o700)
        return taken, out

    def let_go(self, taken: Path, out: Path) -> None:
        """Remove what `take_in` made."""
        taken.unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)


def _settle(draft: Path, path: Path) -> None:
    """Rename with everything on the disk before and after."""
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    draft.replace(path)
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def with_source(manifest: Manifest, source: str, rank: int, day: date | None) -> Manifest:
    """The manifest under another source, rank or day: its rows stay as they were read."""
    return replace(manifest, source=source, rank=rank, day=day.isoformat() if day else None)
