"""The parts of a workbook, read without building a tree of its cells: sheets, extents, merges, what is hidden."""

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tasks.land.archives import BROKEN, CHUNK, read_member
from tasks.land.faults import Refused

# Prefixes differ between writers (`<c`, `<x:c`). The patterns are bounded, and run over whole rows.
_CELL_COLUMN = re.compile(rb"<(?:\w{1,8}:)?c\s[^<>]{0,200}?\br=\"([A-Z]{1,3})\d")
_CELL = re.compile(rb"<(?:\w{1,8}:)?c\b")
_ROW = re.compile(rb"<(?:\w{1,8}:)?row\b([^<>]{0,400})>")
_ROW_NUMBER = re.compile(rb'\br="(\d{1,9})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_COLUMN = re.compile(rb"<(?:\w{1,8}:)?col\b([^<>]{0,400})>")
_MERGE = re.compile(rb'<(?:\w{1,8}:)?mergeCell\b[^<>]{0,40}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_EMPTY_FORMULA = re.compile(
    rb'<(?:\w{1,8}:)?c\s[^<>]{0,200}?\br="([A-Z]{1,3})(\d{1,7})"[^<>]{0,200}><(?:\w{1,8}:)?f\b'
    rb"(?:[^<>]{0,400}/>|[^<>]{0,400}>[^<]{0,8192}</(?:\w{1,8}:)?f>)"
    rb"(?:<(?:\w{1,8}:)?v\s?/>|<(?:\w{1,8}:)?v></(?:\w{1,8}:)?v>)?</(?:\w{1,8}:)?c>"
)
# Numbers too long for a double's short form: ids of 16 digits and more, long fractions, powers of ten.
_LONG_NUMBER = re.compile(
    rb'<(?:\w{1,8}:)?c\s([^<>]{0,200}?\br="([A-Z]{1,3})(\d{1,7})"[^<>]{0,200})>'
    rb"(?:<(?:\w{1,8}:)?f\b[^<>]{0,400}(?:/>|>[^<]{0,8192}</(?:\w{1,8}:)?f>))?"
    rb"<(?:\w{1,8}:)?v>(-?\d[\d.]{10,40}(?:[eE][+-]?\d{1,3})?|-?[\d.]{1,40}[eE][+-]?\d{1,3})</"
)
_TEXT_TYPE = re.compile(rb'\bt="(?:s|str|inlineStr|b|e|d)"')
_ROW_END = re.compile(rb"</(?:\w{1,8}:)?row>")
MAX_MERGED_CELLS = 1_000_000


@dataclass(frozen=True)
class SheetPart:
    """One sheet of the workbook's list."""

    name: str
    path: str
    is_hidden: bool


@dataclass
class Extent:
    """What a sheet holds, by its XML. Rows and columns count from 1; `merges` as (column, row, column, row)."""

    columns: set[int] = field(default_factory=set)
    last_row: int = 0
    rows: int = 0
    cells: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    is_filtered: bool = False
    hidden_columns: int = 0
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    empty_formulas: list[tuple[int, int]] = field(default_factory=list)
    long_numbers: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def first_column(self) -> int:
        """The leftmost column with a cell."""
        return min(self.columns, default=1)

    @property
    def width(self) -> int:
        """From the leftmost to the rightmost column with a cell."""
        return max(self.columns) - min(self.columns) + 1 if self.columns else 0


def list_sheets(archive: zipfile.ZipFile, limits: dict[str, Any]) -> tuple[list[SheetPart], bool]:
    """The worksheets in the workbook's order, and whether its days count from 1904."""
    book = _xml(read_member(archive, "xl/workbook.xml", limits))
    links = _xml(read_member(archive, "xl/_rels/workbook.xml.rels", limits))
    targets = {link.get("Id"): link for link in links}
    parts: list[SheetPart] = []
    for sheet in _children(book, "sheet"):
        ident = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        link = targets.get(ident)
        if link is None or not str(link.get("Type", "")).endswith("/worksheet"):
            continue
        target = str(link.get("Target", ""))
        path = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        parts.append(SheetPart(str(sheet.get("name")), path, sheet.get("state", "visible") != "visible"))
    is_1904 = any(each.get("date1904") in ("1", "true") for each in _children(book, "workbookPr"))
    return parts, is_1904


def _children(tree: Element, name: str) -> list[Element]:
    return [each for each in tree.iter() if each.tag.rpartition("}")[2] == name]


def _xml(data: bytes) -> Element:
    try:
        tree: Element = fromstring(data, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError) as error:
        raise Refused("bad_workbook", problem=f"{type(error).__name__}: {error}") from error
    return tree


def measure(archive: zipfile.ZipFile, path: str, limits: dict[str, Any]) -> Extent:
    """The extent of a sheet, in pieces cut between rows, counted while unpacking. Raises Refused beyond the limits."""
    extent = Extent()
    rest, unpacked = b"", 0
    try:
        with archive.open(path) as stream:
            while chunk := stream.read(CHUNK):
                unpacked += len(chunk)
                if unpacked > limits["unpacked_mb"] * 1_000_000:
                    raise Refused("bomb", limit=f"{limits['unpacked_mb'] * 1_000_000:,}")
                _refuse_declarations(rest[-20:] + chunk)
                text = rest + chunk
                ends = [match.end() for match in _ROW_END.finditer(text, max(0, len(rest) - 20))]
                cut = ends[-1] if ends else 0
                _scan(text[:cut], extent, limits)
                rest = text[cut:]
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    _scan(rest, extent, limits)
    return extent


def _refuse_declarations(text: bytes) -> None:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Refused("bad_workbook", problem="it declares XML entities")


def _scan(text: bytes, extent: Extent, limits: dict[str, Any]) -> None:
    """Add what a piece of a sheet's XML holds."""
    extent.columns |= {column_number(letters) for letters in set(_CELL_COLUMN.findall(text))}
    extent.cells += len(_CELL.findall(text))
    for attributes in _ROW.findall(text):
        extent.rows += 1
        number = _ROW_NUMBER.search(attributes)
        extent.last_row = int(number.group(1)) if number else extent.last_row + 1
        if _HIDDEN.search(attributes):
            extent.hidden_rows.add(extent.last_row)
    extent.hidden_columns += sum(bool(_HIDDEN.search(attributes)) for attributes in _COLUMN.findall(text))
    extent.is_filtered = extent.is_filtered or b"<autoFilter" in text
    for left, top, right, bottom in _MERGE.findall(text):
        extent.merges.append((column_number(left), int(top), column_number(right), int(bottom)))
    extent.empty_formulas += [(column_number(column), int(row)) for column, row in _EMPTY_FORMULA.findall(text)]
    for attributes, column, row, number in _LONG_NUMBER.findall(text):
        if not _TEXT_TYPE.search(attributes):
            extent.long_numbers[column_number(column), int(row)] = number.decode()
    _refuse_excess(extent, limits)


def _refuse_excess(extent: Extent, limits: dict[str, Any]) -> None:
    if extent.width > limits["columns"]:
        raise Refused("too_many_columns", found=extent.width, limit=limits["columns"])
    if extent.last_row > limits["rows"]:
        raise Refused("too_many_rows", found=extent.last_row, limit=limits["rows"])
    area = max(extent.width * extent.last_row, extent.cells)
    if area > limits["cells"] or (area > 10_000_000 and area > 1_000 * extent.cells):
        raise Refused("sparse_sheet", area=f"{area:,}", cells=f"{extent.cells:,}")


def column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def column_letters(number: int) -> str:
    """A for 1, AA for 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
