"""What touches give their persons, as lines of the log: gathered in SQL, judged person by person in slices.

Beside the touches themselves a person may have what they had earned before (sums by rule, which only use up caps) and
lines that stand (judged once more with the touches that came between them). The caps are arithmetic: scoring/caps.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import zone
from scoring.caps import NOTES, Caps, Events, Sums, cap_points, read_caps
from scoring.engagement import Ints

_SLICE_ROWS = 2_000_000  # judged in one piece: bounds the memory
_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
_BEFORE_ALL = int(np.iinfo(np.int64).min)


@dataclass(frozen=True)
class Clock:
    """The day, and the instant (UTC, naive) after which events are of the future."""

    as_of: date
    until: datetime
    timezone: str

    @property
    def today(self) -> int:
        """Days since 1970."""
        return (self.as_of - _EPOCH).days


def gather_touches(con: duckdb.DuckDBPyConnection, source: str, into: str) -> None:
    """The touches of a relation like scored.rule_touches whose persons count, as the temporary table `into`."""
    columns = "touch_id, person_id, account_id, position::smallint as position, occurred_at, is_future"
    con.execute(
        f"create or replace temp table {into} as select hash(person_id) as subject, {columns} from {source}"
        " where person_id not in (select person_id from scored.leads where is_excluded)"
    )


@dataclass(frozen=True)
class Before:
    """Temporary tables with what stands of the persons whose touches are judged, by hash of the person as `subject`.

    `sums` (position, given): what they had earned of each rule before their touches, in ten-thousandths of a point.
    `days` (position, given_on, times): how often a rule had counted on a day that touches may be of.
    `lines` (place, position, occurred_at, touch_id, is_future): those to be judged once more, with the touches between
    them; what they now give is written to RENEWED (place, raw_points, capped_points, note).
    """

    sums: str
    days: str
    lines: str


def write_lines(
    con: duckdb.DuckDBPyConnection, clock: Clock, touches: str, into: str, before: Before | None = None
) -> None:
    """Judge the gathered touches, some persons after the others, and add their lines to `into`."""
    caps = read_caps(con.sql("select * from rules.engagement").to_arrow_table())
    rows = [touches, before.days, before.lines] if before else [touches]
    counted = [*rows, before.sums] if before else rows
    size = sum(int(con.execute(f"select count(*) from {name}").fetchall()[0][0]) for name in counted)
    slices = max(1, -(-size // _SLICE_ROWS))
    for number in range(slices):
        some = [con.sql(f"select * from {name} where subject % {slices} = {number}").to_arrow_table() for name in rows]
        sums = _sums(con, before.sums, f"subject % {slices} = {number}") if before else None
        # Not registered: what is registered stays in memory until the transaction ends.
        told = con.from_arrow(_judge(pa.concat_tables(some, promote_options="default"), caps, clock, sums))
        if before:
            told.filter("place is not null").project(f"place, {_POINTS}").insert_into(RENEWED)
            told = told.filter("place is null and not is_given")
        told.project(_LINE).insert_into(into)


def _sums(con: duckdb.DuckDBPyConnection, table: str, where: str) -> Sums:
    columns = con.sql(f"select subject, position, given from {table} where {where}").fetchnumpy()
    subject, rule, given = (np.asarray(columns[name]) for name in ("subject", "position", "given"))
    return Sums(subject.view(np.int64), rule, given)


RENEWED = "renewed_lines"
_POINTS = "(raw / 10000.0)::decimal(18, 4), (capped / 10000.0)::decimal(18, 4), note::varchar"
_LINE = f"subject, person_id, account_id, touch_id, position, occurred_at, event_on, {_POINTS}"


def _judge(touches: pa.Table, caps: Caps, clock: Clock, sums: Sums | None) -> pa.Table:
    """The gathered rows of some persons with what they give: event_on, raw, capped (ten-thousandths), note."""
    size = touches.num_rows
    is_given, times = np.zeros(size, bool), np.ones(size, np.int64)
    micros = _numbers(touches, "occurred_at").copy()
    if "times" in touches.column_names:
        is_given, times = touches["times"].is_valid().to_numpy(), _numbers(touches, "times", 1)
    day = _numbers(touches, "given_on").copy() if is_given.any() else np.zeros(size, np.int64)
    day[~is_given] = local_days(micros[~is_given], clock.timezone)
    micros[is_given] = _BEFORE_ALL + day[is_given]  # before all events, day after day
    order = _in_order(_numbers(touches, "subject"), micros, touches["touch_id"], is_given)
    is_future = pc.fill_null(touches["is_future"], False).to_numpy() | (
        micros > np.datetime64(clock.until, "us").astype(np.int64)
    )
    subject, rule = _numbers(touches, "subject")[order], _numbers(touches, "position")[order]
    events = Events(subject, rule, day[order], is_future[order], is_given[order], times[order])
    told = cap_points(events, caps, clock.today, sums)
    raw, capped, note = (_put_back(column, order) for column in told)
    named = {
        "raw": pa.array(raw),
        "capped": pa.array(capped),
        "note": pa.DictionaryArray.from_arrays(pa.array(note, mask=note < 0), pa.array(NOTES)),
        "event_on": pa.array(day.astype(np.int32)).view(pa.date32()),
        "is_given": pa.array(is_given),
    }
    kept = touches.select([name for name in touches.column_names if name in _KEPT])
    return pa.table({**dict(zip(kept.column_names, kept.columns, strict=True)), **named})


_KEPT = ("subject", "person_id", "account_id", "touch_id", "position", "occurred_at", "place")


def _numbers(rows: pa.Table, name: str, blank: int = 0) -> Ints:
    """A column as whole numbers: times in microseconds, days since 1970, hashes as they are."""
    column = rows[name]
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.int64() if pa.types.is_timestamp(column.type) else pa.int32())
    if column.null_count:
        column = pc.fill_null(column, blank)
    numbers = column.to_numpy()
    return np.asarray(numbers.view(np.int64) if numbers.dtype == np.uint64 else numbers.astype(np.int64, copy=False))


def _put_back(told: npt.NDArray[Any], order: Ints) -> npt.NDArray[Any]:
    """What was told in an order, where it belongs."""
    back = np.empty_like(told)
    back[order] = told
    return back


def _in_order(subject: Ints, micros: Ints, touch_id: pa.ChunkedArray, is_given: npt.NDArray[np.bool_]) -> Ints:
    """The order by person, time and touch id. Ids are compared of those alone whose person and time are the same.

    Persons go by a hash of 64 bits, as long as their names are.
    """
    order = np.lexsort((micros, subject))
    same = (subject[order][1:] == subject[order][:-1]) & (micros[order][1:] == micros[order][:-1])
    tied = np.r_[same, False] | np.r_[False, same] if len(same) else np.zeros(len(order), bool)
    tied = np.flatnonzero(tied & ~is_given[order])
    if len(tied):
        rows = order[tied]
        rank = _put_back(np.arange(len(rows)), pc.array_sort_indices(touch_id.take(pa.array(rows))).to_numpy())
        order[tied] = rows[np.lexsort((rank, micros[rows], subject[rows]))]
    return order


def local_days(micros: Ints, timezone: str) -> Ints:
    """The day, since 1970, of each UTC instant in the time zone."""
    local = pd.DatetimeIndex(micros.astype("datetime64[us]")).tz_localize("UTC").tz_convert(zone(timezone))
    return np.asarray(local.tz_localize(None).as_unit("us").asi8 // _DAY_US)
