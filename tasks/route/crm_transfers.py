"""A lead that sales handed over within the CRM: the same line in the log as if handed over here.

Theirs is a change of their own only where it differs from what we delivered last, and is later than that delivery: else
it is our own older word that comes back.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import and_, select

from scoring.policies.crm import CrmPolicy
from scoring.policies.routing import RoutingPolicy
from scoring.routing import reclaim_at
from tasks.outbound.crm.mapping import in_their_words
from tasks.outbound.push.outbox import Journal, RecordKey
from tasks.policies import load_policy
from tasks.route.sales_log import new_line
from warehouse.ledger import Ledger
from warehouse.ledger_tables import deliveries, outbox
from warehouse.steps import Work

# The newest row of each lead over there that names a known owner who is not the one we have.
_OTHERS = """
with told as (
    select leads.lead_id, feedback.owner_id, feedback.changed_at,
           row_number() over (partition by leads.lead_id order by feedback.changed_at desc, feedback.row_id) as place
    from core.lead_feedback as feedback
    left join scored.leads as by_person on by_person.person_id = feedback.person_id
    join scored.leads on leads.lead_id = coalesce(by_person.lead_id, feedback.lead_id)
    where feedback.changed_at <= $at and feedback.owner_id is not null
)
select told.lead_id, told.owner_id, told.changed_at, assignments.assignment_id, assignments.owner_id as holder
from told
join scored.assignments on assignments.lead_id = told.lead_id and assignments.is_current
join core.owners_today as owners on owners.owner_id = told.owner_id
where place = 1 and told.owner_id <> assignments.owner_id and assignments.assigned_at < told.changed_at
order by told.lead_id
"""


def take_transfers(work: Work, policy: RoutingPolicy) -> int:
    """Write what sales handed over within the CRM into the log, each once; gives the lines added.

    No limit is asked: whoever has it over there has it. The timers start anew, as with any transfer.
    """
    others = work.query(_OTHERS, at=work.parameters["at"]).to_pylist()
    if not others:
        return 0
    crm = in_their_words(load_policy(work.run, CrmPolicy))
    rule = crm.objects.get("leads")
    if rule is None or "owner_id" not in rule.fields:
        return 0
    keys = {("leads", row["lead_id"]) for row in others}
    sent = _delivered(work.ledger, crm.instance, keys, rule.name_there("owner_id"))
    lines = [_line(row, policy, work.run.timezone) for row in others if _is_theirs(row, sent.get(row["lead_id"]))]
    added = work.ledger.append("assignments", lines, work.run) if lines else 0
    work.count(**({"handed_over": added} if added else {}))
    return added


def _is_theirs(row: dict[str, Any], sent: tuple[Any, datetime] | None) -> bool:
    return sent is not None and row["owner_id"] != sent[0] and row["changed_at"] > sent[1]


def _line(row: dict[str, Any], policy: RoutingPolicy, timezone: str) -> dict[str, Any]:
    at = pa.array([row["changed_at"]], pa.timestamp("us"))
    none = pa.array([[]], pa.list_(pa.timestamp("us")))
    return new_line(
        row["lead_id"],
        row["assignment_id"],
        owner_id=row["owner_id"],
        path="transfer",
        reason="transferred",
        details={"from": row["holder"]},
        assigned_at=row["changed_at"],
        reclaim_at=reclaim_at(at, none, policy.reclaim, timezone)[0].as_py(),
        actor="crm",
    )


def _delivered(
    ledger: Ledger, instance: str, records: Collection[RecordKey], field: str
) -> dict[str, tuple[Any, datetime]]:
    """Of these records the value of a field that the CRM confirmed last, and when it was sent; by our key."""
    journal = Journal(ledger, instance, records)
    query = select(outbox.c.external_key, outbox.c.payload, deliveries.c.sent_at, deliveries.c.recorded_at)
    query = query.join(deliveries, deliveries.c.outbox_id == outbox.c.outbox_id)
    query = query.where(and_(journal.is_ours(), deliveries.c.state == "done")).order_by(deliveries.c.seq)
    found: dict[str, tuple[Any, datetime]] = {}
    with journal.reading() as connection:
        for key, payload, sent_at, recorded_at in connection.execute(query):
            fields = json.loads(payload)
            if field in fields:
                # A run for a day bears that day's end, which may be later than its own doing.
                found[key] = (fields[field], min(one for one in (sent_at, recorded_at) if one))
    return found
