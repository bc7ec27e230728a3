"""The ready mappings: exports of common tools, known by their headers, and the rows that each of theirs becomes."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from abmloop.errors import BadPolicy
from abmloop.refusals import READINGS, patterns
from abmloop.yaml_text import load_yaml
from tasks.land.entities import entities, plain_header

FOLDER = Path(__file__).with_name("ready_mappings")
WORDS = "words.yaml"
# Raise it whenever the same mapping would give other rows of the same bytes.
MAPPER_VERSION = 1
# What a column may be filled with besides the fields of the file: the folder below the inbox's, the day and the list
# that the file's name tells.
GIVEN = ("$folder", "$file_day", "$list")
_TESTS = frozenset({"is", "not", "filled", "empty", "at_least", "at_most", "not_zero", "more_than"})
_HOW = frozenset({"as_is", "words", "minutes", "seconds"})


@dataclass(frozen=True)
class Field:
    """One thing a tool tells: the headers it may stand under, and the labels above the table it may stand at."""

    name: str
    headers: tuple[str, ...]
    above: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """What fills a column: the first filled of `fields`, as it is, by `words`, or as a duration given in a unit."""

    fields: tuple[str, ...]
    how: str = "as_is"
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Test:
    """One condition on a field. `words` for is and not, `number` for at_least and at_most, `flag` for the others.

    For reads and reads_not `words` are a reading of abmloop/refusals.yaml and its pattern.
    """

    field: str
    kind: str
    words: tuple[str, ...] = ()
    number: float = 0
    flag: bool = True
    other: str = ""


# One of the inner tuples must hold, each with all its tests; none at all always holds.
When = tuple[tuple[Test, ...], ...]


@dataclass(frozen=True)
class RowRule:
    """A row of `entity` that a record becomes `when` it fits.

    `key` names it, by the first alternative whose first field is filled; rows of one key are one with `add_up`.
    """

    name: str
    entity: str
    columns: dict[str, Cell]
    constants: dict[str, str] = field(default_factory=dict)
    when: When = ()
    key: tuple[tuple[str, ...], ...] = ()
    add_up: str | None = None


@dataclass(frozen=True)
class ReadyMapping:
    """One kind of export. `needs`: groups of fields of which each must have one in the header; `person`: a record with
    none of these is skipped as anonymous; `skip`: rules by which records are left out; `unclear`: what becomes of a
    record that no row takes; `ends_at`: titles of a further table below, which is another one's; `never_with`: headers
    that tell of something else."""

    name: str
    title: dict[str, str]
    why: str
    source: str
    needs: tuple[tuple[str, ...], ...]
    fields: dict[str, Field]
    rows: tuple[RowRule, ...]
    person: tuple[str, ...] = ()
    skip: tuple[tuple[str, When], ...] = ()
    inside: tuple[str, ...] = ()
    dates: str | None = None
    timezone: str | None = None
    others: str = "keep"
    unclear: str = "skip"
    ends_at: tuple[str, ...] = ()
    never_with: tuple[str, ...] = ()

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities it gives rows of, in its order."""
        return tuple(dict.fromkeys(row.entity for row in self.rows))

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides what a file becomes."""
        shape = json.dumps([MAPPER_VERSION, asdict(self)], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(shape.encode()).hexdigest()[:16]


@cache
def ready_mappings() -> dict[str, ReadyMapping]:
    """All ready mappings by name. Raises BadPolicy where one contradicts itself or the registry of entities."""
    vocabulary = {name: _plain_words(words) for name, words in _load(FOLDER / WORDS).items()}
    found: dict[str, ReadyMapping] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name != WORDS:
            for name, about in _load(path).items():
                found[name] = _Parser(name, about, vocabulary).mapping()
    return found


@cache
def all_fingerprints() -> str:
    """Hash of all mappings together: a file that none of them knew is looked at again when it changes."""
    together = "\n".join(mapping.fingerprint for mapping in ready_mappings().values())
    return hashlib.sha256(together.encode()).hexdigest()[:16]


def _load(path: Path) -> dict[str, Any]:
    declared = dict(load_yaml(path.read_text(encoding="utf-8")))
    declared.pop("version")
    return declared


def _plain_words(words: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(word).strip().lower() for word in words))


class _Parser:
    """One mapping's declaration, typed; all its faults are told together."""

    def __init__(self, name: str, about: dict[str, Any], vocabulary: dict[str, tuple[str, ...]]) -> None:
        self.name, self.about, self.vocabulary = name, about, vocabulary
        self.faults: list[str] = []

    def mapping(self) -> ReadyMapping:
        """The mapping. Raises BadPolicy with all that is wrong with it."""
        about = self.about
        mapping = ReadyMapping(
            name=self.name, title=about["title"], why=about["why"], source=about["source"],
            needs=tuple(tuple(group) for group in about["needs"]),
            fields={name: _field(name, headers) for name, headers in about["fields"].items()},
            rows=tuple(self._row(row) for row in about["rows"]),
            person=tuple(about.get("person", ())),
            skip=tuple((each["rule"], self._when(each["when"])) for each in about.get("skip", ())),
            inside=tuple(about.get("inside", ())), dates=about.get("dates"), timezone=about.get("timezone"),
            others=about.get("others", "keep"), unclear=about.get("unclear", "skip"),
            ends_at=tuple(plain_header(title) for title in about.get("ends_at", ())),
            never_with=tuple(plain_header(title) for title in about.get("never_with", ())),
        )  # fmt: skip
        self._check(mapping)
        if self.faults:
            raise BadPolicy("\n".join(f"ready mapping {self.name}: {fault}" for fault in self.faults))
        return mapping

    def _row(self, about: dict[str, Any]) -> RowRule:
        return RowRule(
            name=about["name"],
            entity=about["entity"],
            columns={column: self._cell(spec) for column, spec in about["columns"].items()},
            constants=dict(about.get("constants", {})),
            when=self._when(about.get("when", [])),
            key=_alternatives(about.get("key", ())),
            add_up=about.get("add_up"),
        )

    def _cell(self, spec: Any) -> Cell:
        if isinstance(spec, str | list):
            return Cell(_listed(spec))
        if "words" in spec:
            words = tuple((meaning, self._words(given)) for meaning, given in spec["words"].items())
            return Cell(_listed(spec["of"]), "words", words)
        [(how, fields)] = spec.items()
        if how not in _HOW:
            self.faults.append(f"a column is filled {how!r}; there are {', '.join(sorted(_HOW))}")
        return Cell(_listed(fields), how)

    def _when(self, given: Any) -> When:
        either = given if isinstance(given, list) else [given]
        return tuple(
            tuple(test for name, tests in all_of.items() for test in self._tests(name, tests)) for all_of in either
        )

    def _tests(self, name: str, given: Any) -> list[Test]:
        if isinstance(given, str | list):
            return [self._said(name, "is", given)]
        found: list[Test] = []
        for kind, value in given.items():
            if kind not in _TESTS:
                self.faults.append(f"{name} is tested by {kind!r}; there are {', '.join(sorted(_TESTS))}")
            elif kind in ("is", "not"):
                found.append(self._said(name, kind, value))
            elif kind == "more_than":
                found.append(Test(name, kind, other=value))
            elif isinstance(value, bool):
                found.append(Test(name, kind, flag=value))
            else:
                found.append(Test(name, kind, number=float(value)))
        return found

    def _said(self, name: str, kind: str, given: Any) -> Test:
        """A test of what a field says: by words, or by a reading's name."""
        if isinstance(given, str) and given in READINGS:
            return Test(name, "reads" if kind == "is" else "reads_not", (given, patterns()[given]))
        return Test(name, kind, self._words(given))

    def _words(self, given: Any) -> tuple[str, ...]:
        """The words of a vocabulary by its name, or those listed."""
        if isinstance(given, str):
            if given not in self.vocabulary:
                self.faults.append(f"no vocabulary {given!r} in {WORDS}")
            return self.vocabulary.get(given, ())
        return _plain_words(given)

    def _check(self, mapping: ReadyMapping) -> None:
        known = {*mapping.fields, *GIVEN}
        tests = [test for row in mapping.rows for group in row.when for test in group]
        tests += [test for _, when in mapping.skip for group in when for test in group]
        used = {name for group in mapping.needs for name in group} | set(mapping.person)
        used |= {name for test in tests for name in (test.field, test.other) if name}
        for row in mapping.rows:
            used |= {name for cell in row.columns.values() for name in cell.fields}
            used |= {name for key in row.key for name in key}
            entity = entities().get(row.entity)
            if entity is None:
                self.faults.append(f"{row.name}: no entity {row.entity!r}")
                continue
            columns = {*row.columns, *row.constants, *([row.add_up] if row.add_up else [])}
            self.faults += [
                f"{row.name}: {row.entity} has no column {column!r}"
                for column in sorted(columns - set(entity.column_names))
            ]
        self.faults += [f"no field {name!r}" for name in sorted(used - known)]
        owner: dict[str, str] = {}
        for name, header in ((each.name, header) for each in mapping.fields.values() for header in each.headers):
            other = owner.setdefault(plain_header(header), name)
            self.faults += [f"header {header!r} means both {other} and {name}"] if other != name else []
        names = [row.name for row in mapping.rows]
        self.faults += [f"two rows are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]


def _field(name: str, headers: list[Any]) -> Field:
    """A field from its list of headers; an item `{above: […]}` are labels above the table."""
    above: tuple[str, ...] = ()
    if isinstance(headers, dict):
        return Field(name, (), tuple(headers["above"]))
    plain: list[str] = []
    for header in headers:
        if isinstance(header, dict):
            above = tuple(header["above"])
        else:
            plain.append(str(header))
    return Field(name, tuple(plain), above)


def _alternatives(key: Any) -> tuple[tuple[str, ...], ...]:
    """The alternatives of a key; a plain list of fields is the only one."""
    if all(isinstance(each, str) for each in key):
        return (tuple(key),) if key else ()
    return tuple(tuple(each) for each in key)


def _listed(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
