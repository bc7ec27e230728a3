"""The workspace's secret, with which keys of people are hashed. It outlives every rebuild, and never changes."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from warehouse.ledger import Ledger

SECRET_VARIABLE = "ABMLOOP_SUPPRESSION_KEY"
_NOTED = "secret"
# Names of rows and people, and the suppression list, are made with different keys: neither tells of the other.
_OF_NAMES, _OF_NOTE = b"abmloop names", b"abmloop note"
_BLOCK_BYTES = 64  # of SHA-256; RFC 2104


def read_secret(root: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The secret: from the environment, else from the workspace's key file.

    Raises BadUsage where there is none, or where others can read the file: then nothing may be sent, since nobody
    could be recognised.
    """
    if given := environment.get(SECRET_VARIABLE):
        return given.encode()
    path = _key_file(root)
    if not path.is_file():
        raise BadUsage(said("secret_missing", variable=SECRET_VARIABLE, path=path))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadUsage(said("secret_open", path=path))
    return path.read_text(encoding="ascii").strip().encode()


def make_secret(root: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The secret, made where there is none yet."""
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


def keep_secret(ledger: Ledger, root: Path, by: Author) -> None:
    """Make the secret in a new workspace; hold it to the one the ledger was written with in an old one.

    Raises BadUsage where it is another one or gone: all people would get other names, and the suppression list would
    know nobody.
    """
    notes = [row for row in ledger.read("epochs").to_pylist() if row["name"] == _NOTED]
    is_used = bool(notes) or ledger.read("suppressions").num_rows > 0
    secret = read_secret(root) if is_used else make_secret(root)
    note = hmac.digest(secret, _OF_NOTE, "sha256").hex()
    if not notes:
        ledger.append("epochs", [{"name": _NOTED, "number": 1, "payload": note}], by)
    elif notes[0]["payload"] != note:
        raise BadUsage(said("secret_other", path=_key_file(root), variable=SECRET_VARIABLE))


def name_key(root: Path) -> bytes:
    """The key with which rows and people are named after their keys. A plain hash of a number is reversible (M9)."""
    return hmac.digest(read_secret(root), _OF_NAMES, "sha256")


def keyed_hash(key: bytes, value: str) -> str:
    """HMAC-SHA256 as 64 hexadecimal digits."""
    return hmac.digest(key, value.encode(), "sha256").hex()


def hash_parameters(root: Path) -> dict[str, bytes]:
    """What SQL needs for the same: `sha256($outer_pad || unhex(sha256($inner_pad || encode(value))))`.

    Source: RFC 2104; a test holds both to one result.
    """
    return _pads(name_key(root))


def suppression_parameters(root: Path) -> dict[str, bytes]:
    """The same for the keyed hashes of the suppression list."""
    secret = read_secret(root)
    return _pads(secret if len(secret) <= _BLOCK_BYTES else hashlib.sha256(secret).digest())


def _pads(key: bytes) -> dict[str, bytes]:
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    return {"inner_pad": bytes(byte ^ 0x36 for byte in padded), "outer_pad": bytes(byte ^ 0x5C for byte in padded)}


def _key_file(root: Path) -> Path:
    return root / "ledger" / "suppression.key"
