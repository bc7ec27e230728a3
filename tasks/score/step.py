"""Scores and stages: what every touch earned, where every lead stands, and since when."""

from __future__ import annotations

from abmloop.run import Run, StepCounts
from scoring.policies.icp import IcpPolicy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import rule_tables
from tasks.policies import load_policy
from tasks.route.sales_log import project_events
from tasks.score.points import bring_scores_up_to_date
from tasks.score.stages import bring_stages_up_to_date
from warehouse.steps import Work, step


def score(run: Run) -> StepCounts:
    """Score every person and account, and bring each lead's stages up to date."""
    policy = load_policy(run, ScoringPolicy)
    with step(run, "score") as work:
        for name, rows in rule_tables(policy).items():
            work.replace(name, rows)
        icp = load_policy(run, IcpPolicy)
        work.replace("rules.person_icp", icp.person_table())
        work.replace("rules.fit_grades", icp.grade_table())
        project_events(work)
        work.build("scored.leads")
        work.build("scored.buying_roles", "scored.person_fit")
        only_reached = bring_scores_up_to_date(work, policy)
        work.build("scored.stage_signals")
        bring_stages_up_to_date(work, policy, only_reached)
        _count(work)
    return work.counts


def _count(work: Work) -> None:
    """Leads by stage, and the excluded, for the screen."""
    for stage, number in work.execute(
        "select stage, count(*) from scored.lead_stages where is_current group by all order by all"
    ).fetchall():
        work.count(**{f"leads_{stage}": number})
    excluded = "select exclusion_kind, count(*) from scored.leads where is_excluded group by all order by all"
    for kind, number in work.execute(excluded).fetchall():
        work.count(**{f"excluded_{kind}": number})
