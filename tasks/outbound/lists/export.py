"""Making a list: the gate's last look, the intent with its members, the bytes, in one transaction; then the file."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from abmloop.errors import BadPolicy, BadUsage
from abmloop.faultpoint import fault_point
from abmloop.messages import said, together
from abmloop.run import Author, Run
from scoring.policies.audiences import ADVERTISED
from tasks.outbound.lists.decide import Decision, Entry, Removal, decide
from tasks.outbound.lists.desk import Desk
from tasks.outbound.lists.files import File, entries_file, put_in_place, removals_file, sheet, write_beside
from tasks.outbound.lists.members import ABANDONED, read_exports
from tasks.outbound.push.plan import digest
from warehouse.lease import assert_lease_in
from warehouse.ledger import Ledger

FOLDER = ("exports", "lists")


@dataclass(frozen=True)
class Asked:
    """Who asks for a list and why; `is_full`: all who may be on it, in place of what the platform holds."""

    actor: str
    reason: str = ""
    is_full: bool = False


@dataclass(frozen=True)
class Content:
    """What one file of an export brings on or takes off. `consent`: the one state that holds for all its rows."""

    action: str
    file: File
    entries: tuple[Entry, ...] = ()
    removals: tuple[Removal, ...] = ()
    consent: str | None = None


@dataclass(frozen=True)
class Parcel(Content):
    """A file of an export with its name and its place."""

    export_id: str = ""
    path: Path = Path()


def lists_folder(root: Path) -> Path:
    """Where the files of lists stand."""
    return root.joinpath(*FOLDER)


def export_list(desk: Desk, run: Run, ledger: Ledger, asked: Asked) -> tuple[Decision, list[Parcel]]:
    """Judge once more, write the intent with its members, then the files; gives what became of it.

    A refusal that is committed before the intent wins; no other can come between it and the file's bytes. Raises
    BadPolicy where the message lacks its marks, BadUsage where a platform takes no file so large, Busy where another
    run took the lease. Source: spec 13-privacy P10, P35, P44.
    """
    with ledger.transaction() as connection:
        assert_lease_in(connection, run)
        desk.gate.refresh(connection)
        decision = decide(desk, asked.is_full)
        _assert_marked(desk, decision)
        parcels = list(_parcels(desk, decision, run, len(read_exports(ledger)), asked))
        rows = [_export_row(desk, decision, one, asked) for one in parcels]
        ledger.append_in(connection, "exports", rows, run)
        ledger.append_in(connection, "list_members", [row for one in parcels for row in _members(desk, one)], run)
        ledger.append_in(connection, "audit", [_audit(desk, one, asked) for one in parcels], run)
        beside = [write_beside(one.path, one.file.content) for one in parcels]
        fault_point("list:before_intent")
    fault_point("list:after_intent")
    for one, row, made in zip(parcels, rows, beside, strict=True):
        told = write_beside(one.path.with_suffix(".json"), sheet(_sheet(desk, decision, one, row)))
        put_in_place(told, one.path.with_suffix(".json"))
        put_in_place(made, one.path)
    fault_point("list:after_file")
    ledger.append("export_events", [_written(one.export_id, one.path, one.file) for one in parcels], run)
    return decision, parcels


def _assert_marked(desk: Desk, decision: Decision) -> None:
    if decision.marks:
        lacking = together((said(f"list_mark_{code}") for code in decision.marks), "; ")
        raise BadPolicy(said("list_marks", list=desk.rule.id, lacking=lacking))


def _parcels(desk: Desk, decision: Decision, run: Run, before: int, asked: Asked) -> Iterator[Parcel]:
    """The files, named; `before` exports were made already."""
    for number, content in enumerate(_contents(desk, decision, asked), before):
        maximum = desk.platform.maximum if desk.platform else content.file.rows
        if content.file.rows > maximum:
            numbers = {"rows": f"{content.file.rows:,}", "maximum": f"{maximum:,}"}
            raise BadUsage(said("list_too_large", list=desk.rule.id, **numbers))
        export_id = digest([desk.rule.id, content.action, content.consent, run.run_id, number])[:16]
        parts = [run.as_of.isoformat(), export_id[:8], content.action, *([content.consent] if content.consent else [])]
        path = lists_folder(run.root) / desk.rule.id / f"{'-'.join(parts)}.{content.file.suffix}"
        yield Parcel(**vars(content), export_id=export_id, path=path)


def _contents(desk: Desk, decision: Decision, asked: Asked) -> Iterator[Content]:
    """Those who come on, by state of consent where the platform wants one for a file, and those who go off."""
    groups = _by_consent(desk, decision.entries)
    for number, (consent, entries) in enumerate(groups):
        # The first file takes the place of the list; were a further one to do so too, it would wipe the first.
        is_first = asked.is_full and number == 0
        file = entries_file(desk, entries, _valid_until(desk))
        gone = decision.removals if is_first else ()
        yield Content("replace" if is_first else "add", file, entries, gone, consent)
    # Only a list that is replaced loses those whom no file can name; else they stay on record until it is.
    named = tuple(one for one in decision.removals if one.value is not None)
    if named and not (asked.is_full and groups):
        yield Content("remove", removals_file(desk, named), (), named)


def _by_consent(desk: Desk, entries: Sequence[Entry]) -> list[tuple[str | None, tuple[Entry, ...]]]:
    """Google wants one state of consent for all rows of a request (P41): granted apart from what the rules allow."""
    if not entries:
        return []
    if desk.rule.platform != "google":
        return [(None, tuple(entries))]
    granted = tuple(one for one in entries if desk.gate.judge_grant("ad", one.subject).is_allowed)
    known = {one.subject for one in granted}
    others = tuple(one for one in entries if one.subject not in known)
    return [(name, some) for name, some in (("granted", granted), ("unspecified", others)) if some]


def _valid_until(desk: Desk) -> datetime | None:
    """When a list of people to be reached runs out; audiences do not."""
    return None if desk.rule.kind in ADVERTISED else desk.at + timedelta(hours=desk.rule.valid_hours)


def _export_row(desk: Desk, decision: Decision, parcel: Parcel, asked: Asked) -> dict[str, Any]:
    told = {
        "rule": desk.rule.model_dump(mode="json", exclude_defaults=True),
        "campaign": desk.rule.campaign,
        "asked": decision.asked,
        "held": dict(decision.held),
        "unused": dict(decision.unused),
        "consent": parcel.consent,
        "reasons": dict(Counter(one.reason for one in parcel.removals)),
    }
    return {
        "export_id": parcel.export_id,
        "kind": desk.rule.kind,
        "file_name": "/".join(parcel.path.parts[-2:]),
        "row_count": parcel.file.rows,
        "reason": asked.reason or desk.rule.why,
        "evidence": json.dumps(told, ensure_ascii=False, sort_keys=True),
        "list_id": desk.rule.id,
        "action": parcel.action,
        "platform": desk.rule.platform,
        "hash": desk.rule.hash if desk.rule.kind == "ad" else None,
        "actor": asked.actor,
        "valid_until": _valid_until(desk),
    }


def _members(desk: Desk, parcel: Parcel) -> Iterator[dict[str, Any]]:
    """One row per key that comes on, with the evidence, and per key that goes off, with the reason."""
    for entry in parcel.entries:
        for kind, value in entry.keys.items():
            key_hash = desk.gate.keys.hash_of(value)
            row = _member_row(desk, parcel, "add", kind, key_hash)
            yield {**row, "person_id": entry.subject, "reason": None, "evidence": entry.word.evidence}
    for gone in parcel.removals:
        row = _member_row(desk, parcel, "remove", gone.member.key_kind, gone.member.key_hash)
        yield {**row, "person_id": gone.member.person_id, "reason": gone.reason, "evidence": None}


def _member_row(desk: Desk, parcel: Parcel, action: str, kind: str, key_hash: str) -> dict[str, Any]:
    return {
        "member_id": digest([parcel.export_id, action, kind, key_hash])[:32],
        "export_id": parcel.export_id,
        "list_id": desk.rule.id,
        "action": action,
        "key_kind": kind,
        "key_hash": key_hash,
    }


def _audit(desk: Desk, parcel: Parcel, asked: Asked) -> dict[str, Any]:
    allowed = Counter(
        part.partition(":")[0] for one in parcel.entries for part in (one.word.evidence or "").split("; ")
    )
    detail = {
        "list": desk.rule.id,
        "kind": desk.rule.kind,
        "platform": desk.rule.platform,
        "handler": desk.rule.handler.name if desk.rule.handler else None,
        "action": parcel.action,
        "rows": parcel.file.rows,
        "reason": asked.reason or desk.rule.why,
        "allowed_by": dict(allowed),
        "file_sha256": parcel.file.sha256,
    }
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    return {"actor": asked.actor, "action": "export", "object": parcel.export_id, "detail": text}


def _sheet(desk: Desk, decision: Decision, parcel: Parcel, row: dict[str, Any]) -> dict[str, Any]:
    """What goes into the sheet beside the file: enough to upload it rightly, and to show why it could leave."""
    told = {
        name: row[name] for name in ("export_id", "list_id", "action", "platform", "actor", "reason", "valid_until")
    }
    told |= {"rows": parcel.file.rows, "sha256": parcel.file.sha256}
    told["rule"] = desk.rule.model_dump(mode="json", exclude_defaults=True)
    told |= {"asked": decision.asked, "held": dict(decision.held), "unused_keys": dict(decision.unused)}
    if desk.rule.platform == "google":
        told["consent"] = dict.fromkeys(("ad_user_data", "ad_personalization"), (parcel.consent or "").upper() or None)
    if desk.rule.platform == "tencent":
        told["user_id_type"] = "HASH_MOBILE_PHONE" if desk.rule.hash == "md5" else "SHA256_MOBILE_PHONE"
        told["operation_type"] = "REDUCE" if parcel.action == "remove" else "APPEND"
    return told


def _written(export_id: str, path: Path, file: File) -> dict[str, Any]:
    return _event(export_id, "written", "/".join(path.parts[-2:]), file.sha256, file.rows)


def _event(
    export_id: str, state: str, name: str | None = None, sha256: str | None = None, rows: int | None = None
) -> dict[str, Any]:
    return {
        "event_id": f"{export_id}:{state}",
        "export_id": export_id,
        "state": state,
        "file_name": name,
        "file_hash": sha256,
        "row_count": rows,
    }


def settle_exports(ledger: Ledger, root: Path, at: datetime, by: Author) -> int:
    """Finish what a killed run left: an intent whose file stands is written, one without is given up; gives how many.

    Call and message lists that have run out are deleted: what people said since does not stand in them.
    """
    for beside in lists_folder(root).glob("*/*.tmp"):
        beside.unlink()
    events = []
    for export in read_exports(ledger).values():
        path = lists_folder(root) / (export.file_name or "")
        if export.state is None:
            if not path.is_file():
                path.with_suffix(".json").unlink(missing_ok=True)
            events.append(_event(export.export_id, "written" if path.is_file() else ABANDONED, export.file_name))
        elif export.state == "written" and export.valid_until and export.valid_until < at:
            path.unlink(missing_ok=True)
            events.append(_event(export.export_id, "expired", export.file_name))
    ledger.append("export_events", events, by)
    return len(events)


def confirm_upload(ledger: Ledger, root: Path, export_id: str, asked: Asked, by: Author) -> str:
    """The platform has the file: it is deleted here, and that is put on record; gives its name (P45).

    Raises BadUsage for an export that is not known, or whose file was confirmed, given up or never written.
    """
    found = [one for one in read_exports(ledger).values() if one.export_id.startswith(export_id)]
    if len(found) != 1 or found[0].state != "written":
        raise BadUsage(said("list_no_export", export=export_id, state=found[0].state if found else "-"))
    export = found[0]
    (lists_folder(root) / (export.file_name or "")).unlink(missing_ok=True)
    audit = {"actor": asked.actor, "action": "upload_confirmed", "object": export.export_id, "detail": asked.reason}
    event = _event(export.export_id, "uploaded", export.file_name)
    ledger.append_all({"export_events": [event], "audit": [audit]}, by)
    return str(export.file_name)
