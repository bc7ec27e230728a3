"""The SQL of a ready mapping: conditions, words, durations and keys over the columns of one table."""

from collections.abc import Mapping
from dataclasses import dataclass

from abmloop.refusals import reads_as
from tasks.land.ready import Cell, ReadyMapping, Test, When
from tasks.land.recognising import Place
from tasks.land.units import unit_of_header

_PLACEHOLDERS = "('', '-', '--', '—', '——', '/', 'n/a', '无', 'null', '空')"
_SECONDS = 1 / 60
# Durations as people write them: 1:02:03, 02:03, 1小时2分3秒, 2 m 3 s, else a number in the column's unit.
_DURATION = r"""
case when regexp_full_match({value}, '\s*\d{{1,4}}:\d{{1,2}}:\d{{1,2}}(\.\d+)?\s*')
     then cast(split_part({value}, ':', 1) as double) * 60 + cast(split_part({value}, ':', 2) as double)
          + cast(split_part({value}, ':', 3) as double) / 60
     when regexp_full_match({value}, '\s*\d{{1,4}}:\d{{1,2}}\s*')
     then cast(split_part({value}, ':', 1) as double) + cast(split_part({value}, ':', 2) as double) / 60
     when regexp_matches(lower({value}), '\d\s*(小时|时|分|秒|h|m|s)')
     then coalesce(try_cast(regexp_extract(lower({value}), '(\d+(\.\d+)?)\s*(小时|时|h)', 1) as double), 0) * 60
          + coalesce(try_cast(regexp_extract(lower({value}), '(\d+(\.\d+)?)\s*(分|m)', 1) as double), 0)
          + coalesce(try_cast(regexp_extract(lower({value}), '(\d+(\.\d+)?)\s*(秒|s)', 1) as double), 0) / 60
     else try_cast(replace({value}, ',', '') as double) * {factor} end
"""


@dataclass(frozen=True)
class Table:
    """One table under a mapping: where its fields stand, the headers there, what the file's name gives."""

    mapping: ReadyMapping
    places: Mapping[str, tuple[Place, ...]]
    headers: tuple[str | None, ...]
    given: Mapping[str, str]

    def value(self, name: str) -> str:
        """SQL of a field: the first filled of its places; null where the table has none."""
        if name in self.given:
            return f"{literal(self.given[name])}::varchar"
        found = [self._at(place) for place in self.places.get(name, ())]
        return "null::varchar" if not found else found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def _at(self, place: Place) -> str:
        if place.column is None:
            return literal(place.text)
        if place.key:
            return f"j{place.column}[{self._keys(place.column).index(place.key) + 1}]"
        return f"c{place.column}"

    def _keys(self, column: int) -> list[str]:
        found = {at.key for places in self.places.values() for at in places if at.column == column and at.key}
        return sorted(found)

    @property
    def received(self) -> str:
        """SQL of the table with what its JSON columns hold, each read once a row."""
        if not self.json_columns:
            return "received"
        parts = []
        for column in self.json_columns:
            paths = ", ".join(literal(f'$."{key}"') for key in self._keys(column))
            read = f"json_extract_string(c{column}, [{paths}])"
            parts.append(f"case when json_valid(c{column}) then {read} end as j{column}")
        return f"(select *, {', '.join(parts)} from received)"

    @property
    def json_columns(self) -> list[int]:
        """The columns that hold JSON."""
        places = (at for found in self.places.values() for at in found)
        return sorted({at.column for at in places if at.key and at.column is not None})

    def direct(self, cell: Cell) -> int | None:
        """The one column that fills a cell as it is, so that nothing need be computed; None where something must."""
        if cell.how != "as_is" or len(cell.fields) != 1 or cell.fields[0] in self.given:
            return None
        places = self.places.get(cell.fields[0], ())
        return places[0].column if len(places) == 1 and not places[0].key else None

    def is_there(self, cell: Cell) -> bool:
        """Whether the table has anything to fill a cell with."""
        return any(name in self.given or name in self.places for name in cell.fields)

    def fill(self, cell: Cell) -> str:
        """SQL of what fills a column."""
        filled = [f"case when {self._is_filled(name)} then {self.value(name)} end" for name in cell.fields]
        value = filled[0] if len(filled) == 1 else f"coalesce({', '.join(filled)})"
        if cell.how == "words":
            cases = " ".join(f"when {_is_in(value, words)} then {literal(meaning)}" for meaning, words in cell.words)
            return f"case {cases} else {value} end"
        if cell.how in ("minutes", "seconds"):
            duration = _DURATION.format(value=value, factor=self._factor(cell))
            return f"coalesce(round({duration}, 2)::varchar, {value})"
        return value

    def _factor(self, cell: Cell) -> float:
        """Minutes per unit: as the header says, else as the mapping does."""
        for name in cell.fields:
            for place in self.places.get(name, ()):
                header = self.headers[place.column] if place.column is not None else None
                unit = unit_of_header(header or "", "number", "minutes")
                if isinstance(unit, float):
                    return unit
                if header and ("分钟" in header or "minute" in header.lower()):
                    return 1.0
        return _SECONDS if cell.how == "seconds" else 1.0

    def holds(self, when: When) -> str:
        """SQL of a condition."""
        groups = [" and ".join(self._test(test) for test in group) or "true" for group in when]
        return " or ".join(f"({group})" for group in groups) or "true"

    def _is_filled(self, name: str) -> str:
        return f"coalesce(lower(trim({self.value(name)})) not in {_PLACEHOLDERS}, false)"

    def _test(self, test: Test) -> str:
        value, number = self.value(test.field), self._number(test.field)
        if test.kind in ("is", "not"):
            return f"{'not ' if test.kind == 'not' else ''}{_is_in(value, test.words)}"
        if test.kind in ("reads", "reads_not"):
            return f"{'not ' if test.kind == 'reads_not' else ''}{reads_as(value, test.words[0])}"
        if test.kind in ("filled", "empty"):
            return f"{'' if (test.kind == 'filled') == test.flag else 'not '}{self._is_filled(test.field)}"
        if test.kind == "not_zero":
            return f"{'' if test.flag else 'not '}coalesce(regexp_matches({value}, '[1-9]'), false)"
        if test.kind == "more_than":
            return f"coalesce({number} > coalesce({self._number(test.other)}, 0), false)"
        return f"coalesce({number} {'>=' if test.kind == 'at_least' else '<='} {test.number}, false)"

    def _number(self, name: str) -> str:
        return rf"try_cast(regexp_extract(replace({self.value(name)}, ',', ''), '-?\d+(\.\d+)?') as double)"

    def names_nobody(self) -> str:
        """SQL: none of the fields that tell who it is, is filled."""
        known = [self._is_filled(name) for name in self.mapping.person if name in self.places]
        return f"not ({' or '.join(known)})" if self.mapping.person and known else "false"

    def key(self, row: str, alternatives: tuple[tuple[str, ...], ...]) -> str:
        """SQL of the name of a row: the same record tells it again in every export."""
        named = [(f"when {self._is_filled(key[0])} then ", self._hashed(row, key)) for key in alternatives[:-1]]
        last = self._hashed(row, alternatives[-1])
        return f"case {' '.join(when + then for when, then in named)} else {last} end" if named else last

    def _hashed(self, row: str, fields: tuple[str, ...]) -> str:
        values = ", ".join(f"coalesce(lower(trim({self.value(name)})), '')" for name in fields)
        parts = f"{literal(self.mapping.source)}, {literal(row)}, {values}"
        return f"left(sha256(concat_ws(chr(31), {parts})), 32)"


def literal(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def _is_in(value: str, words: tuple[str, ...]) -> str:
    return f"coalesce(lower(trim({value})) in ({', '.join(map(literal, words))}), false)"
