"""Put the checked tables where analysts, pages and the report read them."""

from abmloop.run import Run, StepCounts
from scoring.policies.consent import ConsentPolicy
from tasks.policies import load_policy
from warehouse.lease import assert_lease
from warehouse.publish import write_published
from warehouse.steps import step


def publish(run: Run) -> StepCounts:
    """Replace the published file in one step; readers are never blocked and never see two runs mixed.

    People are masked in it, but for the columns that `consent.yaml` publishes.
    """
    policy = load_policy(run, ConsentPolicy)
    with step(run, "publish") as work:
        # Another connection to the same warehouse: DuckDB lets one transaction write one file only.
        with work.con.cursor() as reader:
            assert_lease(work.ledger, run)
            rows = write_published(reader, run, policy.publish_unmasked)
        work.count(tables=len(rows), rows=sum(rows.values()))
    return work.counts
