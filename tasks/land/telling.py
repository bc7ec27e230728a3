"""An inspected file in plain words."""

from collections.abc import Iterator

from abmloop.messages import say
from tasks.land.inspecting import EntityReport, FileReport


def inspection_lines(found: FileReport, language: str) -> Iterator[str]:
    """What the file is, how each header was understood, what would be refused and why, line by line."""
    yield say("inspect.what", language, file=found.file_name, format=found.format or "?")
    if found.encoding:
        confidence = f"{found.confidence or 0:.0%}"
        yield say("inspect.encoding", language, encoding=found.encoding, confidence=confidence)
    if found.refused:
        yield say("inspect.refused", language, message=found.refused)
    for entity in found.entities:
        yield from _entity_lines(entity, language)
    for note in found.notes:
        yield say("inspect.note", language, note=note)


def _entity_lines(entity: EntityReport, language: str) -> Iterator[str]:
    yield say(
        "inspect.entity",
        language,
        entity=entity.entity,
        source=entity.source,
        rows_in=f"{entity.rows_in:,}",
        rows_loaded=f"{entity.rows_loaded:,}",
        rows_quarantined=f"{entity.rows_quarantined:,}",
        skipped=f"{sum(entity.skipped.values()):,}",
    )
    for column, header in entity.columns.items():
        yield say("inspect.column", language, header=header, column=column)
    if entity.extra:
        yield say("inspect.extra", language, headers=", ".join(entity.extra))
    for line, _, message, hint in sorted(entity.faults):
        at_line = say("inspect.at_line", language, line=line)
        # Some messages name their line themselves, with either colon.
        said = message.replace("：", ": ", 1).removeprefix(at_line)
        yield say("inspect.fault", language, at_line=at_line, message=said, hint=hint)
