"""The rows that one rule of a ready mapping makes of the records of a sheet."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.land.headers import Reading, Understood
from tasks.land.mapped_sql import Table
from tasks.land.ready import RowRule
from tasks.land.rows import Shaper, engine, keep_rows
from tasks.land.sheets import Block, Header, Sheet
from tasks.land.sinks import Sink
from tasks.land.units import date_orders

Mask = NDArray[np.bool_]
ADDED_UP = "added_up"


@dataclass(frozen=True)
class MappedSheet:
    """A sheet that its mapping knows."""

    sheet: Sheet
    name: str | None
    header: Header
    table: Table


class Maker:
    """One row rule over one sheet."""

    def __init__(self, rule: RowRule, sheet: MappedSheet, reading: Reading) -> None:
        self.rule, self.sheet, self.reading, self.table = rule, sheet, _with_constants(reading, rule), sheet.table
        fixed = set(self.reading.constants)
        self.columns = {
            name: cell for name, cell in rule.columns.items() if name not in fixed and self.table.is_there(cell)
        }
        self.key = reading.of.keys[0][0] if rule.key and reading.of.keys else None
        self.names = list(self.columns) + ([self.key] if self.key else [])
        self.extras = self._extras()
        header = Header(
            (*self.names, *(label for _, label in self.extras)), sheet.header.first_line, sheet.header.last_line
        )
        places = {name: place for place, name in enumerate(self.names)}
        headers = {name: name for name in self.names}
        self.understood = Understood(
            columns=places,
            extra={len(self.names) + number: label for number, (_, label) in enumerate(self.extras)},
            blank=(),
            sequence=None,
            units={places[name]: unit for name, unit in date_orders(reading.of, headers, reading.dates).items()},
        )
        self.shaper = Shaper(header, self.reading, self.understood, sheet.name, sheet.sheet.is_1904)
        self.waiting: list[Block] = []

    @cached_property
    def learned(self) -> dict[str, str]:
        """Column → header, for those that a header fills."""
        found: dict[str, str] = {}
        for name, cell in self.columns.items():
            places = [at for field in cell.fields for at in self.table.places.get(field, ()) if at.column is not None]
            if places:
                at = places[0]
                found[name] = at.key or str(self.sheet.header.names[at.column or 0])
        return found

    def _extras(self) -> list[tuple[int, str]]:
        """Columns that no field of the mapping is: kept beside the row, unless the mapping drops them."""
        if self.table.mapping.others == "drop" or self.rule.entity == "consents":
            return []
        used = {at.column for places in self.table.places.values() for at in places}
        names = self.sheet.header.names
        labels = [
            name if name and names.count(name) == 1 else f"{name or ''} ({number + 1})".strip()
            for number, name in enumerate(names)
        ]
        return [(number, label) for number, label in enumerate(labels) if number not in used]

    def take(self, block: Block, mask: Mask, sink: Sink) -> None:
        """Write the rows of the records that the rule takes; those to be added up wait for the last of them."""
        if not mask.any():
            return
        derived = self._derived(keep_rows(block, mask))
        if self.rule.add_up in self.names and self.key:
            self.waiting.append(derived)
        else:
            self._write(derived, sink)

    def finish(self, sink: Sink) -> None:
        """Write the rows that waited, those of one key as one."""
        if not self.waiting:
            return
        block = Block(
            [pa.concat_arrays([each.columns[n] for each in self.waiting]) for n in range(len(self.waiting[0].columns))],
            np.concatenate([each.lines for each in self.waiting]),
            np.concatenate([each.records for each in self.waiting]),
        )
        self.waiting = []
        key, amount = self.names.index(self.key or ""), self.names.index(self.rule.add_up or "")
        made = ask(
            block,
            f"select min(place) as place, round(sum(try_cast(c{amount} as double)), 2)::varchar as amount from received"
            f" group by coalesce(c{key}, place::varchar) order by place",
        )
        kept = np.zeros(len(block.lines), dtype=bool)
        kept[made["place"].to_numpy()] = True
        together = keep_rows(block, kept)
        together.columns[amount] = made["amount"].combine_chunks()
        sink.tally.skipped[ADDED_UP] += int((~kept).sum())
        sink.tally.rows_in += int((~kept).sum())
        self._write(together, sink)

    def _derived(self, block: Block) -> Block:
        """The records under the entity's columns; cells at fault move along with what they fill."""
        direct = {name: place for name, cell in self.columns.items() if (place := self.table.direct(cell)) is not None}
        asked = {name: self.table.fill(cell) for name, cell in self.columns.items() if name not in direct}
        if self.key:
            asked[self.key] = self.table.key(self.rule.name, self.rule.key)
        made = None
        if asked:
            selects = ", ".join(f'{sql} as "{name}"' for name, sql in asked.items())
            made = ask(block, f"select {selects} from {self.table.received}")
        columns = [
            block.columns[direct[name]] if name in direct or made is None else made[name].combine_chunks()
            for name in self.names
        ]
        columns += [block.columns[place] for place, _ in self.extras]
        moved = self._moved()
        cells = [replace(cell, column=moved[cell.column]) for cell in block.cells if cell.column in moved]
        return Block(columns, block.lines, block.records, [], cells)

    def _moved(self) -> dict[int, int]:
        """Column received → the first column it fills here."""
        found: dict[int, int] = {}
        for place, name in enumerate(self.names):
            fields = self.columns[name].fields if name in self.columns else ()
            for at in (at for field in fields for at in self.table.places.get(field, ())):
                if at.column is not None:
                    found.setdefault(at.column, place)
        return found | {received: len(self.names) + number for number, (received, _) in enumerate(self.extras)}

    def _write(self, block: Block, sink: Sink) -> None:
        shaped = self.shaper.shape(block)
        sink.add(shaped.rows, shaped.faults, self.sheet.name)
        sink.tally.rows_in += len(block.lines)


def _with_constants(reading: Reading, rule: RowRule) -> Reading:
    """The reading with the rule's constants; what config/sources.yaml gives goes before."""
    return replace(reading, constants={**rule.constants, **reading.constants}, columns={})


def ask(block: Block, sql: str) -> pa.Table:
    """What a SELECT over `received` gives: the block's columns c0, c1 … and their `place`, in the block's order."""
    named: dict[str, pa.Array] = {f"c{place}": column for place, column in enumerate(block.columns)}
    received = pa.table({**named, "place": pa.array(np.arange(len(block.lines)))})
    con = engine()
    con.register("received", received)
    try:
        return con.sql(sql).to_arrow_table()
    finally:
        con.unregister("received")
