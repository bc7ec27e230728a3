"""Which source a file belongs to, what it is read as, and how: config/sources.yaml, else its folder and its headers."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from abmloop.errors import BadPolicy
from abmloop.messages import said, together
from scoring.policies.sources import DateInName, EntityMapping, Source, SourcesPolicy, reading_hash
from tasks.land.entities import Entity, entities
from tasks.land.faults import Refused
from tasks.land.headers import Reading
from tasks.land.job import Job
from tasks.land.naming import read_name
from tasks.land.reading import READER_VERSION
from tasks.land.ready import ReadyMapping, ready_mappings

# What an unmapped file of the inbox belongs to where ids are shared between files (see entities.yaml).
INBOX_SOURCE = "inbox"
# Files of this folder are read by the ready mapping that knows their header. A folder below it names their campaign.
EXPORTS = "exports"
# How the pages of a CRM's interface are named, and the column with their time of modification (tasks/outbound/pull).
CRM_PAGE = "crm-"
CRM_TIME = "crm_modified_at"


@dataclass(frozen=True)
class Plan:
    """One entity to be read from one file. `reading_key` changes when the same bytes would read differently.

    `limits_key` changes with the limits of its source: a file refused under others is looked at again. `version` is
    the edition that the file's name tells, as text that sorts.
    """

    source: str
    rank: int
    day: date | None
    snapshot: str
    reading: Reading
    reading_key: str
    limits_key: str
    version: str | None = None
    mapping: str | None = None

    @property
    def landing_key(self) -> str:
        """Changes when anything of its rows in raw would."""
        parts = [self.reading_key, self.source, self.rank, str(self.day), self.version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def plan_file(policy: SourcesPolicy, file_name: str, recognised: str | None = None) -> list[Plan]:
    """What a file (path under the inbox, with `/`) is to be read as. Raises Refused where nothing says so.

    `recognised` is the ready mapping that knows its header; only asked where `is_to_recognise`.
    """
    source = policy.source_of(file_name)
    folder = PurePosixPath(file_name).parts[0] if "/" in file_name else ""
    name = _named_mapping(source, folder)
    if is_to_recognise(policy, file_name):
        if recognised is None:
            raise Refused("not_recognised", known=", ".join(ready_mappings()))
        name = recognised
    if name is not None:
        mapping = ready_mappings()[name]
        return [_plan_mapped(policy, source, mapping, entity, file_name) for entity in mapping.entities]
    mappings: tuple[EntityMapping | None, ...] = source.entities if source and source.entities else (None,)
    if mappings == (None,) and folder not in entities():
        raise Refused("no_entity", folder=folder or "(none)", known=", ".join(entities()))
    return [_plan(policy, source, mapping, file_name, folder) for mapping in mappings]


def _named_mapping(source: Source | None, folder: str) -> str | None:
    return (source.mapping if source else None) or (folder if folder in ready_mappings() else None)


def is_mapped(policy: SourcesPolicy, file_name: str) -> bool:
    """Whether a ready mapping reads the file, if anything does."""
    named = _named_mapping(policy.source_of(file_name), PurePosixPath(file_name).parts[0])
    return named is not None or is_to_recognise(policy, file_name)


def is_to_recognise(policy: SourcesPolicy, file_name: str) -> bool:
    """Whether only the header of a file says what it is: it lies in inbox/exports and no source says how it reads."""
    source = policy.source_of(file_name)
    return file_name.startswith(f"{EXPORTS}/") and not (source and (source.mapping or source.entities))


def _plan_mapped(
    policy: SourcesPolicy, source: Source | None, mapping: ReadyMapping, entity: str, file_name: str
) -> Plan:
    """The plan of one entity of a ready mapping; what the source says of the entity itself goes before."""
    own = next((each for each in source.entities if each.entity == entity), None) if source else None
    reading = Reading(
        entity=entity,
        constants=dict(own.constants) if own else {},
        key=own.key if own else (),
        dates=(source.dates if source else None) or mapping.dates,  # type: ignore[arg-type]
        timezone=(source.timezone if source else None) or mapping.timezone,
        mapping=mapping.name,
    )
    given = json.dumps(given_by(file_name, _day(source, file_name)), sort_keys=True)
    parts = [str(READER_VERSION), entities()[entity].fingerprint, mapping.fingerprint, given, reading_hash(source, own)]
    return Plan(
        source=source.name if source else mapping.source,
        rank=source.rank if source else policy.default_rank,
        day=_day(source, file_name),
        snapshot=source.snapshot if source else "delta",
        reading=reading,
        reading_key=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16],
        limits_key=hashlib.sha256(policy.limits_of(file_name).model_dump_json().encode()).hexdigest()[:16],
        version=read_name(file_name).version,
        mapping=mapping.name,
    )


def given_by(file_name: str, day: date | None) -> dict[str, str]:
    """What a file's name gives a ready mapping: the folder it lies in below the inbox's, its list, its day."""
    path = PurePosixPath(file_name)
    found = {"$folder": path.parts[1] if len(path.parts) > 2 else "", "$list": read_name(path.name).list_name}
    return {name: text for name, text in {**found, "$file_day": day.isoformat() if day else ""}.items() if text}


def _plan(
    policy: SourcesPolicy, source: Source | None, mapping: EntityMapping | None, file_name: str, folder: str
) -> Plan:  # fmt: skip
    entity = entities()[mapping.entity if mapping else folder]
    reading = Reading(
        entity=entity.name,
        columns=dict(mapping.columns) if mapping else {},
        constants=dict(mapping.constants) if mapping else {},
        key=mapping.key if mapping else (),
        sequence=_sequence(mapping, file_name),
        dates=source.dates if source else None,
        timezone=source.timezone if source else None,
    )
    parts = [str(READER_VERSION), entity.fingerprint, reading_hash(source, mapping)]
    return Plan(
        source=source.name if source else unmapped_source(entity, file_name),
        rank=source.rank if source else policy.default_rank,
        day=_day(source, file_name),
        snapshot=source.snapshot if source else "delta",
        reading=reading,
        reading_key=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16],
        limits_key=hashlib.sha256(policy.limits_of(file_name).model_dump_json().encode()).hexdigest()[:16],
        version=read_name(file_name).version,
    )


def _sequence(mapping: EntityMapping | None, file_name: str) -> int | str | None:
    """What orders rows of one day: what the source names; of a CRM's pages the CRM's own time of modification."""
    if mapping is not None and mapping.sequence is not None:
        return mapping.sequence
    return CRM_TIME if PurePosixPath(file_name).name.startswith(CRM_PAGE) else None


def check_policy(policy: SourcesPolicy) -> None:
    """Raises BadPolicy where a mapping names an entity or a column that does not exist."""
    faults: list[str] = []
    for place, source in enumerate(policy.sources):
        if source.mapping is not None and source.mapping not in ready_mappings():
            named = {"place": place, "source": source.name, "name": source.mapping}
            faults.append(said("sources_no_mapping", known=", ".join(ready_mappings()), **named))
        for number, mapping in enumerate(source.entities):
            where = f"sources.yaml: sources[{place}] ({source.name}).entities[{number}]"
            entity = entities().get(mapping.entity)
            if entity is None:
                known = ", ".join(entities())
                faults.append(said("sources_no_entity", where=where, name=mapping.entity, known=known))
                continue
            for key, names in (("columns", mapping.columns), ("constants", mapping.constants), ("key", mapping.key)):
                found = {"where": where, "key": key, "entity": entity.name, "known": ", ".join(entity.column_names)}
                faults += [
                    said("sources_no_column", name=name, **found) for name in names if name not in entity.column_names
                ]
    if faults:
        raise BadPolicy(together(faults))


def unmapped_source(entity: Entity, file_name: str) -> str:
    """The source of a file no rule takes: its folder below the entity's, else the inbox, or its own name.

    Dates, versions and numbers of copies are no part of it: a new or corrected edition is of the same source.
    """
    path = PurePosixPath(file_name)
    folders = [name for name in (read_name(folder).list_name for folder in path.parts[1:-1]) if name]
    if folders:
        return "/".join(folders)[:100]
    if entity.unmapped_source == "inbox":
        return INBOX_SOURCE
    return read_name(path.name).list_name or INBOX_SOURCE


def _day(source: Source | None, file_name: str) -> date | None:
    """The day the file speaks of, as its source says; of an unmapped file the one in its name, else its folder's.

    Raises Refused where the name should hold it and does not.
    """
    path = PurePosixPath(file_name)
    if source is not None:
        return _day_in_name(source.date, path.name) if isinstance(source.date, DateInName) else source.date
    days = (read_name(part).day for part in reversed(path.parts[1:]))
    return next((day for day in days if day), None)


def _day_in_name(pattern: DateInName, name: str) -> date:
    parts = re.split("(YYYY|MM|DD)", pattern.in_name)
    numbers = {"YYYY": r"(?P<year>\d{4})", "MM": r"(?P<month>\d{2})", "DD": r"(?P<day>\d{2})"}
    found = re.search("".join(numbers.get(part, re.escape(part)) for part in parts), name)
    try:
        values = {key: int(value) for key, value in found.groupdict().items()} if found else {}
        return date(**{"day": 1, **values})
    except (TypeError, ValueError) as error:
        raise Refused("no_date_in_name", pattern=pattern.in_name) from error


def job_for(policy: SourcesPolicy, file_name: str, paths: tuple[str, str], readings: tuple[Reading, ...]) -> Job:
    """The job of reading a file; `paths` are the file (under a generated name) and the folder for what comes out."""
    source = policy.source_of(file_name)
    path, out = paths
    return Job(
        path=path, file_name=file_name, out=out, readings=readings, limits=policy.limits_of(file_name).model_dump(),
        encoding=source.encoding if source else None,
        delimiter=source.delimiter if source else None,
        sheets=source.sheets if source else (),
        hidden_sheets=source is not None and source.hidden_sheets == "load",
        hidden_rows=source is None or source.hidden_rows == "load",
        header_row=source.header_row if source else None,
        fill_down=source.fill_down if source else (),
        given=given_by(file_name, _day(source, file_name)),
    )  # fmt: skip
