"""From the inbox to the raw store: every file known by its content, read once, refusals remembered."""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from abmloop.errors import AbmError
from abmloop.messages import say
from abmloop.progress import progress
from abmloop.redact import Redacting
from abmloop.run import Run
from scoring.policies.sources import SourcesPolicy
from tasks.land.faults import Refused
from tasks.land.inbox import InboxFile, hash_file, list_inbox, wait_until_settled
from tasks.land.plans import Plan, is_to_recognise, job_for, plan_file
from tasks.land.ready import all_fingerprints, ready_mappings
from tasks.land.sandbox import Sandbox
from tasks.land.store import Manifest, RawStore, with_source

log = logging.getLogger(__name__)
log.addFilter(Redacting())
# Refusals that lie in the machine's state as much as in the file: tried again in the next run.
PASSING = frozenset({"too_slow", "too_much_memory", "reader_died", "reader_defect"})


@dataclass
class Landing:
    """What came of looking at the inbox. `manifests` are those the warehouse should hold, by the rules of today."""

    manifests: list[Manifest] = field(default_factory=list)
    not_ready: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    read: int = 0
    seen: int = 0


@dataclass(frozen=True)
class _Wanted:
    """A file's content with the plans by which it is to be read; `file_name` is the name it goes by."""

    file: InboxFile
    file_sha: str
    plans: list[Plan]


def land_inbox(run: Run, policy: SourcesPolicy, store: RawStore) -> Landing:
    """Read what is new in the inbox into the raw store; gives what the warehouse should hold."""
    store.open()
    known = {(manifest.file_sha, manifest.entity): manifest for manifest in store.manifests()}
    landing = Landing()
    by_content = _contents(run.root / "inbox", policy, landing)
    with Sandbox() as sandbox, progress(len(by_content), "reading files") as advance:
        context = _Context(run, policy, store, sandbox, known, landing, recognised_before(known))
        for file_sha, files in by_content.items():
            _recognise(file_sha, files, context)
            meant = _wanted(file_sha, files, context)
            landing.duplicates += _beside(files, meant)
            for wanted in meant:
                _land_content(wanted, context)
            advance()
    landing.manifests = _held(known, policy, store)
    return landing


@dataclass(frozen=True)
class _Context:
    """What landing one file needs to know."""

    run: Run
    policy: SourcesPolicy
    store: RawStore
    sandbox: Sandbox
    known: dict[tuple[str, str], Manifest]
    landing: Landing
    recognised: dict[str, str | Refused]


def recognised_before(known: dict[tuple[str, str], Manifest]) -> dict[str, str | Refused]:
    """Content hash → the ready mapping that it was read by, or why none was, as long as the mappings are the same."""
    found: dict[str, str | Refused] = {}
    for manifest in known.values():
        if manifest.mapping in ready_mappings():
            found[manifest.file_sha] = str(manifest.mapping)
        elif manifest.refusal and manifest.reading_key == _unrecognised_key(manifest.refusal[0]):
            found.setdefault(manifest.file_sha, Refused(manifest.refusal[0], **manifest.refusal[1]))
    return found


def _recognise(file_sha: str, files: list[InboxFile], context: _Context) -> None:
    """Look at a content that only its header tells, unless it was looked at before."""
    asked = next((file for file in files if is_to_recognise(context.policy, file.file_name)), None)
    if asked is None or file_sha in context.recognised:
        return
    store = context.store
    try:
        taken, out = store.take_in(asked.path, file_sha)
    except FileNotFoundError:
        return
    try:
        job = job_for(context.policy, asked.file_name, (str(taken), str(out)), ())
        name = context.sandbox.look(job).mapping
        refusal = Refused("not_recognised", known=", ".join(ready_mappings()))
        context.recognised[file_sha] = name or refusal
    except AbmError as error:
        refusal = error if isinstance(error, Refused) else Refused("reader_defect", problem=str(error))
        context.recognised[file_sha] = refusal
    finally:
        store.let_go(taken, out)


def _unrecognised_key(rule: str) -> str:
    """The reading key of a file that no mapping knew: another one as soon as there are other mappings."""
    return f"{rule}~{all_fingerprints()}"


def _contents(inbox: Path, policy: SourcesPolicy, landing: Landing) -> dict[str, list[InboxFile]]:
    """Content hash → the files that have it, names in order; what is not ready is noted instead."""
    listed = list_inbox(inbox)
    settled, growing = wait_until_settled(listed.files, policy.settle_seconds)
    landing.not_ready += [*listed.not_ready, *(file.file_name for file in growing)]
    landing.links += listed.links
    found: dict[str, list[InboxFile]] = {}
    for file in settled:
        file_sha = hash_file(file)
        if file_sha is None:
            landing.not_ready.append(file.file_name)
        else:
            found.setdefault(file_sha, []).append(file)
    landing.seen = len(settled)
    return found


def _wanted(file_sha: str, files: list[InboxFile], context: _Context) -> list[_Wanted]:
    """By which names a content is read: an entity by the name it was landed under, else by the first that means it."""
    chosen: dict[str, tuple[InboxFile, Plan | None]] = {}
    for file in files:
        try:
            plans: list[Plan] = plan_file(context.policy, file.file_name, _name(context.recognised.get(file_sha)))
        except Refused as refusal:
            chosen.setdefault(f"?{refusal.rule}", (file, None))
            continue
        for plan in plans:
            entity = plan.reading.entity
            landed = context.known.get((file_sha, entity))
            if entity not in chosen or (landed is not None and landed.file_name == file.file_name):
                chosen[entity] = (file, plan)
    names = dict.fromkeys(file.file_name for file, _ in chosen.values())
    return [
        _Wanted(
            next(file for file, _ in chosen.values() if file.file_name == name),
            file_sha,
            [plan for file, plan in chosen.values() if file.file_name == name and plan is not None],
        )
        for name in names
    ]


def _beside(files: list[InboxFile], meant: list[_Wanted]) -> list[str]:
    """The names under which a content lies in the inbox once more."""
    return [file.file_name for file in files if file.file_name not in {wanted.file.file_name for wanted in meant}]


def _land_content(wanted: _Wanted, context: _Context) -> None:
    """Read one content where anything about it is new, and keep what comes out, or the refusal."""
    if not wanted.plans:
        return _refuse_unplanned(wanted, context)
    due = [plan for plan in wanted.plans if _is_due(context.known.get((wanted.file_sha, plan.reading.entity)), plan)]
    if not due:
        return None
    outcome = _read(wanted, due, context)
    if outcome is None:
        context.landing.not_ready.append(wanted.file.file_name)
        return None
    context.landing.read += 1
    for plan, manifest in zip(due, outcome, strict=True):
        context.known[wanted.file_sha, plan.reading.entity] = manifest
    return None


def _is_due(landed: Manifest | None, plan: Plan) -> bool:
    if landed is None or landed.retry or landed.reading_key != plan.reading_key:
        return True
    return landed.refusal is not None and landed.limits_key != plan.limits_key


def _read(wanted: _Wanted, plans: list[Plan], context: _Context) -> list[Manifest] | None:
    """The manifests of a content read by those plans; None where the file changed under our hands."""
    store = context.store
    drafts = [_draft(wanted, plan, context) for plan in plans]
    try:
        taken, out = store.take_in(wanted.file.path, wanted.file_sha)
    except FileNotFoundError:
        return None
    try:
        limit = context.policy.limits_of(wanted.file.file_name).file_mb
        if wanted.file.size > limit * 1_000_000:
            raise Refused("file_too_large", limit=limit)
        job = job_for(
            context.policy, wanted.file.file_name, (str(taken), str(out)), tuple(plan.reading for plan in plans)
        )
        read = context.sandbox.read(job)
        if not wanted.file.is_unchanged():
            return None
        manifests = [_filled(draft, read) for draft in drafts]
        for manifest in manifests:
            store.keep(manifest, out)
    except AbmError as error:
        refusal = error if isinstance(error, Refused) else Refused("reader_defect", problem=str(error))
        manifests = [_refused(draft, refusal) for draft in drafts]
        for manifest in manifests:
            store.keep(manifest, None)
    finally:
        store.let_go(taken, out)
    return manifests


def _draft(wanted: _Wanted, plan: Plan, context: _Context) -> Manifest:
    """What is known of a content before it is read; a content landed before keeps its first day and run."""
    before = context.known.get((wanted.file_sha, plan.reading.entity))
    return Manifest(
        file_sha=wanted.file_sha,
        entity=plan.reading.entity,
        file_name=wanted.file.file_name,
        source=plan.source,
        rank=plan.rank,
        day=plan.day.isoformat() if plan.day else None,
        snapshot=plan.snapshot,
        landed_on=before.landed_on if before else context.run.as_of.isoformat(),
        run_id=before.run_id if before else context.run.run_id,
        reading_key=plan.reading_key,
        landing_key=plan.landing_key,
        limits_key=plan.limits_key,
        version=plan.version,
        replaced=before.replaced if before else _replaced(wanted, plan, context),
        mapping=plan.mapping,
    )


def _replaced(wanted: _Wanted, plan: Plan, context: _Context) -> int:
    """How many contents this one follows that were landed under the same name on the same day."""
    day = context.run.as_of.isoformat()
    return sum(
        (manifest.file_name, manifest.entity, manifest.landed_on) == (wanted.file.file_name, plan.reading.entity, day)
        for manifest in context.known.values()
    )


def _filled(draft: Manifest, read: dict[str, Any]) -> Manifest:
    tally = next(tally for tally in read["tallies"] if tally["entity"] == draft.entity)
    about: dict[str, Any] = {key: read[key] for key in ("format", "encoding", "confidence", "dialect", "notes")}
    counted = {key: tally[key] for key in ("rows_in", "rows_loaded", "rows_quarantined", "skipped", "columns", "extra")}
    return replace(draft, **about, **counted)


def _refused(draft: Manifest, refusal: Refused) -> Manifest:
    return replace(draft, refusal=(refusal.rule, refusal.fields), retry=refusal.rule in PASSING)


# Files that nothing says how to read are remembered under this name until a rule or a move makes them something.
NO_ENTITY = "unknown"


def _refuse_unplanned(wanted: _Wanted, context: _Context) -> None:
    """Remember a file that no rule takes; an entity is learned as soon as a rule names one."""
    try:
        plan_file(context.policy, wanted.file.file_name, _name(context.recognised.get(wanted.file_sha)))
    except Refused as problem:
        told = context.recognised.get(wanted.file_sha)
        refusal = told if isinstance(told, Refused) else problem
        key = _unrecognised_key(refusal.rule) if refusal is told else refusal.rule
        before = context.known.get((wanted.file_sha, NO_ENTITY))
        manifest = Manifest(
            wanted.file_sha, NO_ENTITY, wanted.file.file_name, "", context.policy.default_rank, None, "delta",
            before.landed_on if before else context.run.as_of.isoformat(),
            before.run_id if before else context.run.run_id,
            key, key, refusal=(refusal.rule, refusal.fields), retry=refusal.rule in PASSING,
        )  # fmt: skip
        if before != manifest:
            context.store.keep(manifest, None)
        context.known[wanted.file_sha, NO_ENTITY] = manifest


def _held(known: dict[tuple[str, str], Manifest], policy: SourcesPolicy, store: RawStore) -> list[Manifest]:
    """The manifests that today's rules still mean, under today's source, rank and day; noted where these changed."""
    held: list[Manifest] = []
    recognised = recognised_before(known)
    for manifest in known.values():
        plans = _plans_of(manifest, policy, _name(recognised.get(manifest.file_sha)))
        plan = next((plan for plan in plans if plan.reading.entity == manifest.entity), None)
        if manifest.entity == NO_ENTITY:
            if not plans:
                held.append(manifest)
        elif plan is not None:
            changed = replace(with_source(manifest, plan.source, plan.rank, plan.day), version=plan.version)
            changed = replace(changed, landing_key=replace(plan, reading_key=manifest.reading_key).landing_key)
            if changed != manifest:
                store.write(changed)
            held.append(changed)
    return sorted(held, key=lambda manifest: (manifest.entity, manifest.file_sha))


def _plans_of(manifest: Manifest, policy: SourcesPolicy, recognised: str | None) -> list[Plan]:
    try:
        return plan_file(policy, manifest.file_name, recognised)
    except Refused:
        return []


def _name(recognised: str | Refused | None) -> str | None:
    return recognised if isinstance(recognised, str) else None


def tell_landing(landing: Landing, colliding: list[str], language: str) -> None:
    """Log what a person should know and no table holds: files not ready, twice there, or with others' ids."""
    for message in colliding:
        log.warning(message)
    for name in landing.not_ready:
        log.warning(say("land_not_ready", language, file=name))
    for name in landing.links:
        log.warning(say("land_link", language, file=name))
    for name in landing.duplicates:
        log.info(say("land_same_content", language, file=name))
