"""Scores: the log of engagement, what each person has of it on the day of the run, and each lead's grade."""

from __future__ import annotations

import hashlib

from scoring.policies.scoring import ScoringPolicy
from tasks.score.log import GONE_LINES, NEW_LINES, REACHED, STANDING_LINES, update_log
from warehouse.steps import Work

VIEWS = (
    "scored.score_day",
    "scored.rule_touches",
    "scored.line_points",
    "scored.score_events",
    "scored.event_points",
    "scored.scores",
    "scored.lead_terms",
)

# Whatever a grade hangs on besides the points: the lead, its company's fit and lists, the person's seniority.
_GRADED_BY = """
select concat_ws(' ',
    (select bit_xor(hash(person_id, account_id, decision, is_new_account, is_contactable, is_excluded))
        + count(*) from scored.leads),
    (select bit_xor(hash(account_id, fit_points, grade)) + count(*) from resolved.account_fit),
    (select bit_xor(hash(account_id, list, valid_from, valid_to)) + count(*) from resolved.target_accounts),
    (select bit_xor(hash(person_id, seniority)) + count(*) from matched.persons))
"""


def bring_scores_up_to_date(work: Work, policy: ScoringPolicy) -> bool:
    """The log, the persons' points and the leads' grades as of the run's day; needs scored.leads and the rules' tables.
    Gives whether of the log only the lines of the persons in REACHED changed.

    On the day of the last run, with no lead, fit or list changed, only the persons whose touches changed are told anew:
    the others' points are what they were. On another day all points have faded.
    """
    work.build(*VIEWS)
    stood = work.execute("select as_of, graded_by from ops.score_state").fetchall()
    graded_by = str(work.execute(_GRADED_BY).fetchall()[0][0])
    in_part = update_log(work, rules_hash(policy), graded_by)
    if in_part and stood == [(work.run.as_of, graded_by)]:
        _bring_points_up_to_date(work)
        _bring_grades_up_to_date(work)
    else:
        work.build("scored.person_points", "scored.grades")
    work.build("scored.account_points")
    return in_part


# On the way persons go by the hash of their id, which is a number: texts take twice as long.
_HASHED = "create or replace temp view hashed_{0} as select * replace (person_hash as person_id) from {0}"

_STANDING = f"""
create or replace temp table standing_points as
select person_points.rowid as place, person_hash as person_id, account_id, points, weight, lines, last_event_at,
       way = 'anew' as is_anew
from scored.person_points
join {REACHED} on person_hash = hash(person_points.person_id)
"""

# The weight of the others is in their row.
_UNWEIGHED = """
create or replace temp table unweighed as
select hash(person_id) as person_id, seniority
from matched.persons
where hash(person_id) in (
    select lines.person_id
    from part_line_points as lines
    left join standing_points as stands
        on stands.person_id = lines.person_id and stands.account_id is not distinct from lines.account_id
        and not stands.is_anew
    where stands.place is null
)
"""

# What stood, what came and less what went; of those whose touches were read again, what came is all.
_NOW = """
create or replace temp table points_now as
with told as (
    select 0 as part, * exclude (is_anew) from standing_points where not is_anew
    union all by name
    select 1 as part, * from new_points
    union all by name
    select 2 as part, person_id, account_id, -points as points, -lines as lines, last_event_at from gone_points
)
select max(place) as place, person_id, account_id, sum(points)::decimal(18, 4) as points,
       coalesce(max(weight) filter (part = 0), max(weight)) as weight, sum(lines)::bigint as lines,
       coalesce(max(last_event_at) filter (part = 0) <= max(last_event_at) filter (part = 2), false) as is_unsure,
       case when is_unsure then max(last_event_at) filter (part = 1) else max(last_event_at) filter (part < 2) end
           as last_event_at
from told
group by person_id, account_id
"""

# Whose newest line went: of the lines that stand another is the newest now, unless a new one is.
_LAST_EVENTS = f"""
update points_now set last_event_at = greatest(last_event_at, newest.event_at)
from (
    select subject, account_id, max(occurred_at) as event_at
    from {STANDING_LINES}
    join (
        select rowid as place, account_id
        from scored.score_lines
        where rowid in (
            select place
            from {STANDING_LINES}
            where capped_points > 0 and subject in (select person_id from points_now where is_unsure)
        )
    ) using (place)
    group by all
) as newest
where is_unsure and subject = person_id and newest.account_id is not distinct from points_now.account_id
"""

_WRITE_POINTS = (
    """
    delete from scored.person_points
    where rowid in (select place from standing_points where place not in (
        select place from points_now where place is not null
    ))
    """,
    """
    update scored.person_points set points = now.points, lines = now.lines, last_event_at = now.last_event_at
    from points_now as now
    where person_points.rowid = now.place
    """,
    f"""
    insert into scored.person_points by name
    select points_now.* exclude (place, is_unsure) replace (named.person_id as person_id)
    from points_now
    join (select distinct person_hash, person_id from {NEW_LINES}) as named on person_hash = points_now.person_id
    where place is null
    """,
)

# A lead goes by the place of its row.
_TERMS = f"""
create or replace temp table part_terms as
select grades.rowid as lead_id, hash(person_id) as person_id, fit_grade, engagement_points as points_before,
       grid as grid_before, null::varchar as account_id, null::double as fit_points, null::double as mql_from_points,
       null::double as leave_below_points, null::varchar as blocked_by
from scored.grades
where hash(person_id) in (select person_hash from {REACHED})
"""

_WRITE_GRADES = (
    """
    update scored.grades set engagement_points = now.engagement_points
    from (select grades_now.* from grades_now join part_terms using (lead_id)
          where engagement_points <> points_before) as now
    where grades.rowid = now.lead_id
    """,
    """
    update scored.grades set engagement_band = now.engagement_band, grid = now.grid
    from (select grades_now.* from grades_now join part_terms using (lead_id) where grid <> grid_before) as now
    where grades.rowid = now.lead_id
    """,
)


def rules_hash(policy: ScoringPolicy) -> str:
    """A hash of all that scoring.yaml says."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()[:16]


def _bring_points_up_to_date(work: Work) -> None:
    """The points of the persons whose lines changed, from what they had and from their new lines alone."""
    work.execute(_STANDING)
    for lines in (NEW_LINES, GONE_LINES):
        work.execute(_HASHED.format(lines))
    work.part("scored.line_points", "part_line_points", {"scored.score_lines": f"hashed_{NEW_LINES}"})
    work.execute(_UNWEIGHED)
    instead = {"scored.line_points": "part_line_points", "matched.persons": "unweighed"}
    work.part("scored.person_points", "new_points", instead)
    work.part("scored.line_points", "gone_line_points", {"scored.score_lines": f"hashed_{GONE_LINES}"})
    work.part("scored.person_points", "gone_points", {**instead, "scored.line_points": "gone_line_points"})
    work.execute(_NOW)
    if work.execute("select 1 from points_now where is_unsure limit 1").fetchall():
        work.execute(_LAST_EVENTS)
    for sql in _WRITE_POINTS:
        work.execute(sql)


def _bring_grades_up_to_date(work: Work) -> None:
    """The cells of the leads of those persons; what else a grade says hangs on nothing that changed."""
    work.execute(_TERMS)
    instead = {"scored.lead_terms": "part_terms", "scored.person_points": "points_now"}
    work.count(grades=work.part("scored.grades", "grades_now", instead))
    for sql in _WRITE_GRADES:
        work.execute(sql)
