"""The suppression list: who must never be contacted, known by keyed hashes that outlive the data itself."""

import hashlib
import hmac
from pathlib import Path

from abmloop.run import Author
from warehouse.ledger import Ledger
from warehouse.secret import make_secret


def suppression_hash(secret: bytes, value: str) -> str:
    """The keyed hash under which the list knows a normalised phone number or e-mail address.

    HMAC-SHA256; a plain hash of a phone number is reversible in minutes. Source: spec 13-privacy P15, 11-faults M9.
    """
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()


def suppress(ledger: Ledger, root: Path, key: tuple[str, str], reason: str, by: Author) -> str:
    """Put a key (kind, normalised value) on the list; gives its hash. Twice on a day is once."""
    kind, value = key
    key_hash = suppression_hash(make_secret(root), value)
    row = {
        "suppression_id": f"{key_hash[:32]}:on:{by.as_of}",
        "key_hash": key_hash,
        "key_kind": kind,
        "reason": reason,
        "active": True,
    }
    ledger.append("suppressions", [row], by)
    return key_hash
