"""An inspected file in plain words."""

import unicodedata
from collections.abc import Iterator

from abmloop.messages import say
from tasks.land.inspecting import EntityReport, FileReport, HeaderReport
from tasks.land.ready import ready_mappings

SHOWN_VALUES = 20
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", "，": "wide_comma"}


def inspection_lines(found: FileReport, language: str) -> Iterator[str]:
    """What the file is, how each header was understood, what would be refused and why, line by line."""
    name = found.file_name.rpartition("/")[2]
    if found.format:
        kind = say(f"inspect.format_{found.format.partition('.')[0]}", language)
        packed = "".join(f" ({part})" for part in found.format.split(".")[1:])
        yield say("inspect.what", language, file=name, format=kind + packed)
    else:
        yield name
    if len(found.sheets) > 1:
        count = say("inspect.sheet", language)
        sheets = ", ".join(
            count.format(sheet=name or "?", rows="?" if rows is None else rows) for name, rows in found.sheets
        )
        yield say("inspect.sheets", language, sheets=sheets)
    if found.encoding:
        confidence = f"{found.confidence or 0:.0%}"
        yield say("inspect.encoding", language, encoding=found.encoding, confidence=confidence)
    if found.dialect.get("delimiter"):
        name = say(f"inspect.delimiter_{_DELIMITERS.get(found.dialect['delimiter'], 'other')}", language)
        yield say("inspect.delimiter", language, delimiter=name)
    if found.mapping:
        title = ready_mappings()[found.mapping].title[language]
        yield say("inspect.mapping", language, title=title, name=found.mapping)
    if found.guesses:
        yield from _guess_lines(found, language)
    if found.refused:
        yield say("inspect.refused", language, message=found.refused)
    for entity in found.entities:
        yield from _entity_lines(entity, found.dialect.get("header_row"), language)
    for note in found.notes:
        yield say("inspect.note", language, note=note)


def _guess_lines(found: FileReport, language: str) -> Iterator[str]:
    first, others = found.guesses[0], [guess for guess in found.guesses[1:] if guess.is_whole][:2]
    yield say("inspect.guess", language, entity=first.entity, count=first.headers)
    if others:
        named = ", ".join(f"{guess.entity} ({guess.headers})" for guess in others)
        yield say("inspect.runner_up", language, entities=named)


def _entity_lines(entity: EntityReport, header_row: int | None, language: str) -> Iterator[str]:
    counts = {
        name: f"{number:,}"
        for name, number in (
            ("rows_in", entity.rows_in), ("rows_loaded", entity.rows_loaded),
            ("rows_quarantined", entity.rows_quarantined), ("skipped", sum(entity.skipped.values())),
        )
    }  # fmt: skip
    if header_row:
        yield say("inspect.header_row", language, row=header_row, known=len(entity.columns))
    yield say("inspect.entity", language, entity=entity.entity, source=entity.source, **counts)
    if entity.skipped:
        parts = [f"{say(f'inspect.skipped_{rule}', language)} {number:,}" for rule, number in entity.skipped.items()]
        yield say("inspect.skipped", language, parts=", ".join(parts))
    known = [header for header in entity.headers if header.column]
    yield say("inspect.columns", language, count=len(known))
    width = max((_width(header.header) for header in known), default=0)
    yield from (_known_line(header, width, language) for header in known)
    yield from _unknown_lines(entity, language)
    yield from _refused_lines(entity, language)
    yield from _value_lines(entity, language)


def _known_line(header: HeaderReport, width: int, language: str) -> str:
    how = say(f"inspect.how_{header.how}", language)
    padded = header.header + " " * (width - _width(header.header))
    line = say("inspect.column", language, header=padded, column=header.column, how=how)
    return line + _samples(header, language)


def _samples(header: HeaderReport, language: str) -> str:
    if not header.samples:
        return say("inspect.no_samples", language)
    return say("inspect.samples", language, samples=" | ".join(_short(value) for value in header.samples))


def _unknown_lines(entity: EntityReport, language: str) -> Iterator[str]:
    unknown = [header for header in entity.headers if not header.column]
    if not unknown:
        return
    yield say("inspect.extra", language, count=len(unknown))
    for header in unknown:
        yield f"    {header.header}{_samples(header, language)}"
        if header.suggestions:
            named = ", ".join(f"{column} ({like}, {score}%)" for column, like, score in header.suggestions)
            yield say("inspect.suggestion", language, suggestions=named)
        if header.elsewhere:
            yield say("inspect.elsewhere", language, entities=", ".join(header.elsewhere))
    if entity.snippet:
        yield say("inspect.paste", language)
        yield from (f"      {line}" for line in entity.snippet)


def _refused_lines(entity: EntityReport, language: str) -> Iterator[str]:
    if entity.faults:
        yield say("inspect.refused_rows", language, count=f"{entity.rows_quarantined:,}")
    for line, _, message, hint in sorted(entity.faults):
        at_line = say("inspect.at_line", language, line=line)
        # Some messages name their line themselves, with either colon.
        said = message.replace("：", ": ", 1).removeprefix(at_line)
        yield say("inspect.fault", language, at_line=at_line, message=said, hint=hint)
    if entity.rows_quarantined > len(entity.faults):
        yield say("inspect.more", language, count=f"{entity.rows_quarantined - len(entity.faults):,}")


def _value_lines(entity: EntityReport, language: str) -> Iterator[str]:
    if entity.values:
        yield say("inspect.values", language)
    for value in entity.values[:SHOWN_VALUES]:
        action = say(f"inspect.action_{value.action}", language)
        yield say(
            "inspect.value", language, column=value.column, rows=f"{value.rows:,}", action=action,
            message=value.message, example=_short(value.example), line=value.line,
        )  # fmt: skip


def _short(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain if len(plain) <= 24 else plain[:23] + "…"


def _width(text: str) -> int:
    """Cells of a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
