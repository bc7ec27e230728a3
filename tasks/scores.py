"""Scores: the log of engagement, what each person has of it on the day of the run, and each lead's grade."""

from __future__ import annotations

import hashlib

from scoring.policies.scoring import ScoringPolicy
from tasks.score_log import NEW_LINES, REACHED, update_log
from warehouse.steps import Work

VIEWS = (
    "scored.score_day",
    "scored.rule_touches",
    "scored.line_points",
    "scored.score_events",
    "scored.event_points",
    "scored.scores",
)

# Whatever a grade hangs on besides the points: the lead, its company's fit and lists, the person's seniority.
_GRADED_BY = """
select concat_ws(' ',
    (select bit_xor(hash(lead_id, person_id, account_id, decision, is_new_account, is_contactable, is_excluded))
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
        _grade_reached(work)
    else:
        work.build("scored.person_points", "scored.grades")
    work.build("scored.account_points")
    return in_part


# Whose lines were only added to have what they had and what is new; of the others all lines are new.
_ALL_POINTS = f"""
create or replace temp table all_points as
select person_id, account_id, sum(points)::decimal(18, 4) as points, max(weight) as weight, sum(lines)::bigint as lines,
       max(last_event_at) as last_event_at
from (
    from new_points
    union all by name
    from scored.person_points where person_id in (select person_id from {REACHED} where not is_anew)
)
group by person_id, account_id
"""


def rules_hash(policy: ScoringPolicy) -> str:
    """A hash of all that scoring.yaml says."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()[:16]


def _grade_reached(work: Work) -> None:
    """Points and grades of the persons whose lines changed."""
    reached = f"person_id in (select person_id from {REACHED})"
    work.part("scored.line_points", "part_line_points", {"scored.score_lines": NEW_LINES})
    work.part("scored.person_points", "new_points", {"scored.line_points": "part_line_points"})
    work.execute(_ALL_POINTS)
    work.execute(f"delete from scored.person_points where {reached}")
    work.execute("insert into scored.person_points by name from all_points")
    work.pick("scored.leads", reached, "part_leads")
    work.pick("scored.person_points", reached, "part_points")
    work.update("scored.grades", reached, {"scored.leads": "part_leads", "scored.person_points": "part_points"})
