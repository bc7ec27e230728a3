"""The suppression list: who must never be contacted, known by keyed hashes that outlive the data itself."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from abmloop.errors import BadUsage
from abmloop.run import Author
from warehouse.ledger import Ledger

SECRET_VARIABLE = "ABMLOOP_SUPPRESSION_KEY"


def suppression_hash(secret: bytes, value: str) -> str:
    """The keyed hash under which the list knows a normalised phone number or e-mail address.

    HMAC-SHA256; a plain hash of a phone number is reversible in minutes. Source: spec 13-privacy P15, 11-faults M9.
    """
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()


def read_secret(root: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The secret of the list: from the environment, else from the workspace's key file.

    Raises BadUsage where there is none, or where others can read the file: then nothing may be sent, since nobody
    could be recognised.
    """
    if given := environment.get(SECRET_VARIABLE):
        return given.encode()
    path = _key_file(root)
    if not path.is_file():
        raise BadUsage(
            f"the suppression list cannot be read without its key: set {SECRET_VARIABLE}, or restore {path} from the "
            "backup of the ledger. Nothing was sent."
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadUsage(f"{path} can be read by others; run `chmod 600 {path}` and try again. Nothing was sent.")
    return path.read_text(encoding="ascii").strip().encode()


def make_secret(root: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The secret of the list, made where there is none yet."""
    path = _key_file(root)
    if SECRET_VARIABLE not in environment and not path.is_file():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process made one first; that one counts
        finally:
            fresh.unlink()
    return read_secret(root, environment)


def _key_file(root: Path) -> Path:
    return root / "ledger" / "suppression.key"


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
