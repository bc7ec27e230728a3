"""Workbooks that people fill in: text cells only, nothing in them is a formula or a number that Excel would round."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tasks.outbound.csv_out import is_formula

# What no cell of a workbook may hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_workbook(
    path: Path, title: str, rows: Iterable[Sequence[str]], choices: Mapping[int, Sequence[str]] | None = None
) -> None:
    """One sheet of these rows, the first being the header; `choices`: column from 0 → words to pick from below it."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook(write_only=True)
    page = book.create_sheet(title)
    page.freeze_panes = "A2"
    for row in rows:
        cells = []
        for value in row:
            text = _CONTROL.sub(" ", value)
            cell = WriteOnlyCell(page, value=text or None)
            if text:
                cell.data_type = "s"
                cell.number_format = "@"
                # Without it Excel would take the text for a formula as soon as someone edits the cell.
                cell.quotePrefix = is_formula(text)
            cells.append(cell)
        page.append(cells)
    for column, words in (choices or {}).items():
        letter = get_column_letter(column + 1)
        offered = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
        offered.add(f"{letter}2:{letter}1048576")
        page.data_validations.append(offered)
    book.save(path)
