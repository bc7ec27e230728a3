"""What people said about being contacted, put on record: events that are only ever added, each with its proof."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from scoring.policies.consent import CHANNELS
from scoring.values.checksums import is_uscc
from scoring.values.emails import parse_emails
from scoring.values.phones import parse_phones
from scoring.values.words import tells_no_consent
from tasks.outbound.consent.gate import ANY, HASHED
from tasks.outbound.consent.refusal_log import write_log
from tasks.outbound.consent.suppress import Key, suppression_hash
from warehouse.ledger import Ledger
from warehouse.secret import make_secret

STATUSES = ("granted", "refused", "withdrawn")


@dataclass(frozen=True)
class Statement:
    """One thing somebody said: about a channel, when (UTC without zone), how, in answer to which words, who notes it.

    `evidence` points at the proof: a form's id, a recording, a message; `wording` is the text that was shown to them.
    """

    channel: str
    status: str
    given_at: datetime
    evidence: str | None = None
    method: str | None = None
    purpose: str | None = None
    wording: str | None = None
    actor: str | None = None


def read_key(text: str) -> Key:
    """The kind and normalised value of what somebody typed: an address, a number, a company's code or domain.

    Raises BadUsage where it is none of these.
    """
    word = text.strip()
    if "@" in word:
        found = parse_emails([word])["email"].to_pylist()[0]
        if found:
            return "email", str(found)
    elif len(word) == 18 and word.isalnum() and (not word.isdecimal() or is_uscc(word)):
        return "uscc", word.upper()
    elif "." in word and not any(char.isspace() for char in word) and not word.replace(".", "").isdecimal():
        return "domain", word.lower().removeprefix("http://").removeprefix("https://").removeprefix("www.").rstrip("/")
    else:
        parsed = parse_phones([word])
        if number := parsed["phone"].to_pylist()[0]:
            return ("mobile" if parsed["mobile"].to_pylist()[0] else "phone"), str(number)
    raise BadUsage(said("consent_no_key", key=_masked(word)))


def read_keys(lines: Sequence[str]) -> tuple[list[Key], list[int]]:
    """The keys of many lines, and the numbers (from 1) of those that are none; blank lines are passed over.

    A line that is a bare number is read with all others at once: a do-not-call list has a great many.
    """
    words = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    parsed = parse_phones([word for _, word in words])
    keys: list[Key] = []
    unread: list[int] = []
    phones = zip(parsed["mobile"].to_pylist(), parsed["phone"].to_pylist(), strict=True)
    for (line, word), (mobile, phone) in zip(words, phones, strict=True):
        if phone and "@" not in word:
            keys.append(("mobile" if mobile else "phone", phone))
            continue
        try:
            keys.append(read_key(word))
        except BadUsage:
            unread.append(line)
    return keys, unread


def record(ledger: Ledger, root: Path, keys: Sequence[Key], said: Statement, by: Author) -> list[str]:
    """Put a statement on record for each key; gives the events' names. It holds from the next send on.

    Raises BadUsage for an unknown channel, for a time that is yet to come, and for a grant that lacks its proof, is for
    everything at once, or was not given to us.
    """
    _assert_sound(said, by.as_of)
    wording_hash = hashlib.sha256(said.wording.encode()).hexdigest() if said.wording else None
    rows: list[dict[str, Any]] = []
    for kind, value in keys:
        row = {
            "key_kind": kind,
            "key_value": value,
            "channel": said.channel,
            "status": said.status,
            "given_at": said.given_at,
            "evidence": said.evidence,
            "source": "recorded",
            "purpose": said.purpose,
            "method": said.method,
            "wording_hash": wording_hash,
            "actor": said.actor,
        }
        name = "\x1f".join(str(value) for value in row.values())
        rows.append({"event_id": hashlib.sha256(name.encode()).hexdigest()[:32], **row})
    if said.status != "granted":
        secret = make_secret(root)
        hashed = [{**row, "key_kind": HASHED, "key_value": suppression_hash(secret, row["key_value"])} for row in rows]
        write_log(root, "consents", hashed)
    ledger.append("consents", rows, by)
    return [row["event_id"] for row in rows]


def _assert_sound(given: Statement, today: date) -> None:
    if given.channel not in (*CHANNELS, ANY):
        raise BadUsage(said("consent_no_channel", channel=given.channel, channels=", ".join((*CHANNELS, ANY))))
    if given.status not in STATUSES:
        raise BadUsage(said("consent_no_status", status=given.status, statuses=", ".join(STATUSES)))
    if given.given_at.date() > today:
        raise BadUsage(said("consent_in_future", given_at=given.given_at))
    if given.status != "granted":
        return
    if given.channel == ANY:
        raise BadUsage(said("consent_for_everything"))
    if not given.evidence or not given.method:
        raise BadUsage(said("consent_without_proof"))
    if tells_no_consent([given.method, given.evidence]):
        raise BadUsage(said("consent_not_ours", method=given.method))


def _masked(text: str) -> str:
    """What was typed, without what could be somebody's number or address."""
    return f"{text[:2]}***" if len(text) > 2 else "***"
