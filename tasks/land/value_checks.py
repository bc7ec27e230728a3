"""What would become of a file's values, told before it is landed: the parsers of staging on its distinct values."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from abmloop.messages import say
from scoring.names import parse_names
from scoring.values import actions, amounts, codes, domains, emails, phones, times
from tasks.land.entities import entities

# Beyond this many rows the first ones stand for all.
LOOKED_AT_ROWS = 200_000
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class ValueReport:
    """What a rule would do (reject_row, null_value, repair, flag) to how many rows; a first example with its line."""

    column: str
    rule: str
    action: str
    rows: int
    example: str
    line: int
    message: str


def _parsers(timezone: str) -> dict[str, Callable[[pa.Array], pa.Table]]:
    return {
        "name": parse_names,
        "code": codes.parse_codes,
        "email": emails.parse_emails,
        "domain": domains.parse_domains,
        "phone": phones.parse_phones,
        "date": lambda values: times.parse_times(values, timezone=timezone),
        "time": lambda values: times.parse_times(values, timezone=timezone),
        "amount": amounts.parse_amounts,
        "number": amounts.parse_numbers,
    }


def check_values(rows: Path, entity: str, language: str, timezone: str = "Asia/Shanghai") -> list[ValueReport]:
    """What the rules of values would do to the rows of that file, the most frequent first."""
    parsers, found = _parsers(timezone), []
    with pq.ParquetFile(rows) as file:
        names = set(file.schema_arrow.names)
        for column in entities()[entity].columns:
            kind = actions.kind_of(entity, column.name, column.type)
            if kind in parsers and column.name in names:
                table = _first_rows(file, column.name)
                found += _judged(table, entity, column.name, kind, parsers[kind], language)
    return sorted(found, key=lambda each: (-each.rows, each.column, each.rule))


def _first_rows(file: pq.ParquetFile, column: str) -> pa.Table:
    batches, rows = [], 0
    for batch in file.iter_batches(columns=[column, "line"]):
        batches.append(batch)
        rows += batch.num_rows
        if rows >= LOOKED_AT_ROWS:
            break
    return pa.Table.from_batches(batches, schema=pa.schema([(column, pa.string()), ("line", pa.int64())]))


def _judged(
    table: pa.Table, entity: str, column: str, kind: str, parse: Callable[[pa.Array], pa.Table], language: str
) -> list[ValueReport]:  # fmt: skip
    values = table.filter(pc.is_valid(table[column])).group_by(column, use_threads=False)
    counted = values.aggregate([("line", "count"), ("line", "min")])
    if not counted.num_rows:
        return []
    parsed = parse(counted[column].combine_chunks())
    at = pc.index_in(counted[column], parsed["value"].combine_chunks())
    told = counted.append_column("rule", parsed["rule"].take(at)).filter(pc.is_valid(parsed["rule"].take(at)))
    reports = []
    for rule in sorted(set(told["rule"].to_pylist())):
        of_rule = told.filter(pc.equal(told["rule"], rule)).sort_by("line_min")
        rejects = (entity, column) in actions.rejecting_columns()
        about = actions.rules()[rule]
        action = about.by_kind.get(kind, about.action)
        reports.append(
            ValueReport(
                column, rule, "reject_row" if rejects and action == "null_value" else action,
                pc.sum(of_rule["line_count"]).as_py(), of_rule[column][0].as_py()[:SHOWN_CHARACTERS],
                of_rule["line_min"][0].as_py(), say(f"value_{rule}", language),
            )
        )  # fmt: skip
    return reports
