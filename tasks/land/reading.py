"""Reading one file whole: from its bytes to Parquet files of rows and faults, one pair an entity; records conserved."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.land.archives import gunzip, kind_of, suffix_of, unzip
from tasks.land.csv_reader import open_csv
from tasks.land.faults import Refused, RowFault
from tasks.land.headers import Reading, Understood, count_known, find_header, understand
from tasks.land.json_reader import open_json
from tasks.land.parquet_reader import open_parquet
from tasks.land.rows import Shaper, clean_block, raw_schema
from tasks.land.sheets import Block, Header, Note, Opened, ReadOptions, Sheet
from tasks.land.units import unit_of_table

# Raise it whenever the same bytes would read differently: landed files are then read anew where they still are.
READER_VERSION = 2
FAULT_SCHEMA = pa.schema(
    [
        (name, pa.int64() if name in ("line", "record") else pa.string())
        for name in (
            "action",
            "rule",
            "sheet",
            "line",
            "record",
            "column_name",
            "value",
            "fields",
            "raw_row",
            "row_hash",
        )
    ]
)
MAX_NOTES = 50
# Types whose values repeat: worth a dictionary in the raw store, which for keys and names costs more than it saves.
REPEATING_TYPES = frozenset({"text", "list", "date", "currency", "boolean", "integer", "number", "share"})


@dataclass(frozen=True)
class Job:
    """What to read, and how: plain values, for it crosses to another process.

    `file_name` is what people call the file: data, never opened. Each reading's rows go to `<out>/<entity>.parquet`,
    its faults to `<out>/<entity>.faults.parquet`.
    """

    path: str
    file_name: str
    out: str
    readings: tuple[Reading, ...]
    limits: dict[str, Any]
    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    hidden_sheets: bool = False
    hidden_rows: bool = True
    header_row: int | None = None
    fill_down: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Job":
        """The inverse of `to_json`."""
        readings = tuple(Reading(**{**reading, "key": tuple(reading["key"])}) for reading in values["readings"])
        lists = {name: tuple(values[name]) for name in ("sheets", "fill_down")}
        return cls(**{**values, **lists, "readings": readings})


def limits_for(job: Job) -> tuple[int, float]:
    """Memory in megabytes and time in seconds for a file, by its size."""
    is_large = Path(job.path).stat().st_size > job.limits["large_mb"] * 1_000_000
    if is_large:
        return job.limits["large_memory_mb"], job.limits["large_seconds"]
    return job.limits["memory_mb"], job.limits["seconds"]


@dataclass
class Tally:
    """What became of the records of one entity: `rows_in` = `rows_loaded` + `rows_quarantined` + `rows_skipped`."""

    entity: str
    rows_in: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)

    def check(self, file_name: str) -> None:
        """Raises AssertionError where a record was lost or made up."""
        rest = self.rows_in - self.rows_loaded - self.rows_quarantined - sum(self.skipped.values())
        if rest:
            raise AssertionError(f"{file_name}: {self.entity}: {rest} of {self.rows_in} records unaccounted for")


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
    tables, notes = _tables(opened, options, job)
    tallies = _write(tables, job)
    first = opened[0][1]
    dialect = dict(first.dialect)
    if tables and not tables[0].sheet.is_typed:
        dialect["header_row"] = tables[0].header.first_line
    suffixes = [each for each in (".gz", ".zip") if job.file_name.lower().endswith(each)]
    return Read(first.format + "".join(suffixes), first.encoding, first.confidence, dialect, tallies, notes[:MAX_NOTES])


def options_of(job: Job) -> ReadOptions:
    """What the job says about reading its file."""
    return ReadOptions(
        known=lambda cells: count_known(job.readings, cells),
        encoding=job.encoding, delimiter=job.delimiter, sheets=job.sheets, hidden_sheets=job.hidden_sheets,
        hidden_rows=job.hidden_rows, header_row=job.header_row, fill_down=job.fill_down, limits=job.limits,
    )  # fmt: skip


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
        _Sink(reading, raw_schema(reading, [table.understood[place] for table in tables], names), Path(job.out))
        for place, reading in enumerate(job.readings)
    ]
    try:
        for table in tables:
            shapers = [
                Shaper(table.header, reading, understood, table.name, table.sheet.is_1904)
                for reading, understood in zip(job.readings, table.understood, strict=True)
            ]
            for sink, understood in zip(sinks, table.understood, strict=True):
                sink.learn(table.header, understood)
            read = 0
            for block in _with_title_rows(table):
                read += block.records_in
                if read > job.limits["rows"]:
                    raise Refused("too_many_rows", found=read, limit=job.limits["rows"])
                _shape(block, table, shapers, sinks, job.limits["cell_characters"])
    finally:
        for sink in sinks:
            sink.close()
    if not any(sink.tally.rows_loaded + sink.tally.rows_quarantined for sink in sinks):
        raise Refused("header_only" if not _blank_rows(sinks) else "blank_rows_only")
    for sink in sinks:
        sink.tally.check(job.file_name)
    return [sink.tally for sink in sinks]


def _blank_rows(sinks: list["_Sink"]) -> int:
    return sum(sink.tally.skipped["blank_row"] for sink in sinks)


def _with_title_rows(table: _Table) -> Iterator[Block]:
    """The blocks of a sheet, the rows above its header counted into the first as skipped by rule."""
    above = Counter(
        "title_row" if any(row.cells) else "blank_row"
        for row in table.sheet.head
        if row.last_line < table.header.first_line and not table.sheet.is_typed
    )
    for number, block in enumerate(table.sheet.read(table.header)):
        if number == 0:
            block.skipped.update(above)
        yield block


def _shape(block: Block, table: _Table, shapers: list[Shaper], sinks: list["_Sink"], cell_characters: int) -> None:
    cleaned = clean_block(block, table.header, cell_characters)
    for shaper, sink in zip(shapers, sinks, strict=True):
        shaped = shaper.shape(cleaned.block)
        faults = [*cleaned.block.faults, *cleaned.dropped, *shaped.faults]
        sink.add(shaped.rows, faults, table.name)
        sink.tally.rows_in += block.records_in
        sink.tally.skipped.update(cleaned.block.skipped)


class _Sink:
    """The two files of one entity, opened when something comes."""

    def __init__(self, reading: Reading, schema: pa.Schema, out: Path) -> None:
        self.tally, self.schema = Tally(reading.entity), schema
        repeating = [column.name for column in reading.of.columns if column.type in REPEATING_TYPES]
        self.rows = pq.ParquetWriter(
            out / f"{reading.entity}.parquet", schema, compression="zstd", write_statistics=False,
            use_dictionary=[name for name in (*repeating, "sheet") if name in schema.names] or False,
        )  # fmt: skip
        self.faults = pq.ParquetWriter(out / f"{reading.entity}.faults.parquet", FAULT_SCHEMA, compression="zstd")

    def learn(self, header: Header, understood: Understood) -> None:
        """Note how the headers were understood."""
        for column, place in understood.columns.items():
            self.tally.columns.setdefault(column, header.names[place] or f"({place + 1})")
        self.tally.extra += [name for name in understood.extra.values() if name not in self.tally.extra]

    def add(self, rows: pa.Table, faults: list[RowFault], sheet: str | None) -> None:
        """Write rows and faults, and count them."""
        if rows.num_rows:
            empty = pa.nulls(rows.num_rows, pa.string())
            columns = [rows[name] if name in rows.column_names else empty for name in self.schema.names]
            self.rows.write_table(pa.Table.from_arrays(columns, schema=self.schema))
            self.tally.rows_loaded += rows.num_rows
        if faults:
            found = [{**fault.row(), "sheet": fault.sheet or sheet} for fault in faults]
            self.faults.write_table(pa.Table.from_pylist(found, schema=FAULT_SCHEMA))
            self.tally.rows_quarantined += sum(1 for fault in faults if fault.action == "reject_row")

    def close(self) -> None:
        """Finish both files."""
        self.rows.close()
        self.faults.close()
