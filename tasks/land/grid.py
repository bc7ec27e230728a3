"""A table that we wrote and a person filled in: its cells as text under headers we know, each row with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.land.archives import suffix_of
from tasks.land.entities import plain_header
from tasks.land.faults import Refused
from tasks.land.headers import Cells, find_header
from tasks.land.job import Job
from tasks.land.reading import open_file, options_of
from tasks.land.sheets import Header, Sheet

MOST_ROWS = 20_000


def read_grid(job: Job, columns: Mapping[str, list[str]]) -> dict[str, Any]:
    """The rows of all sheets with such headers; `columns`: name → headers that it may stand under, in any writing.

    `rows`: sheet (None in a file without sheets), line (physical, from 1), cells (name → text, filled ones only).
    `faults`: sheet, line, rule and fields of rows that could not be split. Raises Refused where no sheet has any of the
    headers, or there are too many rows.
    """
    names = {plain_header(header): name for name, headers in columns.items() for header in (name, *headers)}

    def known(cells: Cells) -> int:
        return len({names[plain_header(cell)] for cell in cells if cell and plain_header(cell) in names})

    options = replace(options_of(job), known=known)
    found: dict[str, Any] = {"rows": [], "faults": []}
    opened = open_file(Path(job.path).read_bytes(), suffix_of(job.file_name), job, options)
    ours = [sheet for _, file in opened for sheet in file.sheets if any(known(row.cells) for row in sheet.head)]
    for sheet in ours:
        header = find_header(sheet, options, ())
        plain = [plain_header(text or "") for text in header.names]
        places = {names[text]: n for n, text in enumerate(plain) if text in names}
        for kind, row in _rows(sheet, header, places):
            found[kind].append({"sheet": sheet.name, **row})
            if len(found["rows"]) > MOST_ROWS:
                raise Refused("too_many_rows", found=len(found["rows"]), limit=MOST_ROWS)
    if not ours:
        raise Refused("no_header", have="-", need=", ".join(columns))
    return found


def _rows(sheet: Sheet, header: Header, places: Mapping[str, int]) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in sheet.read(header):
        for fault in block.faults:
            yield "faults", {"line": fault.line, "rule": fault.rule, "fields": fault.fields}
        texts = {name: block.columns[place].to_pylist() for name, place in places.items()}
        for n, line in enumerate(block.lines.tolist()):
            cells = {name: column[n].strip() for name, column in texts.items() if (column[n] or "").strip()}
            yield "rows", {"line": line, "cells": cells}
