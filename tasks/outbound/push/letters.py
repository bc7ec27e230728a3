"""What could not be delivered: dead letters with the CRM's own words, and what the gate holds back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.policy import parse_policy
from abmloop.run import Author
from scoring.policies.crm import CrmPolicy
from tasks.outbound.push.outbox import Journal, Queued, event
from tasks.outbound.push.stuck import wanted_since
from tasks.policies import read_config
from warehouse.ledger import Ledger


@dataclass(frozen=True)
class Letter:
    """One record that did not leave. `state` dead: the CRM refused it; held: the gate did; `reason` says why.

    `since`: when a dead one was first wanted over there (UTC), whatever versions of it were tried since.
    """

    letter_id: str
    object: str
    key: str
    state: str
    reason: str
    attempts: int
    action: str
    since: datetime | None = None


def crm_instance(root: Path) -> str:
    """The CRM instance that the workspace's rules name."""
    return parse_policy(read_config(root)[CrmPolicy.file_name], CrmPolicy).instance


def list_letters(ledger: Ledger, instance: str) -> list[Letter]:
    """The dead and the held, oldest first."""
    journal = Journal(ledger, instance)
    rows = journal.queued(("dead", "held"))
    begun = wanted_since(journal) if any(row.state == "dead" for row in rows) else {}
    return [_letter(row, begun.get((row.object, row.key))) for row in rows]


def _letter(row: Queued, since: datetime | None) -> Letter:
    cause = row.cause
    reason = (row.message if row.state == "dead" else str(cause.get("gate"))) or ""
    return Letter(row.outbox_id, row.object, row.key, row.state, reason, row.attempt, str(cause.get("action")), since)


def retry_letters(ledger: Ledger, instance: str, letter_ids: Collection[str] | None, by: Author) -> int:
    """Put dead letters (None: all of them) back into the outbox; the next push sends them. Gives how many.

    Raises BadUsage for an id that is no dead letter; what the gate holds is not released here.
    """
    dead = {row.outbox_id: row for row in Journal(ledger, instance).queued(("dead",))}
    wanted = dead.keys() if letter_ids is None else letter_ids
    if unknown := [one for one in wanted if one not in dead]:
        raise BadUsage(said("crm_no_dead_letters", letters=", ".join(unknown)))
    events = [event(dead[one], "retry", message=f"sent again by {by.run_id}") for one in wanted]
    return ledger.append("deliveries", events, by)
