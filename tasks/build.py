"""The zones that are nothing but SQL: everything in them is made anew, because that is cheap and always right."""

import logging

import pyarrow as pa

from abmloop.messages import say
from abmloop.run import Run, StepCounts
from scoring.policies.attribution import AttributionPolicy
from scoring.policies.consent import ConsentPolicy
from tasks.attribute.step import load_attribution_rules
from tasks.policies import load_policy
from tasks.score.touch_changes import noted_touch_changes
from warehouse.steps import Work, step

log = logging.getLogger(__name__)


def build_core(run: Run) -> StepCounts:
    """Campaigns, touches, deals and money with their settled persons and accounts."""
    policy = load_policy(run, AttributionPolicy)
    with step(run, "build_core") as work:
        # What a stage of the CRM says about a deal is a rule too.
        load_attribution_rules(work, policy)
        with noted_touch_changes(work.con):
            work.build_zone("core")
        _tell_grants_not_ours(work)
    return work.counts


def _tell_grants_not_ours(work: Work) -> None:
    """Count and tell the grants that core.consents leaves out: collected elsewhere, they are no consent to us."""
    rows = work.execute(
        "select count(*) from staging.consents where lower(status) = 'granted' and not is_ours"
    ).fetchall()
    if number := rows[0][0]:
        work.count(grants_not_ours=number)
        log.warning(say("consent_grants_not_ours", work.run.language, number=f"{number:,}"))


def build_marts(run: Run) -> StepCounts:
    """What people and the CRM read."""
    policy = load_policy(run, ConsentPolicy)
    with step(run, "build_marts") as work:
        load_region_rules(work, policy)
        work.build_zone("marts")
    return work.counts


def load_region_rules(work: Work, policy: ConsentPolicy) -> None:
    """Put what says where a person is into rules.region_indications."""
    rows = [
        {
            "indication": one.indication,
            "place": place,
            "is_alone": one.counts == "alone",
            "unreadable_as": policy.unknown_region,
            "why": one.why,
        }
        for place, one in enumerate(policy.region_by, 1)
    ]
    work.replace("rules.region_indications", pa.Table.from_pylist(rows))
