"""Reading one file whole: from its bytes to Parquet files of rows and faults, one pair an entity; records conserved."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks.land.archives import gunzip, kind_of, suffix_of, unzip
from tasks.land.csv_reader import open_csv
from tasks.land.faults import Refused
from tasks.land.headers import Understood, count_known, find_header, understand
from tasks.land.job import Job
from tasks.land.json_reader import open_json
from tasks.land.mapped import mapped_sheets, write_mapped
from tasks.land.parquet_reader import open_parquet
from tasks.land.ready import ready_mappings
from tasks.land.recognising import known_headers
from tasks.land.rows import Shaper, clean_block, raw_schema
from tasks.land.sheets import Block, Header, Note, Opened, ReadOptions, Sheet, with_title_rows
from tasks.land.sinks import Sink, Tally, settled
from tasks.land.units import unit_of_table

# Raise it whenever the same bytes would read differently: landed files are then read anew where they still are.
READER_VERSION = 2
MAX_NOTES = 50


@dataclass(frozen=True)
class Read:
    """A file read: what it is, what became of its records by entity, what is worth telling."""

    format: str
    encoding: str | None
    confidence: float | None
    dialect: dict[str, Any]
    tallies: list[Tally]
    notes: list[Note]

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        tallies = [{**vars(tally), "skipped": dict(tally.skipped)} for tally in self.tallies]
        return {**vars(self), "tallies": tallies, "notes": [asdict(note) for note in self.notes]}


@dataclass(frozen=True)
class _Table:
    """A sheet whose header was found, with what it means to each reading."""

    sheet: Sheet
    name: str | None
    header: Header
    understood: tuple[Understood, ...]
    proven: bool


def read_file(job: Job) -> Read:
    """Read the file of a job. Raises Refused where it is refused as a whole; then nothing of it counts."""
    data = Path(job.path).read_bytes()
    if not data:
        raise Refused("empty_file")
    options = options_of(job)
    opened = [(name, one) for name, one in open_file(data, suffix_of(job.file_name), job, options)]
    if job.mapping:
        sheets, notes = mapped_sheets(opened, job)
        tallies = write_mapped(sheets, job)
        header_row = None if sheets[0].sheet.is_typed else sheets[0].header.first_line
    else:
        tables, notes = _tables(opened, options, job)
        tallies = _write(tables, job)
        header_row = tables[0].header.first_line if tables and not tables[0].sheet.is_typed else None
    first = opened[0][1]
    dialect = {**first.dialect, **({"header_row": header_row} if header_row is not None else {})}
    suffixes = [each for each in (".gz", ".zip") if job.file_name.lower().endswith(each)]
    return Read(first.format + "".join(suffixes), first.encoding, first.confidence, dialect, tallies, notes[:MAX_NOTES])


def options_of(job: Job) -> ReadOptions:
    """What the job says about reading its file."""
    return ReadOptions(
        known=_known(job),
        encoding=job.encoding, delimiter=job.delimiter, sheets=job.sheets, hidden_sheets=job.hidden_sheets,
        hidden_rows=job.hidden_rows, header_row=job.header_row, fill_down=job.fill_down, limits=job.limits,
    )  # fmt: skip


def _known(job: Job) -> Callable[[tuple[str | None, ...]], int]:
    """How many cells of a row are headers to the job: of its mapping, else of its entities or any mapping."""
    if job.mapping:
        mapping = [ready_mappings()[job.mapping]]
        return lambda cells: known_headers(mapping, cells)
    return lambda cells: count_known(job.readings, cells)


def open_file(data: bytes, suffix: str, job: Job, options: ReadOptions) -> Iterator[tuple[str | None, Opened]]:
    """The file, or the files in it, opened by their kind."""
    kind = kind_of(data, suffix)
    if kind == "zip":
        for member in unzip(data, options.limits):
            yield member.name, _open_plain(member.data, member.suffix, options)
    elif kind == "gzip":
        inner = job.file_name[: -len(suffix)]
        yield None, _open_plain(gunzip(data, options.limits), suffix_of(inner), options)
    else:
        yield None, _open_plain(data, suffix, options)


def _open_plain(data: bytes, suffix: str, options: ReadOptions) -> Opened:
    if not data:
        raise Refused("empty_file")
    kind = kind_of(data, suffix)
    if kind in ("zip", "gzip"):
        raise Refused("nested_archive", member=suffix)
    opener = {"csv": open_csv, "json": open_json, "xlsx": open_xlsx_lazily, "parquet": open_parquet}[kind]
    return opener(data, options)


def open_xlsx_lazily(data: bytes, options: ReadOptions) -> Opened:
    """`open_xlsx`; its engine is loaded only for workbooks."""
    from tasks.land.xlsx_reader import open_xlsx

    return open_xlsx(data, options)


def _tables(opened: list[tuple[str | None, Opened]], options: ReadOptions, job: Job) -> tuple[list[_Table], list[Note]]:
    """The sheets that hold what is looked for. One sheet alone must; of several, those that do not are noted."""
    notes = [note for _, one in opened for note in one.notes]
    sheets = [(member, one, sheet) for member, one in opened for sheet in one.sheets]
    if not sheets:
        raise Refused("no_rows")
    tables: list[_Table] = []
    refusals: list[Refused] = []
    for member, one, sheet in sheets:
        name = "/".join(part for part in (member, sheet.name) if part) or None
        try:
            header = find_header(sheet, options, job.readings)
            if len(header.names) > options.limits["columns"]:
                raise Refused("too_many_columns", found=len(header.names), limit=options.limits["columns"])
            unit = _unit_above(sheet, header)
            understood = tuple(understand(header, reading, unit) for reading in job.readings)
        except Refused as refusal:
            refusals.append(refusal)
            is_lookalike = refusal.rule not in ("no_header", "no_rows", "missing_columns")
            if len(sheets) == 1 or is_lookalike:
                raise
            notes.append(Note("sheet_left_out", {"sheet": name, "rows": sheet.rows or 0, "rule": refusal.rule}))
            continue
        tables.append(_Table(sheet, name, header, understood, proven=one.format in ("csv", "tsv")))
        notes += [*sheet.notes, *(note for each in understood for note in each.notes)]
    if not tables:
        raise refusals[0]
    return tables, notes


def _unit_above(sheet: Sheet, header: Header) -> str | None:
    """The unit of money given in a row above the header."""
    above = (unit_of_table(row.cells) for row in sheet.head if row.last_line < header.first_line)
    return next((unit for unit in above if unit), None)


def _write(tables: list[_Table], job: Job) -> list[Tally]:
    """Write rows and faults of every reading; gives their tallies."""
    names = [table.name for table in tables]
    sinks = [
        Sink(reading, raw_schema(reading, [table.understood[place] for table in tables], names), Path(job.out))
        for place, reading in enumerate(job.readings)
    ]
    try:
        for table in tables:
            shapers = [
                Shaper(table.header, reading, understood, table.name, table.sheet.is_1904)
                for reading, understood in zip(job.readings, table.understood, strict=True)
            ]
            for sink, understood in zip(sinks, table.understood, strict=True):
                headers = {column: table.header.names[at] or f"({at + 1})" for column, at in understood.columns.items()}
                sink.learn(headers, list(understood.extra.values()))
            read = 0
            for block in with_title_rows(table.sheet, table.header):
                read += block.records_in
                if read > job.limits["rows"]:
                    raise Refused("too_many_rows", found=read, limit=job.limits["rows"])
                _shape(block, table, shapers, sinks, job.limits["cell_characters"])
    finally:
        for sink in sinks:
            sink.close()
    return settled(sinks, job.file_name)


def _shape(block: Block, table: _Table, shapers: list[Shaper], sinks: list[Sink], cell_characters: int) -> None:
    cleaned = clean_block(block, table.header, cell_characters)
    for shaper, sink in zip(shapers, sinks, strict=True):
        shaped = shaper.shape(cleaned.block)
        faults = [*cleaned.block.faults, *cleaned.dropped, *shaped.faults]
        sink.add(shaped.rows, faults, table.name)
        sink.tally.rows_in += block.records_in
        sink.tally.skipped.update(cleaned.block.skipped)
