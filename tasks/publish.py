"""Put the checked tables where analysts, pages and the report read them."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.policies.consent import ConsentPolicy
from tasks.policies import load_policy
from warehouse.database import published_path
from warehouse.lease import assert_lease
from warehouse.publish import logs_followed, publishing_rules, who_published, write_published
from warehouse.steps import Work, step

# Patching leaves gaps where rows were: after so many runs the file is written whole again.
_MOST_PARTS = 30


def publish(run: Run) -> StepCounts:
    """Replace the published file in one step; readers are never blocked and never see two runs mixed.

    People are masked in it, but for the columns that `consent.yaml` publishes. What did not change since the file that
    stands is taken over from it.
    """
    policy = load_policy(run, ConsentPolicy)
    with step(run, "publish") as work:
        changed = _changed(work, policy.publish_unmasked)
        # Another connection to the same warehouse: DuckDB lets one transaction write one file only.
        with work.con.cursor() as reader:
            assert_lease(work.ledger, run)
            rows = write_published(reader, run, policy.publish_unmasked, changed)
        work.execute("delete from ops.published")
        work.execute("insert into ops.published values (?)", [run.run_id])
        work.count(tables=len(rows), rows=sum(rows.values()))
    return work.counts


def _changed(work: Work, unmasked: Iterable[str]) -> dict[str, pa.Table] | None:
    """Log → keys noted since the file that stands was published; None where it is to be written whole."""
    rules = publishing_rules(unmasked)
    taken = {log: work.changed(log, rules) for log in logs_followed()}
    last = work.execute("select run_id from ops.published").fetchall()
    # A copy in which a large table is written anew would hold it twice.
    if not last or any(changes.is_all for changes in taken.values()) or not _stands(work.run, str(last[0][0])):
        return None
    return {log: work.query(f"select key from {changes.table}") for log, changes in taken.items()}


def _stands(run: Run, run_id: str) -> bool:
    """Whether the published file is that run's, and not patched too often."""
    try:
        found, parts = who_published(published_path(run.root))
    except duckdb.Error:
        return False
    return found == run_id and parts < _MOST_PARTS
