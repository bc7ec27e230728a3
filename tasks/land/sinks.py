"""Where a reading's rows and faults go: one pair of Parquet files an entity, with the tally of what became of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.land.faults import Refused, RowFault
from tasks.land.headers import Reading

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
# Types whose values repeat: worth a dictionary in the raw store, which for keys and names costs more than it saves.
REPEATING_TYPES = frozenset({"text", "list", "date", "currency", "boolean", "integer", "number", "share"})
# Skipped lines that are no records of the table.
NO_RECORDS = ("title_row", "blank_row", "footer_row", "repeated_header", "hidden_row")


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


class Sink:
    """The two files of one entity, opened when something comes."""

    def __init__(self, reading: Reading, schema: pa.Schema, out: Path) -> None:
        self.tally, self.schema = Tally(reading.entity), schema
        repeating = [column.name for column in reading.of.columns if column.type in REPEATING_TYPES]
        self.rows = pq.ParquetWriter(
            out / f"{reading.entity}.parquet", schema, compression="zstd", write_statistics=False,
            use_dictionary=[name for name in (*repeating, "sheet") if name in schema.names] or False,
        )  # fmt: skip
        self.faults = pq.ParquetWriter(out / f"{reading.entity}.faults.parquet", FAULT_SCHEMA, compression="zstd")

    def learn(self, columns: Mapping[str, str], extra: list[str]) -> None:
        """Note how the headers were understood: canonical column → header, and the headers kept beside."""
        for column, header in columns.items():
            self.tally.columns.setdefault(column, header)
        self.tally.extra += [name for name in extra if name not in self.tally.extra]

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


def settled(sinks: list[Sink], file_name: str) -> list[Tally]:
    """The tallies, when everything is written. Raises Refused for a file without records below its header."""
    tallies = [sink.tally for sink in sinks]
    if not any(tally.rows_in - sum(tally.skipped[rule] for rule in NO_RECORDS) for tally in tallies):
        raise Refused("blank_rows_only" if any(tally.skipped["blank_row"] for tally in tallies) else "header_only")
    for tally in tallies:
        tally.check(file_name)
    return tallies
