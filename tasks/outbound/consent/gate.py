"""The gate: whether something about a person may leave, for which purpose, by what they said until this moment.

Refusals are kept by person, whatever key they came on; a key that several persons share refuses for all of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

import pyarrow as pa
from sqlalchemy import Connection, select

from scoring.policies.consent import Channel, ConsentPolicy, PurposeName
from tasks.outbound.consent.suppress import suppression_hash
from warehouse.ledger_tables import consents, suppressions

ANY = "any"
# The kind of key of a refusal whose address or number is gone: only its keyed hash is known.
HASHED = "hashed"
COMPANY_KINDS = ("uscc", "domain")
_REFUSING = frozenset({"refused", "withdrawn"})


class Word(NamedTuple):
    """What the gate says: whether it may leave, under which named state, and on which evidence."""

    is_allowed: bool
    state: str
    evidence: str | None = None

    def __str__(self) -> str:
        return f"{self.state} ({self.evidence})" if self.evidence else self.state


class Subject(NamedTuple):
    """Whom a record is about (`person_id` None: no person), where they are, and whether it asks to call them.

    `region` as `marts.person_regions` has it: several joined by +, of which the strictest rule holds.
    """

    person_id: str | None
    region: str | None = None
    asks_to_call: bool = False


class ConsentEvent(NamedTuple):
    """One thing a person said about a channel; `given_at` is UTC without zone."""

    person_id: str
    channel: str
    status: str | None
    given_at: datetime | None
    event_id: str


class _Said(NamedTuple):
    at: datetime
    event_id: str


@dataclass
class Standing:
    """The fold of all events: per person and channel the latest refusal and the latest grant; and who is suppressed.

    `suppressed`: person → (keyed hash, channel; None is all) → the entry; `stopped`: the same of hashes, whosever.
    `spoken`: everybody of whom any of this is known.
    """

    refusals: dict[tuple[str, str], _Said] = field(default_factory=dict)
    grants: dict[tuple[str, str], _Said] = field(default_factory=dict)
    suppressed: dict[str, dict[tuple[str, str | None], str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)

    def add(self, event: ConsentEvent, at: datetime) -> None:
        """Take one event in; the order of events does not matter. What is unclear counts as a refusal for ever."""
        key = (event.person_id, event.channel or ANY)
        self.spoken.add(event.person_id)
        if event.status == "granted":
            # A grant for everything, without a date, or of the future proves nothing; it is left out, not refused.
            if event.given_at is not None and event.given_at <= at and key[1] != ANY:
                said = _Said(event.given_at, event.event_id)
                self.grants[key] = max(said, self.grants.get(key, said))
            return
        when = event.given_at if event.status in _REFUSING and event.given_at else datetime.max
        said = _Said(when, event.event_id)
        self.refusals[key] = max(said, self.refusals.get(key, said))

    def suppress(self, person_ids: Iterable[str], entry: tuple[str, str | None], entry_id: str | None) -> None:
        """Put an entry of the suppression list (keyed hash, channel) on these persons, or with None take it off."""
        for person_id in person_ids:
            self.spoken.add(person_id)
            entries = self.suppressed.setdefault(person_id, {})
            if entry_id is None:
                entries.pop(entry, None)
            else:
                entries[entry] = entry_id
        key_hash, channel = entry
        if channel is None and entry_id is not None:
            self.stopped[key_hash] = entry_id
        elif channel is None:
            self.stopped.pop(key_hash, None)

    def suppression(self, person_id: str, channel: str) -> str | None:
        """The entry of the suppression list that stops a channel of a person, or all of them; None without."""
        entries = self.suppressed.get(person_id, {})
        return next((entry_id for (_, of), entry_id in sorted(entries.items(), key=str) if of in (None, channel)), None)

    def refusal(self, person_id: str, channel: str) -> _Said | None:
        """The latest refusal of a channel, one of all channels included."""
        said = [self.refusals[key] for key in ((person_id, channel), (person_id, ANY)) if key in self.refusals]
        return max(said) if said else None


@dataclass
class Gate:
    """Judges by a policy over a standing. `at` is the run's instant, UTC without zone; `crm_region` ISO 3166."""

    policy: ConsentPolicy
    at: datetime
    keys: "PersonKeys"
    crm_region: str = "CN"
    standing: Standing = field(default_factory=Standing)
    _seen_consent: int = 0
    _seen_suppression: int = 0
    _words: dict[Subject, Word] = field(default_factory=dict)
    _of_silent: dict[tuple[PurposeName, str | None], Word] = field(default_factory=dict)

    def read(self, events: pa.Table) -> None:
        """Take in `core.consents` (person_id, channel, status, given_at, event_id)."""
        names = ("person_id", "channel", "status", "given_at", "event_id")
        for row in zip(*(events.column(name).to_pylist() for name in names), strict=True):
            self.standing.add(ConsentEvent(*row), self.at)
        self._words.clear()

    def refresh(self, connection: Connection) -> None:
        """Take in what the ledger has learned since the last look, within the transaction that writes the intent."""
        new = select(consents).where(consents.c.seq > self._seen_consent).order_by(consents.c.seq)
        for row in connection.execute(new).mappings():
            self._seen_consent = row["seq"]
            self._words.clear()
            key = (row["key_kind"], row["key_value"])
            if row["status"] == "granted" and self.keys.is_shared(*key):
                continue  # nobody knows which of those who share the key has agreed
            for person_id in self.keys.persons_of(*key):
                said = (row["channel"], row["status"], row["given_at"], row["event_id"])
                self.standing.add(ConsentEvent(person_id, *said), self.at)
        newer = select(suppressions).where(suppressions.c.seq > self._seen_suppression).order_by(suppressions.c.seq)
        for row in connection.execute(newer).mappings():
            self._seen_suppression = row["seq"]
            self._words.clear()
            entry = (row["key_hash"], row["channel"])
            named = row["suppression_id"] if row["active"] else None
            self.standing.suppress(self.keys.persons_of_hash(row["key_hash"]), entry, named)

    def judge(self, purpose: PurposeName, person_id: str, region: str | None) -> Word:
        """Whether this may be done with this person. Named states: allowed, suppressed, refused, not_granted.

        The latest word counts; a grant and a refusal of the same moment conflict, and a conflict is a refusal. Of
        several regions the strictest rule holds.
        """
        if person_id in self.standing.spoken:
            rule = self.policy.rule_of(purpose)
            word = self.judge_grant(rule.channel, person_id, rule.grant_valid_days)
            if word.state != "not_granted":
                return word
        asked = (purpose, region)
        if asked not in self._of_silent:
            self._of_silent[asked] = self._judge_silent(purpose, region)
        return self._of_silent[asked]

    def _judge_silent(self, purpose: PurposeName, region: str | None) -> Word:
        """Whether it may be done with whoever said nothing about it."""
        rule = self.policy.rule_of(purpose)
        if all(rule.needs_in(where) == "no_refusal" for where in self.policy.regions_of(region)):
            return Word(True, "allowed", "no refusal")
        if rule.mechanism:
            return Word(True, "allowed", rule.mechanism)
        return Word(False, "not_granted")

    def judge_grant(self, channel: Channel, person_id: str, valid_days: int | None = None) -> Word:
        """What the person themselves said about a channel: allowed by a grant that stands, refused, or not_granted.

        A grant that ran out takes nothing back any more: what was refused before it is refused again.
        """
        if (suppression := self.standing.suppression(person_id, channel)) is not None:
            return Word(False, "suppressed", suppression)
        refusal = self.standing.refusal(person_id, channel)
        grant = self.standing.grants.get((person_id, channel))
        if grant and valid_days and grant.at < self.at - timedelta(days=valid_days):
            grant = None
        if refusal and (grant is None or grant.at <= refusal.at):
            return Word(False, "refused", refusal.event_id)
        return Word(True, "allowed", grant.event_id) if grant else Word(False, "not_granted")

    def judge_list(
        self, person_id: str, region: str | None, purposes: Sequence[PurposeName], grants: Sequence[Channel] = ()
    ) -> Word:
        """Whether a person may be on a list: every purpose must allow it, and every channel of `grants` be granted.

        The evidence names all that was asked; the state of the first that says no is told with its name.
        """
        if not self.keys.knows(person_id):
            return Word(False, "unknown_person")
        asked: list[tuple[str, Word]] = [(one, self.judge(one, person_id, region)) for one in purposes]
        asked += [(channel, self.judge_grant(channel, person_id)) for channel in grants]
        for name, word in asked:
            if not word.is_allowed:
                state = word.state if name == purposes[0] else f"{name}_{word.state}"
                return Word(False, state, word.evidence)
        return Word(True, "allowed", "; ".join(f"{name}: {word.evidence}" for name, word in asked))

    def judge_company(self, keys: Iterable[str]) -> Word:
        """Whether a company may be on a list: none of its keys (code, domain) stands on the suppression list."""
        for value in keys if self.standing.stopped else ():
            if (entry := self.standing.stopped.get(self.keys.hash_of(value))) is not None:
                return Word(False, "suppressed", entry)
        return Word(True, "allowed", "no person")

    def judge_subject(self, subject: Subject) -> Word:
        """Whether a record may go to the CRM: its person, the border, and the call it asks for.

        Judged once for as long as nothing new is said. Source: spec 09-trust (consent gate), PIPL art. 38-39 for a CRM
        abroad.
        """
        word = self._words.get(subject)
        if word is None:
            word = self._words[subject] = self._judge_subject(subject)
        return word

    def _judge_subject(self, subject: Subject) -> Word:
        if subject.person_id is None:
            return Word(True, "allowed", "no person")
        if not self.keys.knows(subject.person_id):
            return Word(False, "unknown_person")
        word = self.judge("crm_lead", subject.person_id, subject.region)
        asked: list[PurposeName] = []
        if self.crm_region != "CN" and "CN" in self.policy.regions_of(subject.region):
            asked.append("cross_border")
        if subject.asks_to_call:
            asked.append("call")
        for purpose in asked:
            more = self.judge(purpose, subject.person_id, subject.region)
            if not word.is_allowed:
                return word
            evidence = f"{word.evidence}; {purpose}: {more.evidence}"
            word = (
                Word(True, "allowed", evidence)
                if more.is_allowed
                else Word(False, f"{purpose}_{more.state}", more.evidence)
            )
        return word


class PersonKeys:
    """Which persons a key belongs to, plain and as the suppression list knows it."""

    def __init__(
        self, keys: pa.Table, secret: Callable[[], bytes], shared: Iterable[tuple[str, str]] = frozenset()
    ) -> None:
        """`keys`: key_kind, key_value, person_id of all persons that may leave; `secret` is asked for when needed.

        `shared`: kind (phone for every number) and value of keys that persons beside these bear as well.
        """
        self._secret = cache(secret)
        self._shared = frozenset(shared)
        self._by_key: dict[tuple[str, str], set[str]] = {}
        self._by_hash: dict[str, set[str]] | None = None
        self._hashes: dict[str, str] = {}
        self._persons = set(keys.column("person_id").to_pylist())
        names = ("key_kind", "key_value", "person_id")
        for kind, value, person_id in zip(*(keys.column(name).to_pylist() for name in names), strict=True):
            self._by_key.setdefault((kind, value), set()).add(person_id)

    def knows(self, person_id: str) -> bool:
        """Whether the person has any key: one without (merged into another since) cannot be judged."""
        return person_id in self._persons

    def persons_of(self, kind: str, value: str) -> Iterable[str]:
        """The persons with that key. A number counts whether it was written down as mobile or as phone."""
        if kind == HASHED:
            return self.persons_of_hash(value)
        kinds = ("mobile", "phone") if kind in ("mobile", "phone") else (kind,)
        return sorted(set().union(*(self._by_key.get((one, value), set()) for one in kinds)))

    def is_shared(self, kind: str, value: str) -> bool:
        """Whether a key is not one person's alone: several bear it, looked at or not; or it names a company."""
        if kind in COMPANY_KINDS or (_kind(kind), value) in self._shared:
            return True
        return len(list(self.persons_of(kind, value))) > 1

    def hash_of(self, value: str) -> str:
        """The keyed hash of a key's value."""
        if value not in self._hashes:
            self._hashes[value] = suppression_hash(self._secret(), value)
        return self._hashes[value]

    def persons_of_hash(self, key_hash: str) -> Iterable[str]:
        """The persons with a key of that keyed hash."""
        if self._by_hash is None:
            secret = self._secret()
            self._by_hash = {}
            for (_, value), persons in self._by_key.items():
                self._by_hash.setdefault(suppression_hash(secret, value), set()).update(persons)
        return sorted(self._by_hash.get(key_hash, set()))


def _kind(kind: str) -> str:
    return "phone" if kind == "mobile" else kind


def naive_utc(at: datetime) -> datetime:
    """An aware instant as the ledger and the warehouse write it."""
    return at.astimezone(UTC).replace(tzinfo=None)
