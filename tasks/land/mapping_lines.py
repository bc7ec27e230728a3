"""The ready mappings in plain words: what each is of, which headers it knows, which rows it makes."""

from collections.abc import Iterator

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from tasks.land.ready import ReadyMapping, ready_mappings


def mapping_lines(name: str | None, language: str) -> Iterator[str]:
    """All mappings, a line each; with a name that one's headers and rows. Raises BadUsage for one nobody knows."""
    known = ready_mappings()
    if name is None:
        width = max(map(len, known))
        yield from (f"{mapping.name:<{width}}  {mapping.title[language]}" for mapping in known.values())
        yield say("mappings.next", language)
        return
    if name not in known:
        raise BadUsage(said("usage_mappings_none", name=name, known=", ".join(known)))
    yield from _one(known[name], language)


def _one(mapping: ReadyMapping, language: str) -> Iterator[str]:
    yield f"{mapping.name}: {mapping.title[language]}"
    yield say("mappings.needs", language, needs="; ".join(" | ".join(group) for group in mapping.needs))
    for field in mapping.fields.values():
        yield f"  {field.name}: {', '.join((*field.headers, *field.above))}"
    yield say("mappings.rows", language)
    for row in mapping.rows:
        fixed = ", ".join(f"{column} = {value}" for column, value in row.constants.items())
        filled = ", ".join(f"{column} ← {' | '.join(cell.fields)}" for column, cell in row.columns.items())
        yield f"  {row.entity}: {', '.join(part for part in (fixed, filled) if part)}"
