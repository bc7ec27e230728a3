"""The suppression list: who must never be contacted, known by keyed hashes that outlive the data itself."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from scoring.policies.consent import Channel
from tasks.outbound.consent.refusal_log import write_log
from warehouse.ledger import Ledger
from warehouse.secret import make_secret

# Who may take somebody off the list. Source: spec 13-privacy P19, 12-security S37.
ROLES = ("admin", "privacy")
Key = tuple[str, str]


@dataclass(frozen=True)
class Why:
    """Why somebody goes on the list or off it, who says so, in which role; `channel` None is all of them."""

    reason: str
    actor: str | None = None
    channel: Channel | None = None
    role: str = ""


def suppression_hash(secret: bytes, value: str) -> str:
    """The keyed hash under which the list knows a normalised phone number, e-mail address, domain or company code.

    HMAC-SHA256; a plain hash of a phone number is reversible in minutes. Source: spec 13-privacy P15, 11-faults M9.
    """
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()


def suppress(ledger: Ledger, root: Path, key: Key, reason: str, by: Author) -> str:
    """Put a key (kind, normalised value) on the list for every channel; gives its hash. Twice is once."""
    suppress_all(ledger, root, [key], Why(reason), by)
    return suppression_hash(make_secret(root), key[1])


def suppress_all(ledger: Ledger, root: Path, keys: Iterable[Key], why: Why, by: Author) -> int:
    """Put keys on the list; gives how many were not on it yet. It holds at once, and for every later run."""
    secret = make_secret(root)
    times, active = _standing(ledger)
    rows = {}
    for kind, value in keys:
        entry = (suppression_hash(secret, value), why.channel)
        if entry not in active:
            rows[entry] = _row(entry, kind, why, times[entry] + 1, is_active=True)
    write_log(root, "suppressions", rows.values())
    return ledger.append("suppressions", list(rows.values()), by)


def lift(ledger: Ledger, root: Path, key: Key, why: Why, by: Author) -> None:
    """Take a key off the list.

    Raises BadUsage without a reason, for a role that may not, for a key that is not on the list, and where the person
    has not agreed to anything since they went on it: without a newer grant nobody is taken off. Source: P19.
    """
    if why.role not in ROLES:
        raise BadUsage(said("consent_lift_role", role=why.role, roles=", ".join(ROLES)))
    if not why.reason.strip():
        raise BadUsage(said("consent_lift_reason"))
    entry = (suppression_hash(make_secret(root), key[1]), why.channel)
    times, active = _standing(ledger)
    if entry not in active:
        raise BadUsage(said("consent_lift_unknown"))
    grants = ledger.read("consents", only={"key_kind": key[0], "key_value": key[1], "status": "granted"}).to_pylist()
    newer = [row for row in grants if row["given_at"] > active[entry] and why.channel in (None, row["channel"])]
    if not newer:
        raise BadUsage(said("consent_lift_no_grant", since=f"{active[entry]:%Y-%m-%d %H:%M}"))
    row = _row(entry, key[0], why, times[entry] + 1, is_active=False)
    write_log(root, "suppressions", [row])
    audit = {"actor": why.actor, "action": "suppression_lifted", "object": row["suppression_id"]}
    audit["detail"] = f"role {why.role}; {why.reason}; after {newer[-1]['event_id']}"
    ledger.append_all({"suppressions": [row], "audit": [audit]}, by)


def _standing(ledger: Ledger) -> tuple[Counter[tuple[str, str | None]], dict[tuple[str, str | None], datetime]]:
    """How often each (hash, channel) stands in the log, and since when those are on the list that are."""
    times: Counter[tuple[str, str | None]] = Counter()
    active: dict[tuple[str, str | None], datetime] = {}
    for row in ledger.read("suppressions").to_pylist():
        entry = (row["key_hash"], row["channel"])
        times[entry] += 1
        if row["active"]:
            active[entry] = row["recorded_at"]
        else:
            active.pop(entry, None)
    return times, active


def _row(entry: tuple[str, str | None], kind: str, why: Why, number: int, is_active: bool) -> dict[str, Any]:
    key_hash, channel = entry
    return {
        "suppression_id": f"{key_hash[:32]}:{channel or 'all'}:{number}",
        "key_hash": key_hash,
        "key_kind": kind,
        "reason": why.reason,
        "active": is_active,
        "channel": channel,
        "actor": why.actor,
    }
