"""An owner changed within the CRM is a transfer here; our own older word that comes back is not."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from abmloop.run import Run
from scoring.policies.routing import RoutingPolicy
from tasks.policies import load_policy
from tasks.route.crm_transfers import take_transfers
from warehouse.ledger import Ledger
from warehouse.steps import step

SENT = datetime(2026, 10, 20)
TABLES: dict[str, dict[str, Any]] = {
    "core.lead_feedback": {
        "row_id": "r1", "person_id": "P1", "lead_id": "L1", "owner_id": "u2", "changed_at": SENT + timedelta(days=1),
    },
    "scored.leads": {"lead_id": "L1", "person_id": "P1"},
    "core.owners_today": {"owner_id": "u2"},
    "scored.assignments": {
        "assignment_id": "a1", "lead_id": "L1", "owner_id": "u1", "is_current": True,
        "assigned_at": SENT - timedelta(days=5),
    },
}  # fmt: skip


@pytest.fixture
def reported(run: Run) -> Run:
    """Lead L1 is u1's here and was delivered as such; the CRM reports u2 a day later."""
    with step(run, "given") as work:
        for name, row in TABLES.items():
            work.con.register("given_rows", pa.Table.from_pylist([row]))
            work.execute(f"create or replace table {name} as select * from given_rows")
            work.con.unregister("given_rows")
    sent = {"outbox_id": "o1", "instance": "files:default", "object": "leads", "external_key": "L1", "version": 1}
    done = {"delivery_id": "d1", "outbox_id": "o1", "attempt": 1, "state": "done", "sent_at": SENT}
    with Ledger.of(run.root) as ledger:
        ledger.append(
            "outbox", [{**sent, "payload_hash": "-", "payload": '{"owner_id": "u1"}', "state": "pending"}], run
        )
        ledger.append("deliveries", [done], run)
    return run


def _taken(run: Run, change: str = "") -> list[dict[str, Any]]:
    """The lines that are written after this change of what is known."""
    with step(run, "take") as work:
        if change:
            work.execute(change)
        take_transfers(work, load_policy(run, RoutingPolicy))
        return work.ledger.read("assignments").to_pylist()


def test_an_owner_changed_within_the_crm_is_a_transfer_told_once(reported: Run) -> None:
    (line,) = _taken(reported)
    told = {name: line[name] for name in ("lead_id", "owner_id", "method", "path", "reason", "actor", "assigned_at")}
    assert told == {
        "lead_id": "L1", "owner_id": "u2", "method": "transfer", "path": "transfer", "reason": "transferred",
        "actor": "crm", "assigned_at": SENT + timedelta(days=1),
    }  # fmt: skip
    assert line["details"] == '{"from": "u1"}' and line["reclaim_at"] is not None
    assert len(_taken(reported)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "update core.lead_feedback set owner_id = 'u1'",
        "update core.lead_feedback set changed_at = timestamp '2026-10-19'",
        "update core.owners_today set owner_id = 'somebody else'",
        "update scored.assignments set assigned_at = timestamp '2026-10-25'",
        # Ours moved on and was not delivered yet: over there stands what we delivered.
        "update scored.assignments set owner_id = 'u3'; update core.lead_feedback set owner_id = 'u1'; "
        "update core.owners_today set owner_id = 'u1'",
    ],
)
def test_our_own_older_word_or_an_unknown_owner_is_no_transfer(reported: Run, change: str) -> None:
    assert _taken(reported, change) == []
