"""Finding the header row, and understanding each header: mapped by the user, recognised, kept as extra, or at fault."""

import re
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from tasks.land.entities import Entity, bare_header, entities, plain_header
from tasks.land.faults import SHOWN_CHARACTERS, Refused
from tasks.land.sheets import Header, HeadRow, Note, ReadOptions, Sheet
from tasks.land.units import DateOrder, Unit, date_orders, units_of

Cells = tuple[str | None, ...]
SHOWN_HEADERS = 40
# A header recognised only without its brackets ("电话(办公)") stands behind every one that is written plainly.
BARE_PENALTY = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Reading:
    """How a file becomes rows of one entity: the part of config/sources.yaml that the reader needs.

    `timezone`: where its times without an offset were written, if not in the workspace's zone. `mapping`: the ready
    mapping that says what each record becomes.
    """

    entity: str
    columns: dict[str, int | str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    sequence: int | str | None = None
    dates: DateOrder | None = None
    timezone: str | None = None
    mapping: str | None = None

    @property
    def of(self) -> Entity:
        """The entity's definition."""
        return entities()[self.entity]

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that each row must have."""
        return tuple(dict.fromkeys((*self.of.required, *self.key)))

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)


@dataclass(frozen=True)
class Understood:
    """What each header means to one entity, by position from 0."""

    columns: dict[str, int]
    extra: dict[int, str]
    blank: tuple[int, ...]
    sequence: int | None
    notes: tuple[Note, ...] = ()
    units: dict[int, Unit] = field(default_factory=dict)


def count_known(readings: tuple[Reading, ...], cells: Cells) -> int:
    """How many cells are headers that one of the readings knows."""
    return max((len(_known(reading, cells)) for reading in readings), default=0)


def _known(reading: Reading, cells: Cells) -> set[str]:
    lookup = reading.of.lookup
    mapped = {plain_header(header) for header in reading.columns.values() if isinstance(header, str)}
    found: set[str] = set()
    for cell in cells:
        if cell is None:
            continue
        plain = plain_header(cell)
        if plain in mapped:
            found.add(f"mapped {plain}")
        elif plain in lookup or bare_header(cell) in lookup:
            found.add(lookup.get(plain, lookup.get(bare_header(cell), ("", 0)))[0])
    return found


def find_header(sheet: Sheet, options: ReadOptions, readings: tuple[Reading, ...]) -> Header:
    """The header of a sheet: the row given, else the row of the first ones in which most headers are known.

    Raises Refused where no row is known as a header, with a table of what is there and what is needed.
    """
    head = [row for row in sheet.head if any(row.cells)]
    if not head:
        raise Refused("no_rows")
    if sheet.is_typed:
        return _header(head[0], head[0].cells)
    if options.header_row is not None:
        wanted = [row for row in head if row.line <= options.header_row <= row.last_line]
        if not wanted:
            raise Refused("header_row_missing", row=options.header_row)
        return _several_columns(_header(wanted[0], wanted[0].cells))
    place = max(range(len(head)), key=lambda each: (options.known(head[each].cells), -each))
    if not options.known(head[place].cells):
        raise Refused("no_header", have=_listed(head[0].cells), need=_needs(readings))
    return _several_columns(_two_rows(head, place, options) or _header(head[place], head[place].cells))


def _header(row: HeadRow, cells: Cells) -> Header:
    control = next((cell for cell in cells if cell and _CONTROL.search(cell)), None)
    if control is not None:
        raise Refused("header_control", line=row.line, header=_CONTROL.sub("?", control)[:SHOWN_CHARACTERS])
    return Header(tuple(cell.strip() if cell is not None else None for cell in cells), row.line, row.last_line)


def _two_rows(head: list[HeadRow], place: int, options: ReadOptions) -> Header | None:
    """A header in two rows (groups above, names below), where both together are known better than either."""
    alone = options.known(head[place].cells)
    for upper, lower in ((place, place + 1), (place - 1, place)):
        if upper < 0 or lower >= len(head) or head[lower].line != head[upper].last_line + 1:
            continue
        above, below = head[upper].cells, head[lower].cells
        if len(above) != len(below) or not options.known(above) or not options.known(below):
            continue
        both = tuple(low if low is not None else high for high, low in zip(above, below, strict=True))
        if options.known(both) > alone:
            return Header(_header(head[lower], both).names, head[upper].line, head[lower].last_line)
    return None


def _several_columns(header: Header) -> Header:
    """The header; raises Refused for a single one that holds a delimiter: the file was read with the wrong one."""
    if len(header.names) == 1 and header.names[0]:
        found = [mark for mark in (",", "\t", ";", "|", "，") if mark in header.names[0]]
        if found:
            raise Refused("one_column", header=header.names[0], delimiter=found[0].replace("\t", "TAB"))
    return header


def understand(header: Header, reading: Reading, table_unit: str | None = None) -> Understood:
    """What each header means to the reading's entity. Raises Refused for doubled headers and for missing columns.

    `table_unit` is the unit of money that a row above the header gives for the whole table.
    """
    by_plain: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(header.names):
        if name is not None:
            by_plain[plain_header(name)].append(place)
    columns, notes = _mapped(header, reading, by_plain)
    _refuse_doubled(header, by_plain, set(columns.values()))
    columns.update(_recognised(header, reading, columns))
    sequence = _place_of(reading.sequence, header, by_plain) if reading.sequence is not None else None
    _refuse_missing(header, reading, columns)
    taken = set(columns.values())
    extra = {place: _label(header, place) for place, name in enumerate(header.names) if name and place not in taken}
    blank = tuple(place for place, name in enumerate(header.names) if not name and place not in taken)
    named = {column: header.names[place] or "" for column, place in columns.items()}
    units = units_of(reading.of, named, table_unit)
    shaped = units | date_orders(reading.of, named, reading.dates)
    notes += [Note("unit", {"header": named[column], "unit": _shown_unit(unit)}) for column, unit in units.items()]
    return Understood(
        columns,
        extra,
        blank,
        sequence,
        tuple(notes),
        {columns[column]: unit for column, unit in shaped.items()},
    )


def _shown_unit(unit: Unit) -> str:
    return unit if isinstance(unit, str) else f"× {unit:.4g}"


def _label(header: Header, place: int) -> str:
    """The name an unknown column is kept under; a doubled one gets its position."""
    name = str(header.names[place])
    return name if header.names.count(name) == 1 else f"{name} ({place + 1})"


def _mapped(header: Header, reading: Reading, by_plain: dict[str, list[int]]) -> tuple[dict[str, int], list[Note]]:
    columns: dict[str, int] = {}
    notes: list[Note] = []
    for column, wanted in reading.columns.items():
        place = _place_of(wanted, header, by_plain)
        if place is not None:
            columns[column] = place
        else:
            notes.append(Note("mapped_header_missing", {"header": str(wanted), "column": column}))
    return columns, notes


def _place_of(wanted: int | str, header: Header, by_plain: dict[str, list[int]]) -> int | None:
    """The position, from 0, of a header given by name or by position from 1; None where it is not there."""
    if isinstance(wanted, int):
        return wanted - 1 if wanted <= len(header.names) else None
    exact = [place for place, name in enumerate(header.names) if name == wanted.strip()]
    places = exact or by_plain.get(plain_header(wanted), [])
    if len(places) > 1:
        raise Refused("duplicate_headers", header=wanted, positions=_positions(places))
    return places[0] if places else None


def _refuse_doubled(header: Header, by_plain: dict[str, list[int]], mapped: set[int]) -> None:
    for places in by_plain.values():
        if len(places) > 1 and not mapped & set(places):
            raise Refused("duplicate_headers", header=header.names[places[0]], positions=_positions(places))


def _recognised(header: Header, reading: Reading, mapped: dict[str, int]) -> dict[str, int]:
    """Canonical columns told by their headers; where two headers mean one column the preferred one, else the first."""
    best: dict[str, tuple[int, int]] = {}
    lookup = reading.of.lookup
    for place, name in enumerate(header.names):
        if name is None or place in mapped.values():
            continue
        column, preference = lookup.get(plain_header(name), (None, 0))
        if column is None:
            column, preference = lookup.get(bare_header(name), (None, 0))
            preference += BARE_PENALTY
        if column is None or column in mapped or column in reading.constants:
            continue
        best[column] = min(best.get(column, (preference, place)), (preference, place))
    return {column: place for column, (_, place) in best.items()}


def _refuse_missing(header: Header, reading: Reading, columns: dict[str, int]) -> None:
    there = {*columns, *reading.constants}
    missing = [column for column in reading.required if column not in there]
    groups = [group for group in reading.of.one_of if not there & set(group)]
    if missing or groups:
        need = [_names_of(reading.of, (column,)) for column in missing]
        need += [_names_of(reading.of, group) for group in groups]
        raise Refused("missing_columns", entity=reading.entity, need="; ".join(need), have=_listed(header.names))


def _needs(readings: tuple[Reading, ...]) -> str:
    needs: list[str] = []
    for reading in readings:
        needs += [_names_of(reading.of, (column,)) for column in reading.required]
        needs += [_names_of(reading.of, group) for group in reading.of.one_of]
    return "; ".join(needs)


def _names_of(entity: Entity, columns: tuple[str, ...]) -> str:
    """`name (企业名称, 公司名称, …) or uscc (…)`."""
    by_name = {column.name: column for column in entity.columns}
    return " | ".join(
        f"{name} ({', '.join(header for header in by_name[name].headers[1:4])})"
        if len(by_name[name].headers) > 1
        else name
        for name in columns
    )


def _listed(cells: Cells) -> str:
    shown = [cell if cell is not None else "(blank)" for cell in cells[:SHOWN_HEADERS]]
    return ", ".join(shown) + (", …" if len(cells) > SHOWN_HEADERS else "")


def _positions(places: list[int]) -> str:
    return ", ".join(str(place + 1) for place in places)
