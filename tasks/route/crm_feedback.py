"""What sales said of a lead in the CRM, accepted or rejected: the same lines in the log as if said here."""

from __future__ import annotations

import hashlib
from typing import Any

from scoring.policies.routing import RoutingPolicy
from scoring.routing import home_pool
from tasks.route.sales_log import new_line
from warehouse.steps import Work

KINDS = {"sal": "accepted", "recycled": "rejected", "disqualified": "disqualified"}

# Of the lead's assignments the one that stood when it was said.
_SAID = """
select feedback.row_id, evidence.stage, feedback.changed_at, feedback.reason, leads.lead_id, leads.person_key,
       assignments.assignment_id, assignments.owner_id, assignments.is_current
from core.lead_feedback as feedback
join rules.evidence on evidence.kind = 'status' and list_contains(evidence.words, feedback.status)
left join scored.leads as by_person on by_person.person_id = feedback.person_id
join scored.leads on leads.lead_id = coalesce(by_person.lead_id, feedback.lead_id)
join scored.assignments on assignments.lead_id = leads.lead_id and assignments.owner_id is not null
    and assignments.assigned_at <= feedback.changed_at
    and (assignments.ended_at is null or feedback.changed_at < assignments.ended_at)
where evidence.stage in ('sal', 'recycled', 'disqualified') and feedback.changed_at <= $at
order by feedback.changed_at, feedback.row_id, evidence.stage
"""


def take_feedback(work: Work, policy: RoutingPolicy) -> int:
    """Write what the CRM reported into the log, each once; gives the lines added.

    Acceptance and rejection become events of the assignment that stood then; a rejection also ends it: the lead goes to
    its pool, where it waits until it comes back as a new cycle.
    """
    known = set(work.query("select event_id from scored.sales_events")["event_id"].to_pylist())
    said = [row for row in work.query(_SAID, at=work.parameters["at"]).to_pylist() if event_id(row) not in known]
    if not said:
        return 0
    facts = {row["lead_id"]: row for row in work.table("scored.routing_facts").to_pylist()}
    events = [_event(row) for row in said]
    ends = {
        row["assignment_id"]: new_line(
            row["lead_id"],
            row["assignment_id"],
            pool_id=home_pool(facts[row["lead_id"]], policy),
            path="reject",
            reason="rejected",
            details={"from": row["owner_id"], "note": row["reason"]},
            assigned_at=row["changed_at"],
            actor="crm",
        )
        for row in said
        if row["is_current"] and row["stage"] != "sal" and row["lead_id"] in facts
    }
    added = work.ledger.append_all({"sales_events": events, "assignments": list(ends.values())}, work.run)
    work.count(feedback=added["sales_events"])
    return sum(added.values())


def event_id(row: dict[str, Any]) -> str:
    """The name of what was said in one row of the CRM."""
    return hashlib.sha256(f"crm|{row['row_id']}|{row['stage']}".encode()).hexdigest()[:32]


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": event_id(row),
        "lead_id": row["lead_id"],
        "person_key": row["person_key"],
        "assignment_id": row["assignment_id"],
        "kind": KINDS[row["stage"]],
        "happened_at": row["changed_at"],
        "owner_id": row["owner_id"],
        "told_to": None,
        "actor": "crm",
        "reason": row["reason"],
    }
