"""Persons from their keys, and each person's account: decided, for review, or none."""

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.policies.match import MatchPolicy
from tasks.match.marks import mark_suppressed
from tasks.match.persons import gather_persons, remember, settle_persons
from tasks.match.profiles import match_profiles
from tasks.policies import load_policy
from warehouse.steps import Work, step


def match(run: Run) -> StepCounts:
    """Join rows of people to persons, and persons to accounts; what people decided before comes first."""
    policy = load_policy(run, MatchPolicy)
    with step(run, "match") as work:
        gather_persons(work, policy)
        if marked := mark_suppressed(work):
            work.count(suppressed=marked)
        remember(work)
        work.replace("matched.match_policy", _policy_row(run, policy))
        work.build("matched.directory")
        match_profiles(work, policy)
        settle_persons(work)
        _count(work)
    return work.counts


def _policy_row(run: Run, policy: MatchPolicy) -> pa.Table:
    row = {
        "config_hash": run.config_hash,
        "as_of": run.as_of,
        "auto_from": policy.auto_from,
        "review_from": policy.review_from,
    }
    return pa.Table.from_pylist([row])


def _count(work: Work) -> None:
    """Persons by decision; rows of people in, each with its person."""
    work.count(rows_in=work.execute("select count(*) from matched.person_rows").fetchall()[0][0])
    rows = work.execute(
        "select decision, count(*) from matched.person_accounts group by all order by decision"
    ).fetchall()
    work.count(**{f"matched_{decision}": number for decision, number in rows})
