"""The log of engagement, brought up to date: what every touch earned its person after the caps.

A day's new touches cost what they are, not what the log is: where a person's new touches are later than all before,
their lines are added, and the caps go on from the sums so far; where a touch came late or lines grew too old, the
person's lines are judged again, and those that give something else are renewed; where touches went or changed, the
person's lines are made anew. Other rules, code or time zone make the whole log anew.
"""

from __future__ import annotations

from datetime import timedelta

import duckdb

from scoring.engagement import PLACES
from tasks.code import code_hash
from tasks.score.lines import RENEWED, Before, Clock, gather_touches, write_lines
from warehouse.parts import build_part, pick_part
from warehouse.steps import Work

_MOST_IN_PART = 0.25  # of the persons; with more of them reached, making all lines anew is the shorter way
_TOUCHES, _SUMS, _DAYS = "scored_touches", "sums_before", "days_before"
NEW_LINES, GONE_LINES = "new_lines", "gone_lines"  # what the last call in part added, and what it replaced
STANDING_LINES = "standing_lines"  # of those whose lines the last call judged again, as they were; by place (rowid)
REACHED = "reached_persons"  # whose lines the last call changed


def update_log(work: Work, rules_hash: str, graded_by: str) -> bool:
    """Bring scored.score_lines up to date with core.touches; gives whether only the persons in REACHED changed.

    Needs rules.engagement and scored.leads as they are now; takes ops.touch_changes.
    """
    con, clock = work.con, Clock(work.run.as_of, work.parameters["at"], work.run.timezone)
    code = code_hash("scored", "scoring/caps.py", "tasks/score/lines.py", "tasks/score/log.py")
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
    gather_touches(con, "scored.rule_touches", _TOUCHES)
    write_lines(con, clock, _TOUCHES, "scored.score_lines")
    con.execute(f"drop table {_TOUCHES}")


def _may_go_in_part(con: duckdb.DuckDBPyConnection, made_by: str) -> bool:
    """Whether the lines that stand were made by the same rules, and what changed since is known."""
    same = con.execute("select count(*) from ops.score_state where made_by = ?", [made_by]).fetchall()[0][0]
    anything = con.execute("select count(*) from ops.touch_changes where touch_id is null").fetchall()[0][0]
    return bool(same) and not anything


def _find_reached(con: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    """REACHED (person_id, person_hash, way, first_at): whose touches changed, or ceased to be of the future, or became
    too old since; who came on or off an exclusion list.

    `first_at` is the time of the first of their new touches. The way is what is to be done: `added`, their touches were
    only added; `again`, their lines are to be judged again; `anew`, they are to be made anew from their touches.
    """
    [(as_of, until)] = con.execute("select as_of, until from ops.score_state").fetchall()
    [(oldest,)] = con.execute("select coalesce(max(oldest_days), 0) from rules.engagement").fetchall()
    days = sorted(day - timedelta(days=oldest) for day in (as_of, clock.as_of))
    instants = sorted((until, clock.until))
    con.execute(
        f"""
        create or replace temp table {REACHED} as
        with told as (
            select person_id, case when bool_and(is_added) then 1 else 3 end as way, min(occurred_at) as first_at
            from ops.touch_changes
            where person_id is not null
            group by all
        ),
        turned as (
            select person_id from scored.leads where is_excluded and person_id not in (from ops.score_excluded)
            union all
            select person_id from ops.score_excluded
            where person_id not in (select person_id from scored.leads where is_excluded)
        ),
        aged as (
            select person_id, case when event_at > $at_1 and event_at <= $at_2 then 3 else 2 end as way
            from scored.score_lines
            where (event_on >= $day_1 and event_on < $day_2) or (event_at > $at_1 and event_at <= $at_2)
        )
        select person_id, hash(person_id) as person_hash, ['added', 'again', 'anew'][max(way)] as way,
               min(first_at) as first_at
        from (from told union all by name select person_id, 3 as way from turned union all by name from aged)
        group by person_id
        """,
        {"day_1": days[0], "day_2": days[1], "at_1": instants[0], "at_2": instants[1]},
    )


def _reach_is_small(con: duckdb.DuckDBPyConnection) -> bool:
    reached, persons = con.execute(
        f"select (select count(*) from {REACHED}), (select count(*) from scored.leads)"
    ).fetchall()[0]
    return bool(reached <= _MOST_IN_PART * persons)


def _update_part(con: duckdb.DuckDBPyConnection, work: Work, clock: Clock) -> None:
    """The lines of the reached persons, each in their way."""
    _gather_before(con)
    _gather_touches_of_part(con, work)
    _gather_standing(con)
    con.execute(f"create or replace temp table {NEW_LINES} as from scored.score_lines limit 0")
    con.execute(f"create or replace temp table {RENEWED} as select 0::bigint as place, {_GIVES} from {NEW_LINES}")
    write_lines(con, clock, _TOUCHES, NEW_LINES, Before(_SUMS, _DAYS, STANDING_LINES))
    _renew_lines(con)
    con.execute(f"insert into scored.score_lines by name from {NEW_LINES}")
    told = con.execute(f"select way, count(*) from {REACHED} group by all").fetchall()
    work.count(**{f"persons_scored_{way}": number for way, number in told if way != "added"})


_GIVES = "raw_points, capped_points, note"


def _gather_before(con: duckdb.DuckDBPyConnection) -> None:
    """What the persons with later touches only had earned before, per rule, and how often on the days of those touches.

    Who has a touch that is not later than what they had is to be judged again, and so are the few whose touches are of
    an earlier day than nearly all others': lines of the days before are looked up for all together.
    """
    con.execute(
        f"create or replace temp table newest as select person_hash, first_at from {REACHED} where way = 'added'"
    )
    [(since,)] = con.execute(f"select quantile_disc(first_at::date, {_FEW}) from newest").fetchall()
    con.execute("create or replace temp table are_late as select person_hash from newest where first_at < $1", [since])
    con.execute("delete from newest where person_hash in (from are_late)")
    counts = _counts(con)
    con.execute(
        f"""
        create or replace temp table {_SUMS} as
        select person_hash as subject, position, greatest(sum((raw_points * {PLACES})::bigint), 0)::bigint as given,
               max(event_at) as last_at
        from scored.score_lines
        where person_hash in (select person_hash from newest) and {counts}
        group by all
        """
    )
    con.execute(
        f"insert into are_late select distinct person_hash from newest join {_SUMS} on subject = person_hash"
        " where last_at >= first_at"
    )
    con.execute(f"update {REACHED} set way = 'again' where person_hash in (from are_late)")
    con.execute(f"delete from {_SUMS} where subject in (from are_late)")
    # Days are of a time zone: what is within a day of the first new touch may be of its day.
    con.execute(
        f"""
        create or replace temp table {_DAYS} as
        select person_hash as subject, position, event_on as given_on, count(*) as times
        from scored.score_lines
        join newest using (person_hash)
        where event_at >= $since::timestamp - interval 2 days and event_at >= first_at - interval 2 days
            and {counts} and person_hash not in (from are_late)
        group by all
        """,
        {"since": since},
    )


_FEW = 0.05


def _counts(con: duckdb.DuckDBPyConnection) -> str:
    """A condition that picks the lines which use up a daily limit or a cap: those with points of a rule that has any.

    What is over the daily limit, of the future or too old has none.
    """
    free = con.execute("select position from rules.engagement where points = 0 order by all").fetchall()
    if not free:
        return "raw_points <> 0"
    places = ", ".join(str(position) for (position,) in free)
    return f"(raw_points <> 0 or position in ({places}) and (note is null or note not in ('in_future', 'too_old')))"


def _gather_touches_of_part(con: duckdb.DuckDBPyConnection, work: Work) -> None:
    """The new touches of the reached persons, and all touches of those whose lines are made anew."""
    source, anew = "ops.touch_changes", f"select person_id from {REACHED} where way = 'anew'"
    if con.execute(f"{anew} limit 1").fetchall():
        source, hashes = "part_touches", f"select person_hash from {REACHED} where way = 'anew'"
        con.execute(f"delete from scored.score_lines where person_hash in ({hashes})")
        pick_part(con, "core.touches", f"person_id in ({anew})", "anew_touches")
        con.execute(
            f"create or replace temp table {source} as select {_TOUCH} from ops.touch_changes"
            f" where person_id not in ({anew}) union all by name select {_TOUCH} from anew_touches"
        )
    build_part(con, "scored.rule_touches", "part_rules", {"core.touches": source}, work.parameters)
    gather_touches(con, "part_rules", _TOUCHES)


_TOUCH = "touch_id, person_id, account_id, channel, type, occurred_at, content, minutes, is_future"


def _gather_standing(con: duckdb.DuckDBPyConnection) -> None:
    """The lines of those who are judged again, with the touch's id where it decides which event came first."""
    again = f"select person_hash from {REACHED} where way = 'again'"
    con.execute(
        f"""
        create or replace temp table {STANDING_LINES} as
        select score_lines.rowid as place, person_hash as subject, position, event_at as occurred_at,
               null::varchar as touch_id, coalesce(note = 'in_future', false) as is_future, {_GIVES}
        from scored.score_lines
        where person_hash in ({again})
        """
    )
    con.execute(
        f"""
        create or replace temp table tied as
        select place
        from {STANDING_LINES}
        join (select subject, occurred_at from {STANDING_LINES} union all select subject, occurred_at from {_TOUCHES})
            using (subject, occurred_at)
        group by place
        having count(*) > 1
        """
    )
    con.execute(
        "create or replace temp table tied_lines as select rowid as place, event_id from scored.score_lines"
        " where rowid in (from tied)"
    )
    con.execute(
        f"update {STANDING_LINES} as s set touch_id = event_id from tied_lines where tied_lines.place = s.place"
    )


def _renew_lines(con: duckdb.DuckDBPyConnection) -> None:
    """Standing lines that give something else now are replaced; as they were they remain in GONE_LINES."""
    same = " and ".join(f"stood.{name} is not distinct from {RENEWED}.{name}" for name in _GIVES.split(", "))
    con.execute(f"delete from {RENEWED} using {STANDING_LINES} as stood where stood.place = {RENEWED}.place and {same}")
    # The texts of a few lines lie all over the log: only those are fetched that stand nowhere else.
    con.execute(
        f"""
        create or replace temp table {GONE_LINES} as
        select place, person_hash, person_id, account_id, event_id, position, occurred_at as event_at, event_on,
               {_GIVES}
        from (
            select rowid as place, account_id, event_id, event_on
            from scored.score_lines
            where rowid in (select place from {RENEWED})
        )
        join {STANDING_LINES} using (place)
        join {REACHED} on person_hash = subject
        """
    )
    con.execute(
        f"insert into {NEW_LINES} by name select gone.* exclude (place, {_GIVES}), {RENEWED}.* exclude (place)"
        f" from {GONE_LINES} as gone join {RENEWED} using (place)"
    )
    con.execute(f"delete from scored.score_lines where rowid in (select place from {RENEWED})")


def _keep_state(con: duckdb.DuckDBPyConnection, clock: Clock, made_by: str, graded_by: str) -> None:
    con.execute("delete from ops.touch_changes")
    con.execute("delete from ops.score_state")
    con.execute("insert into ops.score_state values (?, ?, ?, ?)", [made_by, clock.as_of, clock.until, graded_by])
    con.execute("create or replace table ops.score_excluded as select person_id from scored.leads where is_excluded")
