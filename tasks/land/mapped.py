"""Reading a file by a ready mapping: each record becomes the rows its mapping says, in any number of entities."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.land.faults import CellFault, Refused, RowFault
from tasks.land.headers import Reading
from tasks.land.job import Job
from tasks.land.mapped_rows import Maker, MappedSheet, Mask, ask
from tasks.land.mapped_sql import Table
from tasks.land.other_tables import other_table_line, without_other_table
from tasks.land.ready import ReadyMapping, ready_mappings
from tasks.land.recognising import Recognised, recognise
from tasks.land.rows import clean_block, raw_row, raw_schema
from tasks.land.sheets import Block, Header, Note, Opened, Sheet, with_title_rows
from tasks.land.sinks import Sink, Tally, settled

ANONYMOUS, OTHER_KIND = "anonymous", "other_kind"


def mapped_sheets(
    opened: Sequence[tuple[str | None, Opened]], job: Job
) -> tuple[list[MappedSheet], list[Note]]:  # fmt: skip
    """The sheets that the job's mapping knows. Raises Refused where there is none; others beside one are noted."""
    mapping = ready_mappings()[job.readings[0].mapping or ""]
    notes = [note for _, one in opened for note in one.notes]
    found: list[MappedSheet] = []
    for member, one in opened:
        for sheet in one.sheets:
            name = "/".join(part for part in (member, sheet.name) if part) or None
            known = recognise(sheet, [mapping])
            if known is None:
                about = {"sheet": name, "rows": sheet.rows or 0, "rule": "missing_columns"}
                notes.append(Note("sheet_left_out", about))
            else:
                found.append(_mapped(sheet, name, known, job))
                notes += sheet.notes
    if not found:
        raise _unknown(mapping, opened)
    return found, notes


def _unknown(mapping: ReadyMapping, opened: Sequence[tuple[str | None, Opened]]) -> Refused:
    """The refusal of a file that has not what the mapping it was given needs."""
    rows = (row.cells for _, one in opened for sheet in one.sheets for row in sheet.head if any(row.cells))
    needs = (" | ".join(" / ".join(mapping.fields[name].headers[:3]) for name in group) for group in mapping.needs)
    have = ", ".join(cell for cell in next(rows, ()) if cell)
    return Refused("missing_columns", entity=mapping.name, need="; ".join(needs), have=have)


def _mapped(sheet: Sheet, name: str | None, known: Recognised, job: Job) -> MappedSheet:
    row = sheet.head[known.row]
    header = Header(tuple(cell.strip() if cell else None for cell in row.cells), row.line, row.last_line)
    return MappedSheet(sheet, name, header, Table(known.mapping, known.places, header.names, job.given))


def write_mapped(sheets: list[MappedSheet], job: Job) -> list[Tally]:
    """Write rows and faults of every entity of the mapping; gives their tallies."""
    readings = {reading.entity: reading for reading in job.readings}
    makers = [_Makers(sheet, readings) for sheet in sheets]
    names = [sheet.name for sheet in sheets]
    sinks = {
        entity: Sink(reading, _schema(reading, makers, names), Path(job.out)) for entity, reading in readings.items()
    }
    try:
        read = 0
        for maker in makers:
            maker.learn(sinks)
            for block in with_title_rows(maker.sheet.sheet, maker.sheet.header):
                read += block.records_in
                if read > job.limits["rows"]:
                    raise Refused("too_many_rows", found=read, limit=job.limits["rows"])
                maker.take(block, sinks, job.limits["cell_characters"])
            maker.finish(sinks)
    finally:
        for sink in sinks.values():
            sink.close()
    return settled(list(sinks.values()), job.file_name)


def _schema(reading: Reading, makers: "list[_Makers]", names: list[str | None]) -> pa.Schema:
    own = [maker for sheet in makers for maker in sheet.makers if maker.rule.entity == reading.entity]
    constants = {name: value for maker in own for name, value in maker.reading.constants.items()}
    return raw_schema(replace(reading, constants=constants), [maker.understood for maker in own], names)


class _Makers:
    """The row rules of one sheet's mapping, and what of it they share."""

    def __init__(self, sheet: MappedSheet, readings: dict[str, Reading]) -> None:
        self.sheet, self.table, self.mapping = sheet, sheet.table, sheet.table.mapping
        self.readings = readings
        self.ends_on: int | None = None
        self.makers = [
            Maker(rule, sheet, readings[rule.entity]) for rule in self.mapping.rows if rule.entity in readings
        ]

    def learn(self, sinks: dict[str, Sink]) -> None:
        """Note which header fills which column."""
        for maker in self.makers:
            sinks[maker.rule.entity].learn(maker.learned, list(maker.understood.extra.values()))

    def take(self, block: Block, sinks: dict[str, Sink], cell_characters: int) -> None:
        """Write what a block of records becomes."""
        if self.ends_on is None and self.mapping.ends_at:
            self.ends_on = other_table_line(block, self.mapping.ends_at)
        if self.ends_on is not None:
            block = without_other_table(block, self.ends_on)
        cleaned = clean_block(block, self.sheet.header, cell_characters)
        kept = self._with_json_checked(cleaned.block)
        skipped, wanted = self._judge(kept)
        untaken = ~np.logical_or.reduce([*skipped.values(), *wanted]) if len(kept.lines) else np.zeros(0, dtype=bool)
        unclear = self._unclear(kept, untaken) if self.mapping.unclear == "refuse" else []
        for place, (entity, sink) in enumerate(sinks.items()):
            pairs = zip(self.makers, wanted, strict=True)
            own = [(maker, mask) for maker, mask in pairs if maker.rule.entity == entity]
            nobody = np.zeros(len(kept.lines), dtype=bool)
            left = ~np.logical_or.reduce([nobody, *skipped.values(), *(mask for _, mask in own)])
            faults = [*cleaned.block.faults, *cleaned.dropped, *(unclear if place == 0 else [])]
            counted = Counter({rule: int(mask.sum()) for rule, mask in skipped.items()})
            counted[OTHER_KIND] += int(left.sum()) - (len(unclear) if place == 0 else 0)
            counted += cleaned.block.skipped
            sink.tally.skipped.update(counted)
            sink.tally.rows_in += sum(counted.values()) + len(faults)
            sink.add(pa.table({}), faults, self.sheet.name)
            for maker, mask in own:
                maker.take(kept, mask, sink)

    def finish(self, sinks: dict[str, Sink]) -> None:
        """Write what waits for the end of the sheet."""
        for maker in self.makers:
            maker.finish(sinks[maker.rule.entity])

    def _judge(self, block: Block) -> tuple[dict[str, Mask], list[Mask]]:
        """(rule → records it skips, each record under one; records that each row rule takes)."""
        rules = [(rule, self.table.holds(when)) for rule, when in self.mapping.skip]
        rules.append((ANONYMOUS, self.table.names_nobody()))
        tests = [test for _, test in rules] + [self.table.holds(maker.rule.when) for maker in self.makers]
        if not len(block.lines) or tests == ["false"] * len(rules) + ["true"] * len(self.makers):
            return {}, [np.ones(len(block.lines), dtype=bool) for _ in self.makers]
        asked = ", ".join(f"{test} as t{number}" for number, test in enumerate(tests))
        made = ask(block, f"select {asked} from {self.table.received}")
        masks: list[Mask] = [made[f"t{n}"].to_numpy(zero_copy_only=False).astype(bool) for n in range(len(tests))]
        skipped: dict[str, Mask] = {}
        gone = np.zeros(len(block.lines), dtype=bool)
        for (rule, _), mask in zip(rules, masks, strict=False):
            skipped[rule] = mask & ~gone
            gone |= mask
        return skipped, [mask & ~gone for mask in masks[len(rules) :]]

    def _unclear(self, block: Block, untaken: Mask) -> list[RowFault]:
        """The records that no row rule takes, with what they say where the rules look."""
        asked = dict.fromkeys(test.field for row in self.mapping.rows for group in row.when for test in group)
        places = {at.column for name in asked for at in self.table.places.get(name, ()) if at.column is not None}
        headers = self.sheet.header.names
        found: list[RowFault] = []
        for row in np.flatnonzero(untaken).tolist():
            said = {str(headers[place]): block.columns[place][row].as_py() for place in sorted(places)}
            told = ", ".join(f"{name}: {value or '(…)'}" for name, value in said.items())
            line = int(block.lines[row])
            fields = {"line": line, "mapping": self.mapping.name, "said": told[:200]}
            column = next(iter(said), None)
            fault = RowFault("reject_row", "unclear_record", line, int(block.records[row]), column=column)
            received = raw_row(block, self.sheet.header, row)
            found.append(replace(fault, value=said.get(column or ""), fields=fields, raw_row=received))
        return found

    def _with_json_checked(self, block: Block) -> Block:
        """The block with a fault noted at each cell that should hold JSON and does not."""
        cells = list(block.cells)
        for column in self.table.json_columns:
            made = ask(block, f"select coalesce(not json_valid(c{column}), false) as broken from received")
            broken = np.flatnonzero(made["broken"].to_numpy(zero_copy_only=False).astype(bool)).tolist()
            about = {"json_column": str(self.sheet.header.names[column])}
            cells += [
                CellFault(row, column, "bad_json_cell", block.columns[column][row].as_py(), about) for row in broken
            ]
        return replace(block, cells=cells)
