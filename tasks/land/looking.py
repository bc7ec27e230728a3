"""A first look at a file nobody has named an entity for: its sheets, and what its rows seem to be by their headers."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tasks.land.archives import suffix_of
from tasks.land.entities import bare_header, entities, plain_header
from tasks.land.faults import Refused
from tasks.land.headers import Reading, count_known, find_header, understand
from tasks.land.job import Job
from tasks.land.reading import open_file, options_of
from tasks.land.ready import ready_mappings
from tasks.land.recognising import known_headers, recognise
from tasks.land.sheets import ReadOptions, Sheet


@dataclass(frozen=True)
class Guess:
    """What a file may be. `weight` sums its recognised headers, each shared among the entities that know it."""

    entity: str
    weight: float
    headers: int
    is_whole: bool  # nothing is missing that the entity cannot do without


@dataclass(frozen=True)
class Look:
    """What a file is (format, encoding, dialect); `sheets` as (name, rows or None); `guesses`, the likeliest first.

    `mapping`: the ready mapping that knows the header, where one does.
    """

    sheets: list[tuple[str | None, int | None]]
    guesses: list[Guess]
    about: dict[str, Any] = field(default_factory=dict)
    mapping: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Look":
        """The inverse of `to_json`."""
        return cls(
            [(name, rows) for name, rows in values["sheets"]],
            [Guess(**each) for each in values["guesses"]],
            values["about"],
            values["mapping"],
        )


def look_at(job: Job) -> Look:
    """What the file of a job could be, whatever its readings. Raises Refused where it cannot be opened at all."""
    data = Path(job.path).read_bytes()
    if not data:
        raise Refused("empty_file")
    readings = tuple(Reading(name) for name in entities())
    options = options_of(replace(job, readings=readings))
    every = list(ready_mappings().values())
    options = replace(options, known=lambda cells: max(count_known(readings, cells), known_headers(every, cells)))
    opened = list(open_file(data, suffix_of(job.file_name), job, options))
    sheets = [
        ("/".join(part for part in (member, sheet.name) if part) or None, sheet)
        for member, one in opened
        for sheet in one.sheets
    ]
    best: dict[str, Guess] = {}
    for _, sheet in sheets:
        for reading in readings:
            guess = _guess(sheet, reading, options)
            before = best.get(reading.entity)
            if guess is not None and (before is None or _order(guess) < _order(before)):
                best[reading.entity] = guess
    likely = sorted((guess for guess in best.values() if guess.headers), key=_order)
    about = {key: getattr(opened[0][1], key) for key in ("format", "encoding", "confidence", "dialect")}
    known = [found for _, sheet in sheets if (found := recognise(sheet))]
    mapping = max(known, key=lambda each: each.merit).mapping.name if known else None
    return Look([(name, sheet.rows) for name, sheet in sheets], likely, about, mapping)


def _order(guess: Guess) -> tuple[bool, float, int, int]:
    return not guess.is_whole, -guess.weight, -guess.headers, list(entities()).index(guess.entity)


def _guess(sheet: Sheet, reading: Reading, options: ReadOptions) -> Guess | None:
    """How well one sheet fits one entity; None where none of its rows holds a header of it."""
    own = replace(options, known=lambda cells: count_known((reading,), cells))
    try:
        header = find_header(sheet, own, (reading,))
    except Refused:
        return None
    try:
        places = understand(header, reading).columns.values()
        names, is_whole = [header.names[place] for place in places], True
    except Refused:
        lookup = reading.of.lookup
        names = [
            name for name in header.names if name and (plain_header(name) in lookup or bare_header(name) in lookup)
        ]
        is_whole = False
    return Guess(reading.entity, round(sum(_weight(name or "") for name in set(names)), 4), len(set(names)), is_whole)


def _weight(header: str) -> float:
    knowing = _knowing()
    return 1 / max(1, knowing[plain_header(header)] or knowing[bare_header(header)])


@cache
def _knowing() -> Counter[str]:
    """How many entities know a header."""
    return Counter(header for entity in entities().values() for header in entity.lookup)
