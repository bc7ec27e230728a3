"""Which ready mapping a table's header is of, and where in the table each field of the mapping stands."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.land.entities import bare_header, plain_header
from tasks.land.headers import Cells
from tasks.land.ready import Field, ReadyMapping, ready_mappings
from tasks.land.sheets import HeadRow, Sheet

# What forms write around the question: "3、您的手机号码", "Q2. Please enter your email".
_NUMBER = re.compile(r"^\s*(?:第\s?\d{1,3}\s?题|[Qq]?\d{1,3}|[(（]\d{1,3}[)）])\s*[、.．:：)）_-]\s*")
_ASKING = re.compile(
    r"^(?:请问|请填写|请输入|请留下|请提供|填写|输入)?(?:您|你)?(?:的|所在的|所在)?\s*"
    r"|^(?:please (?:enter|provide|give) )?(?:your )?\s*",
    re.IGNORECASE,
)
# A title row with more filled cells than this is a header of values below, not a label with its value beside.
_BESIDE_CELLS = 3


@dataclass(frozen=True)
class Place:
    """Where a field stands: a column, from 0; with `key`, in the JSON of that column; without column, a text."""

    column: int | None
    key: str = ""
    text: str = ""


@dataclass(frozen=True)
class Recognised:
    """A header row that is of a mapping: `row` among the sheet's first rows, and where each field found stands."""

    mapping: ReadyMapping
    row: int
    places: dict[str, tuple[Place, ...]]

    @property
    def merit(self) -> int:
        """How many columns of the header mean something."""
        return len({at.column for places in self.places.values() for at in places if not (at.text or at.key)})


def recognise(sheet: Sheet, mappings: Sequence[ReadyMapping] | None = None) -> Recognised | None:
    """The mapping whose fields most of one of the first rows are, with all that it needs; None where there is none."""
    found: list[Recognised] = []
    for mapping in ready_mappings().values() if mappings is None else mappings:
        for number, row in enumerate(sheet.head):
            if any(row.cells):
                places = _places(mapping, row.cells)
                is_other = any(cell and plain_header(cell) in mapping.never_with for cell in row.cells)
                if not is_other and _has_all(mapping, places):
                    found.append(Recognised(mapping, number, places))
                if sheet.is_typed:
                    break
    if not found:
        return None
    best = max(found, key=lambda each: (each.merit, -each.row))
    above = {} if sheet.is_typed else _above(best.mapping, sheet.head[: best.row])
    return Recognised(best.mapping, best.row, {**above, **best.places})


def _has_all(mapping: ReadyMapping, places: Mapping[str, tuple[Place, ...]]) -> bool:
    """Whether each group of needed fields has one in the header itself; what stands in JSON is not seen from here."""
    direct = {name for name, found in places.items() if any(not place.key for place in found)}
    return all(direct & set(group) for group in mapping.needs)


def known_headers(mappings: Sequence[ReadyMapping], cells: Cells) -> int:
    """How many cells are headers of the mapping that knows most of them."""
    counted = [len({p.column for places in _places(each, cells).values() for p in places}) for each in mappings]
    return max(counted, default=0)


def question(header: str) -> str:
    """A header for comparing, without the number and the politeness that forms write around it."""
    text = _NUMBER.sub("", unicodedata.normalize("NFKC", header))
    return bare_header(_ASKING.sub("", text, count=1).rstrip("?？*：: "))


def _places(mapping: ReadyMapping, cells: Cells) -> dict[str, tuple[Place, ...]]:
    """Where each field of the mapping stands in a header; fields that are not there are left out."""
    by_name: dict[str, int] = {}
    for spell in (plain_header, bare_header, question):
        for number, cell in enumerate(cells):
            if cell is not None and len(cell) <= 200:
                by_name.setdefault(spell(cell), number)
    by_name.pop("", None)
    inside = [by_name[plain_header(name)] for name in mapping.inside if plain_header(name) in by_name]
    found: dict[str, tuple[Place, ...]] = {}
    for name, field in mapping.fields.items():
        columns = dict.fromkeys(by_name[plain] for plain in map(plain_header, field.headers) if plain in by_name)
        places = [Place(column) for column in columns if column not in inside]
        places += [Place(column, header) for column in inside for header in field.headers]
        if places:
            found[name] = tuple(places)
    return found


def _above(mapping: ReadyMapping, rows: Sequence[HeadRow]) -> dict[str, tuple[Place, ...]]:
    """What stands above the table: beside its label, behind it in the same cell, or under it."""
    labelled = [field for field in mapping.fields.values() if field.above]
    found: dict[str, tuple[Place, ...]] = {}
    for field in labelled:
        text = next((text for number in range(len(rows)) if (text := _labelled(field, rows, number))), None)
        if text:
            found[field.name] = (Place(None, text=text),)
    return found


def _labelled(field: Field, rows: Sequence[HeadRow], number: int) -> str | None:
    labels = {plain_header(label) for label in field.above}
    cells = rows[number].cells
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        label, colon, rest = unicodedata.normalize("NFKC", cell).partition(":")
        if plain_header(label) not in labels:
            continue
        if colon and rest.strip():
            return rest.strip()
        beside = next((each for each in cells[place + 1 :] if each), None)
        if beside and sum(1 for each in cells if each) < _BESIDE_CELLS:
            return beside.strip()
        below = rows[number + 1].cells if number + 1 < len(rows) else ()
        return below[place].strip() if place < len(below) and below[place] else None  # type: ignore[union-attr]
    return None
