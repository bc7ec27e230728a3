"""Looking at one file without landing it: what it is, how each header was understood, what would be refused."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from abmloop.messages import say
from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities, plain_header
from tasks.land.faults import Refused
from tasks.land.headers import Reading
from tasks.land.loading import tell_row
from tasks.land.looking import Guess, Look
from tasks.land.naming import read_name
from tasks.land.plans import EXPORTS, Plan, is_to_recognise, job_for, plan_file
from tasks.land.sandbox import Sandbox
from tasks.land.suggesting import Suggestion, known_elsewhere, snippet, suggest
from tasks.land.value_checks import ValueReport, check_values

SHOWN_FAULTS = 20
SHOWN_SAMPLES = 3
# From this likeness on, of 100, a suggestion is put into the lines to paste.
LIKELY = 60
SAMPLE_ROWS = 2_000


@dataclass(frozen=True)
class HeaderReport:
    """How one header was understood. `column` is None where it is kept beside as JSON.

    `how`: mapped (by config/sources.yaml), name, synonym, bare (without what stands in brackets), unknown.
    `suggestions` are for unknown ones; `elsewhere` names other entities that know it.
    """

    header: str
    column: str | None
    how: str
    samples: list[str] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EntityReport:
    """What a file would bring to one entity. `columns`: canonical column → header; `extra`: headers kept as JSON.

    `faults`: the first refused rows as (line, rule, message, hint); `refused_by_rule`: how many rows each rule refuses;
    `values`: what the rules of values would do; `snippet`: lines for config/sources.yaml that map unknown headers.
    """

    entity: str
    source: str
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    skipped: dict[str, int]
    columns: dict[str, str]
    extra: list[str]
    refused_by_rule: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, str, str, str]] = field(default_factory=list)
    headers: list[HeaderReport] = field(default_factory=list)
    values: list[ValueReport] = field(default_factory=list)
    snippet: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FileReport:
    """What a file is. `refused` is the message where it would be refused as a whole, else None.

    `guesses` are there where nothing but its headers says what its rows are; the first was taken. `sheets` as (name,
    rows), where it has several. `mapping`: the ready mapping it is read by.
    """

    file_name: str
    format: str | None = None
    encoding: str | None = None
    confidence: float | None = None
    dialect: dict[str, Any] = field(default_factory=dict)
    entities: list[EntityReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None
    sheets: list[tuple[str | None, int | None]] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    mapping: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)


def inspect_any(path: Path, policy: SourcesPolicy, language: str = "en", timezone: str = "Asia/Shanghai") -> FileReport:
    """What landing would make of a file that lies anywhere: what its rows are is guessed from its headers."""
    with tempfile.TemporaryDirectory() as out, Sandbox() as sandbox:
        job = job_for(policy, path.name, (str(path.resolve()), out), ())
        try:
            look = sandbox.look(job)
        except Refused as refusal:
            return FileReport(path.name, refused=refusal.told(language))
        if look.mapping:
            name = f"{EXPORTS}/{path.name}"
            return _inspect(_Asked(path, name, policy, language, timezone), look, sandbox, Path(out))
        if not look.guesses:
            known = ", ".join(entities())
            return FileReport(
                path.name, refused=say("inspect.no_guess", language, entities=known), sheets=look.sheets, **look.about
            )  # fmt: skip
        name = f"{look.guesses[0].entity}/{path.name}"
        return _inspect(_Asked(path, name, policy, language, timezone), look, sandbox, Path(out))


def inspect_file(
    path: Path, file_name: str, policy: SourcesPolicy, language: str = "en", timezone: str = "Asia/Shanghai"
) -> FileReport:
    """What landing would make of a file lying under the inbox as `file_name` (such as `contacts/webinar.xlsx`)."""
    with tempfile.TemporaryDirectory() as out, Sandbox() as sandbox:
        asked = _Asked(path, file_name, policy, language, timezone)
        look = Look([], [])
        if is_to_recognise(policy, file_name):
            job = job_for(policy, file_name, (str(path.resolve()), out), ())
            try:
                look = replace(look, mapping=sandbox.look(job).mapping)
            except Refused as refusal:
                return FileReport(file_name, refused=refusal.told(language))
        return _inspect(asked, look, sandbox, Path(out))


@dataclass(frozen=True)
class _Asked:
    """A file, the name it would have in the inbox, and how to speak of it."""

    path: Path
    file_name: str
    policy: SourcesPolicy
    language: str
    timezone: str


def _inspect(asked: _Asked, look: Look, sandbox: Sandbox, out: Path) -> FileReport:
    seen: dict[str, Any] = {"sheets": look.sheets, "guesses": [] if look.mapping else look.guesses}
    try:
        plans = plan_file(asked.policy, asked.file_name, look.mapping)
        seen["mapping"] = plans[0].mapping
        readings = tuple(plan.reading for plan in plans)
        job = job_for(asked.policy, asked.file_name, (str(asked.path.resolve()), str(out)), readings)
        limit = int(job.limits["file_mb"])
        if asked.path.stat().st_size > limit * 1_000_000:
            raise Refused("file_too_large", limit=limit)
        read = sandbox.read(job)
    except Refused as refusal:
        return FileReport(asked.file_name, refused=refusal.told(asked.language), **seen, **look.about)
    reports = [_entity_report(plan, tally, out, asked) for plan, tally in zip(plans, read["tallies"], strict=True)]
    notes = [say(f"land_note_{note['code']}", asked.language, **note["fields"]) for note in read["notes"]]
    about = {key: read[key] for key in ("format", "encoding", "confidence", "dialect")}
    return FileReport(asked.file_name, entities=reports, notes=notes, **about, **seen)


def _entity_report(plan: Plan, tally: dict[str, Any], out: Path, asked: _Asked) -> EntityReport:
    entity = plan.reading.entity
    found = pq.read_table(out / f"{entity}.faults.parquet").to_pylist()
    rejected = [fault for fault in found if fault["action"] == "reject_row"]
    shown: list[tuple[int, str, str, str]] = []
    for fault in rejected[:SHOWN_FAULTS]:
        message, hint = tell_row(fault["rule"], json.loads(fault["fields"]), asked.language)
        shown.append((fault["line"], fault["rule"], message, hint))
    headers = _headers(plan.reading, tally, out / f"{entity}.parquet")
    unknown = {
        each.suggestions[0][0]: each.header
        for each in headers
        if each.suggestions[:1] and each.suggestions[0][2] >= LIKELY
    }
    pattern = f"{entity}/{read_name(asked.file_name).list_name}*"
    return EntityReport(
        source=plan.source,
        refused_by_rule=dict(sorted(Counter(fault["rule"] for fault in rejected).items())),
        faults=shown,
        headers=headers,
        values=_emptied(found, asked.language)
        + check_values(out / f"{entity}.parquet", entity, asked.language, asked.timezone),
        snippet=snippet(entity, plan.source, pattern, unknown) if unknown else [],
        **tally,
    )


def _emptied(faults: list[dict[str, Any]], language: str) -> list[ValueReport]:
    """What landing itself leaves empty or flags: merged cells, errors of formulas, broken text."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for fault in faults:
        if fault["action"] != "reject_row":
            groups.setdefault((fault["column_name"] or "?", fault["rule"], fault["action"]), []).append(fault)
    reports = []
    for (column, rule, action), found in sorted(groups.items()):
        first = min(found, key=lambda fault: int(fault["line"]))
        at_line = say("inspect.at_line", language, line=first["line"])
        fields = json.loads(first["fields"])
        message = say("value_text-mojibake", language) if rule == "mojibake" else tell_row(rule, fields, language)[0]
        told = message.replace("：", ": ", 1).removeprefix(at_line).rstrip(".。")
        reports.append(ValueReport(column, rule, action, len(found), first["value"] or "", first["line"], told))
    return reports


def _headers(reading: Reading, tally: dict[str, Any], rows: Path) -> list[HeaderReport]:
    """Each header with what it was taken for, those that nobody knows with what they may mean."""
    batches = islice(pq.ParquetFile(rows).iter_batches(batch_size=SAMPLE_ROWS), 1)
    table = pa.Table.from_batches(list(batches), pq.read_schema(rows))
    names = table.schema.names
    found = [
        HeaderReport(header, column, _how(reading, column, header), _samples(table[column]) if column in names else [])
        for column, header in tally["columns"].items()
    ]
    beside = [json.loads(text) for text in table["extra"].drop_null().to_pylist()] if "extra" in names else []
    taken = frozenset((*tally["columns"], *reading.constants))
    for header in tally["extra"]:
        samples = _distinct(str(values[header]) for values in beside if values.get(header) is not None)
        nearest, elsewhere = suggest(header, reading.of, taken), known_elsewhere(header, reading.of)
        found.append(HeaderReport(header, None, "unknown", samples, nearest, elsewhere))
    return found


def _how(reading: Reading, column: str, header: str) -> str:
    if reading.mapping:
        return "ready"
    if column in reading.columns:
        return "mapped"
    if plain_header(header) == plain_header(column):
        return "name"
    return "synonym" if plain_header(header) in reading.of.lookup else "bare"


def _samples(column: Any) -> list[str]:
    return _distinct(value for value in pc.drop_null(column).to_pylist())


def _distinct(values: Iterable[str]) -> list[str]:
    """The first few different values."""
    found: dict[str, None] = {}
    for value in values:
        found.setdefault(value)
        if len(found) == SHOWN_SAMPLES:
            break
    return list(found)


def name_in_inbox(path: Path, policy: SourcesPolicy, inbox: Path | None) -> str | None:
    """The name by which landing would know a file: its path in the inbox, else its folder's; None where none tells."""
    resolved = path.resolve()
    if inbox is not None and resolved.is_relative_to(inbox.resolve()):
        return PurePosixPath(*resolved.relative_to(inbox.resolve()).parts).as_posix()
    name = f"{resolved.parent.name}/{path.name}"
    return name if resolved.parent.name in entities() or policy.source_of(name) else None
