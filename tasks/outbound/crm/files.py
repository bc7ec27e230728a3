"""The connector without an account: import-ready CSV files out, the CRM's own exports in.

Out: `exports/crm/<as_of>/<object>-<new|changed>-<hash>.csv`. A batch counts as delivered when its manifest stands in
`exports/crm/.delivered/`; the manifests are the connector's memory, so the CSV files may be moved or deleted after
their import. In: the folder that crm.yaml names as `import_folder`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from abmloop.errors import BadPolicy
from abmloop.faultpoint import fault_point
from abmloop.messages import said
from scoring.policies.crm import IMPORT_FOLDER, OBJECT_ORDER, CrmPolicy, FieldType
from tasks.outbound.crm.base import ChannelStopped, Description, Found, Page, Record, Standing, Verdict
from tasks.outbound.csv_out import csv_bytes
from tasks.outbound.push.plan import digest

BATCH_SIZE = 100_000
MAX_PAGE_BYTES = 512 * 1024 * 1024
_PACKED = (".gz", ".zip")

# What the exports of common CRMs are called; the longer name first, for "商机阶段" also contains "商机".
_ENTITY_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "deal_stages",
        ("deal_stages", "deal_stage", "stage_history", "opportunityhistory", "阶段变更", "商机阶段", "阶段历史"),
    ),
    (
        "deal_contacts",
        ("deal_contacts", "deal_contact", "contact_role", "opportunitycontactrole", "商机联系人", "联系人角色"),
    ),
    (
        "deal_splits",
        ("deal_splits", "deal_split", "opportunity_split", "opportunitysplit", "商机分摊", "商机拆分", "业绩分成"),
    ),
    ("merges", ("merges", "merge_history", "merged_records", "合并记录", "合并历史")),
    ("consents", ("consents", "consent", "opt_outs", "opt_out", "unsubscribes", "unsubscribe", "退订", "授权同意")),
    ("lead_status", ("lead_status", "leadstatus", "线索状态", "线索反馈")),
    ("deals", ("deals", "deal", "opportunities", "opportunity", "商机")),
    ("orders", ("orders", "order", "contracts", "contract", "订单", "合同")),
    ("invoices", ("invoices", "invoice", "发票", "开票")),
    ("payments", ("payments", "payment", "回款", "收款")),
    ("activities", ("activities", "activity", "销售记录", "跟进记录")),
    ("owners", ("owners", "owner", "users", "销售人员", "负责人")),
)
PULLED_ENTITIES: tuple[str, ...] = tuple(entity for entity, _ in _ENTITY_NAMES)


class FilesConnector:
    """A CRM that is fed and read by files."""

    def __init__(self, root: Path, policy: CrmPolicy, as_of: date) -> None:
        self._root = root
        self._policy = policy
        self._as_of = as_of
        self._exports = root / "exports" / "crm"
        self._memory = self._exports / ".delivered"
        self._held: dict[str, dict[str, str]] | None = None

    def describe(self) -> Description:
        """The instance that this folder belongs to; keys stay unique by the manifests."""
        pinned = self._exports / "instance.json"
        instance = json.loads(pinned.read_text(encoding="utf-8"))["instance"] if pinned.is_file() else None
        instance = instance or self._policy.instance
        notes = tuple(note for path in self._dropped() if (note := self._note(path)))
        return Description(instance, "upsert_by_external_id", BATCH_SIZE, reads_back=False, notes=notes)

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        """The keys that were exported before; their fields cannot be read back."""
        held = self._keys().get(object_name, {})
        return {key: Found(None, payload_hash=held[key]) for key in keys if key in held}

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        """One CSV of new records and one of changed ones; what was exported already is not exported again."""
        if self.describe().instance != self._policy.instance:
            ours = self._policy.instance
            raise ChannelStopped(said("crm_folder_other_instance", folder=self._exports, instance=ours))
        if missing := [record.key for record in records if not record.allowed_by]:
            raise ChannelStopped(said("crm_not_allowed_written", number=len(missing)))
        held = self._keys().setdefault(object_name, {})
        fresh = [record for record in records if held.get(record.key) != record.payload_hash]
        names: dict[str, str] = {}
        if fresh:
            batch = digest([object_name, sorted((record.key, record.payload_hash) for record in fresh)])[:12]
            new = [record for record in fresh if record.key not in held]
            changed = [record for record in fresh if record.key in held]
            parts = {f"{object_name}-new-{batch}.csv": new, f"{object_name}-changed-{batch}.csv": changed}
            names = {record.key: name for name, part in parts.items() for record in part}
            self._publish(object_name, batch, {name: part for name, part in parts.items() if part})
            held.update((record.key, record.payload_hash) for record in fresh)
        fault_point("crm:after_send")
        folder = f"exports/crm/{self._as_of}"
        files = {key: f"{folder}/{name}" for key, name in names.items()}
        return [Verdict(record.key, "done", message=files.get(record.key, "exported before")) for record in records]

    def end_left_open(self) -> None:
        """Nothing: a file is there or not."""

    def calls_left(self) -> int | None:
        """Files have no limit."""
        return None

    def changes_since(self, entity: str, cursor: str | None) -> Iterator[Page]:
        """The entity's exports, each as one page named by its content; `cursor` is not needed for that."""
        for path in self._dropped():
            if entity_of(path.relative_to(self._folder)) == entity and (page := _page(path, entity)):
                yield page

    def ids_there(self, entity: str) -> Iterator[Sequence[str]] | None:
        """None: exports say themselves what was deleted, by a column is_deleted."""
        return None

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Nothing: what was merged comes as a file of merges."""
        return {}

    @property
    def _folder(self) -> Path:
        return (self._root / self._policy.import_folder).resolve()

    def _dropped(self) -> list[Path]:
        """The files in the import folder, hidden and half-written ones left out."""
        if not self._folder.is_dir() and self._policy.import_folder != IMPORT_FOLDER:
            raise BadPolicy(said("crm_no_import_folder", folder=self._folder))
        names = sorted(path for path in self._folder.rglob("*") if not path.name.startswith((".", "~$")))
        return [path for path in names if path.is_symlink() or path.is_file()]

    def _note(self, path: Path) -> str | None:
        """Why a dropped file is not taken in, and what to do; None where it is."""
        shown = path.relative_to(self._folder)
        if path.is_symlink():
            return said("crm_note_link", file=shown)
        if path.stat().st_size > MAX_PAGE_BYTES:
            return said("crm_note_large", file=shown, limit=f"{MAX_PAGE_BYTES:,}")
        if entity_of(shown) is None:
            return said("crm_note_nameless", file=shown, known=", ".join(PULLED_ENTITIES))
        return None

    def _keys(self) -> dict[str, dict[str, str]]:
        """Object → key → payload hash last exported; finishes what a crash left half published."""
        if self._held is None:
            self._finish()
            self._held = {}
            for path in sorted(self._memory.glob("*.json")):
                manifest = json.loads(path.read_text(encoding="utf-8"))
                self._held.setdefault(manifest["object"], {}).update(manifest["keys"])
        return self._held

    def _publish(self, object_name: str, batch: str, parts: Mapping[str, Sequence[Record]]) -> None:
        """Stage the files, then the manifest (the moment of truth), then move the files to where people look."""
        for folder in (self._exports, self._memory):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pinned = self._exports / "instance.json"
        if not pinned.is_file():
            _write(pinned, json.dumps({"instance": self._policy.instance}).encode())
        for name, records in parts.items():
            _write(self._memory / name, self._csv(object_name, records))
        fault_point("files:staged")
        number = len(list(self._memory.glob("*.json")))
        manifest = {
            "object": object_name,
            "as_of": self._as_of.isoformat(),
            "files": sorted(parts),
            "keys": {record.key: record.payload_hash for records in parts.values() for record in records},
        }
        _write(self._memory / f"{number:08d}-{object_name}-{batch}.json", _json_bytes(manifest))
        fault_point("files:committed")
        self._finish()

    def _finish(self) -> None:
        """Move staged files of manifests to their day's folder; remove staged files without one."""
        staged = {path.name: path for path in self._memory.glob("*.csv")}
        for path in sorted(self._memory.glob("*.json")) if staged else []:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            for name in manifest["files"]:
                if name in staged:
                    folder = self._exports / manifest["as_of"]
                    folder.mkdir(parents=True, exist_ok=True)
                    staged.pop(name).replace(folder / name)
                    _sync_folder(folder)
        for path in staged.values():
            path.unlink()

    def _csv(self, object_name: str, records: Sequence[Record]) -> bytes:
        kinds = self._policy.objects[_known(object_name)].types
        used = {name for record in records for name in record.fields}
        columns: dict[str, FieldType] = {self._policy.key_field: "text"}
        columns |= {name: kind for name, kind in kinds.items() if name in used}
        fields = list(columns)[1:]
        rows = ([record.key, *(record.fields.get(name) for name in fields)] for record in records)
        return csv_bytes(columns, rows, self._policy.csv_profile)


def _known(object_name: str) -> Any:
    if object_name not in OBJECT_ORDER:
        raise ChannelStopped(said("crm_no_object_in_files", object=object_name, known=", ".join(OBJECT_ORDER)))
    return object_name


def entity_of(path: Path) -> str | None:
    """The entity of a file below an import folder: by its first folder, else by its name; None if neither tells."""
    if len(path.parts) > 1 and path.parts[0] in PULLED_ENTITIES:
        return path.parts[0]
    name = path.name.lower().replace(" ", "_").replace("-", "_")
    return next((entity for entity, words in _ENTITY_NAMES if any(word in name for word in words)), None)


def _page(path: Path, entity: str) -> Page | None:
    """The file as a page; None for what is no plain file, too large, or still growing."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_PAGE_BYTES:
        return None
    before = path.stat()
    body = path.read_bytes()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(body) != after.st_size:
        return None
    kinds = path.suffixes[-2:] if path.suffix.lower() in _PACKED else path.suffixes[-1:]
    suffix = re.sub(r"[^a-z0-9.]", "", "".join(kinds).lower())
    return Page(entity, path.name, suffix, body)


def _write(path: Path, body: bytes) -> None:
    """The whole file or none of it, on the disk when this returns."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
