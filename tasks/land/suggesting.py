"""What an unknown header may mean: the nearest headers of its entity, and the lines of config/sources.yaml to paste."""

import json

from rapidfuzz import fuzz, process

from tasks.land.entities import Entity, bare_header, entities, plain_header

LEAST_SCORE = 55
SHOWN = 3

# (canonical column, the header it resembles, 0..100)
Suggestion = tuple[str, str, int]


def suggest(header: str, entity: Entity, taken: frozenset[str]) -> list[Suggestion]:
    """The columns whose headers read most like this one, best first; columns that have one are left out."""
    spelled = {
        plain_header(name): (column.name, name)
        for column in entity.columns
        if column.name not in taken
        for name in column.headers
    }
    asked = bare_header(header) or plain_header(header)
    found = process.extract(asked, list(spelled), scorer=fuzz.ratio, limit=20, score_cutoff=LEAST_SCORE)
    best: dict[str, Suggestion] = {}
    for plain, score, _ in sorted(found, key=lambda each: (-each[1], each[0])):
        column, name = spelled[plain]
        best.setdefault(column, (column, name, round(score)))
    return list(best.values())[:SHOWN]


def known_elsewhere(header: str, entity: Entity) -> list[str]:
    """Other entities that know the header."""
    asked = {plain_header(header), bare_header(header)}
    return [other.name for other in entities().values() if other.name != entity.name and asked & set(other.lookup)]


def snippet(entity: str, source: str, pattern: str, columns: dict[str, str]) -> list[str]:
    """Lines for config/sources.yaml that map those headers."""
    mapped = ", ".join(f"{column}: {_quoted(header)}" for column, header in columns.items())
    return [
        "sources:",
        f"  - name: {source}",
        f"    files: [{_quoted(pattern)}]",
        "    entities:",
        f"      - entity: {entity}",
        f"        columns: {{{mapped}}}",
    ]


def _quoted(text: str) -> str:
    """A YAML string that needs no thought."""
    return json.dumps(text, ensure_ascii=False)
