"""The zones that are nothing but SQL: everything in them is made anew, because that is cheap and always right."""

from abmloop.run import Run, StepCounts
from scoring.policies.attribution import AttributionPolicy
from tasks.attribute.step import load_attribution_rules
from tasks.policies import load_policy
from tasks.score.touch_changes import noted_touch_changes
from warehouse.steps import step


def build_core(run: Run) -> StepCounts:
    """Campaigns, touches, deals and money with their settled persons and accounts."""
    policy = load_policy(run, AttributionPolicy)
    with step(run, "build_core") as work:
        # What a stage of the CRM says about a deal is a rule too.
        load_attribution_rules(work, policy)
        with noted_touch_changes(work.con):
            work.build_zone("core")
    return work.counts


def build_marts(run: Run) -> StepCounts:
    """What people and the CRM read."""
    with step(run, "build_marts") as work:
        work.build_zone("marts")
    return work.counts
