"""The log of engagement, brought up to date: what every touch earned its person after the caps.

A day's new touches cost what they are, not what the log is: where a person's new touches are later than all before,
their lines are added, and the caps go on from the sums so far; where a touch came late, went or changed, the person's
lines are made anew. Other rules, code or time zone make the whole log anew. The caps are arithmetic: scoring/caps.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import zone
from scoring.caps import NOTES, Caps, Events, cap_points, read_caps
from scoring.engagement import PLACES, Ints
from tasks.code import code_hash
from warehouse.parts import build_part, pick_part
from warehouse.steps import Work

_SLICE_ROWS = 2_000_000  # judged in one piece: bounds the memory
_MOST_IN_PART = 0.25  # of the touches; with more of them new, making all lines anew is the shorter way
_TOUCHES, _BASE = "scored_touches", "earned_before"
NEW_LINES = "new_lines"  # what the last call in part added: of those made anew all their lines
REACHED = "reached_persons"  # whose lines the last call changed
_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000


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


def update_log(work: Work, rules_hash: str, graded_by: str) -> bool:
    """Bring scored.score_lines up to date with core.touches; gives whether only the persons in REACHED changed.

    Needs rules.engagement and scored.leads as they are now; takes ops.touch_changes.
    """
    con, clock = work.con, Clock(work.run.as_of, work.parameters["at"], work.run.timezone)
    code = code_hash("scored", "scoring/caps.py", "tasks/score_log.py")
    made_by = f"{code} {rules_hash} {clock.timezone} {duckdb.__version__}"
    in_part = _may_go_in_part(con, made_by)
    if in_part:
        _find_reached(con, clock)
        in_part = _reach_is_small(con)
    if in_part:
        _update_part(con, work, clock)
    else:
        con.execute("delete from scored.score_lines")
        write_all_lines(con, clock)
    _keep_state(con, clock, made_by, graded_by)
    work.count(score_lines=con.execute("select count(*) from scored.score_lines").fetchall()[0][0])
    return in_part


def write_all_lines(con: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    """The lines of all touches, into an empty scored.score_lines."""
    _gather(con, "scored.rule_touches")
    _write_gathered(con, clock, "scored.score_lines")
    con.execute(f"drop table {_TOUCHES}")


def _gather(con: duckdb.DuckDBPyConnection, source: str, base: str | None = None) -> None:
    """`scored_touches`: those of a relation like scored.rule_touches whose persons count, after their `base`."""
    columns = "touch_id, person_id, account_id, position::smallint as position, occurred_at, is_future"
    given = "false as is_given, 0::bigint as given, 1::bigint as times, null::date as given_on" if base else ""
    con.execute(
        f"create or replace temp table {_TOUCHES} as"
        f" select hash(person_id) as subject, {columns}, {given} from {source}"
        " where person_id not in (select person_id from scored.leads where is_excluded)"
    )
    if base:
        con.execute(
            f"insert into {_TOUCHES} by name select hash(person_id) as subject, person_id, position,"
            " timestamp '0001-01-01' as occurred_at, false as is_future, true as is_given, given, times,"
            f" event_on as given_on from {base}"
        )


def _write_gathered(con: duckdb.DuckDBPyConnection, clock: Clock, into: str) -> None:
    """Judge the gathered touches, some persons after the others, and add their lines."""
    caps = read_caps(con.sql("select * from rules.engagement").to_arrow_table())
    rows = int(con.execute(f"select count(*) from {_TOUCHES}").fetchall()[0][0])
    slices = max(1, -(-rows // _SLICE_ROWS))
    for number in range(slices):
        some = con.sql(f"select * from {_TOUCHES} where subject % {slices} = {number}").to_arrow_table()
        # Not registered: what is registered stays in memory until the transaction ends.
        told = con.from_arrow(_judge(some, caps, clock)).filter("not is_given")
        told.project(_LINE).insert_into(into)


_LINE = (
    "person_id, account_id, touch_id, position, occurred_at, event_on, (raw / 10000.0)::decimal(18, 4),"
    " (capped / 10000.0)::decimal(18, 4), note::varchar"
)


def _judge(touches: pa.Table, caps: Caps, clock: Clock) -> pa.Table:
    """The gathered touches of some persons with what they give: event_on, raw, capped (ten-thousandths), note."""
    size, columns = touches.num_rows, touches.column_names
    micros = _numbers(touches, "occurred_at")
    order = _in_order(_numbers(touches, "subject"), micros, touches["touch_id"])
    day = local_days(micros, clock.timezone)
    is_given, given, times = np.zeros(size, bool), np.zeros(size, np.int64), np.ones(size, np.int64)
    if "is_given" in columns:
        is_given = touches["is_given"].to_numpy()
        given, times = _numbers(touches, "given"), _numbers(touches, "times")
        day = np.where(is_given, pc.fill_null(touches["given_on"].cast(pa.int32()), 0).to_numpy(), day)
    is_future = touches["is_future"].to_numpy() | (micros > np.datetime64(clock.until, "us").astype(np.int64))
    subject, rule = _numbers(touches, "subject")[order], touches["position"].to_numpy()[order]
    in_order = (is_future[order], is_given[order], given[order], times[order])
    told = cap_points(Events(subject, rule, day[order], *in_order), caps, clock.today)
    raw, capped, note = (_put_back(column, order) for column in told)
    named = {
        "raw": pa.array(raw),
        "capped": pa.array(capped),
        "note": pa.DictionaryArray.from_arrays(pa.array(note, mask=note < 0), pa.array(NOTES)),
        "event_on": pa.array(day.astype(np.int32)).view(pa.date32()),
        "is_given": pa.array(is_given),
    }
    kept = touches.select(["person_id", "account_id", "touch_id", "position", "occurred_at"])
    return pa.table({**dict(zip(kept.column_names, kept.columns, strict=True)), **named})


def _numbers(rows: pa.Table, name: str) -> Ints:
    """A column without nulls as whole numbers: times in microseconds, hashes as they are."""
    return np.asarray(rows[name].to_numpy()).view(np.int64)


def _put_back(told: npt.NDArray[Any], order: Ints) -> npt.NDArray[Any]:
    """What was told in an order, where it belongs."""
    back = np.empty_like(told)
    back[order] = told
    return back


def _in_order(subject: Ints, micros: Ints, touch_id: pa.ChunkedArray) -> Ints:
    """The order by person, time and touch id. Ids are compared of those alone whose person and time are the same.

    Persons go by a hash of 64 bits, as long as their names are.
    """
    order = np.lexsort((micros, subject))
    same = (subject[order][1:] == subject[order][:-1]) & (micros[order][1:] == micros[order][:-1])
    tied = np.flatnonzero(np.r_[same, False] | np.r_[False, same]) if len(same) else np.zeros(0, np.int64)
    if len(tied):
        rows = order[tied]
        rank = _put_back(np.arange(len(rows)), pc.array_sort_indices(touch_id.take(pa.array(rows))).to_numpy())
        order[tied] = rows[np.lexsort((rank, micros[rows], subject[rows]))]
    return order


def local_days(micros: Ints, timezone: str) -> Ints:
    """The day, since 1970, of each UTC instant in the time zone."""
    local = pd.DatetimeIndex(micros.astype("datetime64[us]")).tz_localize("UTC").tz_convert(zone(timezone))
    return np.asarray(local.tz_localize(None).as_unit("us").asi8 // _DAY_US)


def _may_go_in_part(con: duckdb.DuckDBPyConnection, made_by: str) -> bool:
    """Whether the lines that stand were made by the same rules, and what changed since is known."""
    same = con.execute("select count(*) from ops.score_state where made_by = ?", [made_by]).fetchall()[0][0]
    anything = con.execute("select count(*) from ops.touch_changes where touch_id is null").fetchall()[0][0]
    return bool(same) and not anything


def _find_reached(con: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    """REACHED (person_id, is_anew): whose touches changed, or ceased to be of the future, or became too old since; who
    came on or off an exclusion list. All but those whose touches were only added are to be made anew."""
    [(as_of, until)] = con.execute("select as_of, until from ops.score_state").fetchall()
    [(oldest,)] = con.execute("select coalesce(max(oldest_days), 0) from rules.engagement").fetchall()
    days = sorted(day - timedelta(days=oldest) for day in (as_of, clock.as_of))
    instants = sorted((until, clock.until))
    con.execute(
        f"""
        create or replace temp table {REACHED} as
        with told as (
            select person_id, not bool_and(is_added) or count(*) > count(distinct touch_id) as is_anew
            from ops.touch_changes
            where person_id is not null
            group by all
        ),
        turned as (
            select person_id from scored.leads where is_excluded and person_id not in (from ops.score_excluded)
            union
            select person_id from ops.score_excluded
            where person_id not in (select person_id from scored.leads where is_excluded)
        ),
        aged as (
            select distinct person_id
            from scored.score_lines
            where (event_on >= $day_1 and event_on < $day_2) or (event_at > $at_1 and event_at <= $at_2)
        )
        select person_id, bool_or(is_anew) as is_anew
        from (
            from told union all select person_id, true from turned union all select person_id, true from aged
        )
        group by all
        """,
        {"day_1": days[0], "day_2": days[1], "at_1": instants[0], "at_2": instants[1]},
    )


def _reach_is_small(con: duckdb.DuckDBPyConnection) -> bool:
    reached, persons = con.execute(
        f"select (select count(*) from {REACHED}), (select count(*) from scored.leads)"
    ).fetchall()[0]
    return bool(reached <= _MOST_IN_PART * persons)


def _update_part(con: duckdb.DuckDBPyConnection, work: Work, clock: Clock) -> None:
    """The lines of the reached persons: added where their new touches are their latest, else made anew."""
    _gather_base(con)
    con.execute(f"create or replace temp table {NEW_LINES} as from scored.score_lines limit 0")
    con.execute(
        "create or replace temp table part_touches as"
        f" select * exclude (is_added) from ops.touch_changes where is_added and {_ADDS_ONLY}"
    )
    _judge_part(con, work, clock, _BASE)
    [(anew,)] = con.execute(f"select count(*) from {REACHED} where is_anew").fetchall()
    if anew:
        whose = f"person_id in (select person_id from {REACHED} where is_anew)"
        con.execute(f"delete from scored.score_lines where {whose}")
        pick_part(con, "core.touches", whose, "part_touches")
        _judge_part(con, work, clock, None)
    con.execute(f"insert into scored.score_lines by name from {NEW_LINES}")
    work.count(persons_scored_anew=anew)


_ADDS_ONLY = f"person_id in (select person_id from {REACHED} where not is_anew)"


def _judge_part(con: duckdb.DuckDBPyConnection, work: Work, clock: Clock, base: str | None) -> None:
    """The lines of `part_touches`, into the new ones."""
    build_part(con, "scored.rule_touches", "part_rules", {"core.touches": "part_touches"}, work.parameters)
    _gather(con, "part_rules", base)
    _write_gathered(con, clock, NEW_LINES)


def _gather_base(con: duckdb.DuckDBPyConnection) -> None:
    """What the persons with later touches only had earned before, per rule, and apart on the days of those touches.

    Who has a touch that is not later than what they had is anew.
    """
    con.execute(
        f"""
        create or replace temp table {_BASE} as
        with newest as (
            select person_id, min(occurred_at) as first_at
            from ops.touch_changes
            where is_added and {_ADDS_ONLY}
            group by all
        ),
        line as (
            select lines.person_id, position, event_on, event_at, raw_points, first_at
            from scored.score_lines as lines
            join newest using (person_id)
            where note is null or note not in ('in_future', 'too_old')
        )
        select person_id, position,
               -- Days are of a time zone: what is within a day of the first new touch may be of its day.
               case when event_at >= first_at - interval 2 days then event_on end as event_on,
               (sum(greatest(raw_points, 0)) * {PLACES})::bigint as given, count(*) as times,
               bool_or(event_at >= first_at) as is_late
        from line
        group by all
        """
    )
    late = f"select person_id from {_BASE} where is_late"
    con.execute(f"update {REACHED} set is_anew = true where person_id in ({late})")
    con.execute(f"delete from {_BASE} where person_id in ({late})")


def _keep_state(con: duckdb.DuckDBPyConnection, clock: Clock, made_by: str, graded_by: str) -> None:
    con.execute("delete from ops.touch_changes")
    con.execute("delete from ops.score_state")
    con.execute("insert into ops.score_state values (?, ?, ?, ?)", [made_by, clock.as_of, clock.until, graded_by])
    con.execute("create or replace table ops.score_excluded as select person_id from scored.leads where is_excluded")
