"""What could not be delivered: dead letters with the CRM's own words, and what the gate holds back."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.policy import parse_policy
from abmloop.run import Author
from scoring.policies.crm import CrmPolicy
from tasks.outbound.outbox import Journal, Queued, event
from tasks.policies import read_config
from warehouse.ledger import Ledger


@dataclass(frozen=True)
class Letter:
    """One record that did not leave. `state` dead: the CRM refused it; held: the gate did; `reason` says why."""

    letter_id: str
    object: str
    key: str
    state: str
    reason: str
    attempts: int
    action: str


def crm_instance(root: Path) -> str:
    """The CRM instance that the workspace's rules name."""
    return parse_policy(read_config(root)[CrmPolicy.file_name], CrmPolicy).instance


def list_letters(ledger: Ledger, instance: str) -> list[Letter]:
    """The dead and the held, oldest first."""
    return [_letter(row) for row in Journal(ledger, instance).queued(("dead", "held"))]


def _letter(row: Queued) -> Letter:
    cause = row.cause
    reason = row.message if row.state == "dead" else str(cause.get("gate"))
    return Letter(row.outbox_id, row.object, row.key, row.state, reason or "", row.attempt, str(cause.get("action")))


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
