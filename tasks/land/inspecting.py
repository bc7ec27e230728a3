"""Looking at one file without landing it: what it is, how each header was understood, what would be refused."""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from abmloop.messages import say
from scoring.policies.sources import SourcesPolicy
from tasks.land.faults import Refused
from tasks.land.loading import tell_row
from tasks.land.plans import Plan, job_for, plan_file
from tasks.land.sandbox import Sandbox

SHOWN_FAULTS = 20


@dataclass(frozen=True)
class EntityReport:
    """What a file would bring to one entity. `columns`: canonical column → header; `extra`: headers kept as JSON.

    `faults`: the first refused rows as (line, rule, message, hint); `refused_by_rule`: how many rows each rule refuses.
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


@dataclass(frozen=True)
class FileReport:
    """What a file is. `refused` is the message where it would be refused as a whole, else None."""

    file_name: str
    format: str | None = None
    encoding: str | None = None
    confidence: float | None = None
    dialect: dict[str, Any] = field(default_factory=dict)
    entities: list[EntityReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None


def inspect_file(path: Path, file_name: str, policy: SourcesPolicy, language: str = "en") -> FileReport:
    """What landing would make of a file lying under the inbox as `file_name` (such as `contacts/webinar.xlsx`)."""
    with tempfile.TemporaryDirectory() as out, Sandbox() as sandbox:
        try:
            plans = plan_file(policy, file_name)
            job = job_for(policy, file_name, (str(path.resolve()), out), tuple(plan.reading for plan in plans))
            read = sandbox.read(job)
        except Refused as refusal:
            return FileReport(file_name, refused=refusal.told(language))
        reports = [
            _entity_report(plan, tally, Path(out), language) for plan, tally in zip(plans, read["tallies"], strict=True)
        ]
    notes = [say(f"land_note_{note['code']}", language, **note["fields"]) for note in read["notes"]]
    about = {key: read[key] for key in ("format", "encoding", "confidence", "dialect")}
    return FileReport(file_name, entities=reports, notes=notes, **about)


def _entity_report(plan: Plan, tally: dict[str, Any], out: Path, language: str) -> EntityReport:
    found = pq.read_table(out / f"{plan.reading.entity}.faults.parquet").to_pylist()
    rejected = [fault for fault in found if fault["action"] == "reject_row"]
    shown: list[tuple[int, str, str, str]] = []
    for fault in rejected[:SHOWN_FAULTS]:
        message, hint = tell_row(fault["rule"], json.loads(fault["fields"]), language)
        shown.append((fault["line"], fault["rule"], message, hint))
    counted = Counter(fault["rule"] for fault in rejected)
    return EntityReport(source=plan.source, refused_by_rule=dict(sorted(counted.items())), faults=shown, **tally)
