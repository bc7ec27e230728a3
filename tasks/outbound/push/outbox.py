"""The outbox: what was decided to leave, and what became of it. Lives in the ledger; rows are only ever added.

A row's state is its last delivery event, else its own: pending → sending → done | retry | dead; held by the gate;
cancelled by a withdrawal; superseded by a newer version. `sending` without an answer means: outcome unknown.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, or_, select

from abmloop.redact import redact
from abmloop.run import Run
from scoring.policies.crm import OBJECT_ORDER
from tasks.outbound.consent.gate import Gate, Subject, Word, naive_utc
from tasks.outbound.crm.base import Fields, Value
from tasks.outbound.push.plan import Adopted, Change, digest
from warehouse.lease import assert_lease_in
from warehouse.ledger import Ledger
from warehouse.ledger_tables import deliveries, outbox

# The columns of a row that is written, in the order of Queued.
_WRITTEN = (
    "outbox_id", "object", "external_key", "version", "state", "payload_hash", "payload", "person_id", "caused_by",
)  # fmt: skip
RecordKey = tuple[str, str]
# Each row's cause is asked for several times while its batch is on the way.
_parsed = lru_cache(maxsize=4096)(json.loads)
# A few records are read by their keys; beyond that, reading all is faster.
_MOST_KEYS = 10_000
OPEN = ("pending", "sending", "retry")
_REPLACEABLE = ("pending", "retry", "dead", "held")


class Queued(NamedTuple):
    """One outbox row as it stands."""

    outbox_id: str
    object: str
    key: str
    version: int
    state: str
    payload_hash: str
    payload: str
    person_id: str | None
    caused_by: str
    attempt: int
    crm_id: str | None
    message: str | None

    @property
    def fields(self) -> Fields:
        """What is sent."""
        fields: dict[str, Value] = json.loads(self.payload)
        return fields

    @property
    def cause(self) -> dict[str, Any]:
        """The action, the gate's word, and what the gate needs to judge again."""
        return dict(_parsed(self.caused_by))

    @property
    def subject(self) -> Subject:
        """Whom it is about."""
        cause = self.cause
        return Subject(self.person_id, cause.get("region"), bool(cause.get("asks_to_call")))


class Intent(NamedTuple):
    """A record that wants to leave: its change, its subject and the gate's word. No change: it is to be held.

    `is_known`: the CRM holds a version of it, so that holding it back leaves something to be removed over there.
    `order`: its place among all records of the plan, best leads first.
    """

    object: str
    key: str
    subject: Subject
    word: Word
    change: Change | None = None
    is_known: bool = False
    order: str = ""


class Journal:
    """The outbox of one CRM instance, to be read: all of it, or what is about the records of `only`."""

    def __init__(self, ledger: Ledger, instance: str, only: Collection[RecordKey] | None = None) -> None:
        self.ledger = ledger
        self.instance = instance
        self.only = only if only is None or len(only) <= _MOST_KEYS else None

    def is_ours(self) -> ColumnElement[bool]:
        """The outbox rows of this instance, and of those records."""
        of_instance = outbox.c.instance == self.instance
        if self.only is None:
            return of_instance
        pairs = [(name, sorted(key for one, key in self.only if one == name)) for name in OBJECT_ORDER]
        chosen = [and_(outbox.c.object == name, outbox.c.external_key.in_(keys)) for name, keys in pairs if keys]
        return and_(of_instance, or_(false(), *chosen))

    def _rows(self, states: Collection[str] | None = None) -> Select[Any]:
        """Outbox rows with their last delivery event, oldest first."""
        last = select(deliveries.c.outbox_id, func.max(deliveries.c.seq).label("seq")).group_by(deliveries.c.outbox_id)
        if self.only is not None:
            last = last.where(deliveries.c.outbox_id.in_(select(outbox.c.outbox_id).where(self.is_ours())))
        newest = last.subquery("newest")
        state = func.coalesce(deliveries.c.state, outbox.c.state).label("now")
        joined = outbox.outerjoin(newest, newest.c.outbox_id == outbox.c.outbox_id).outerjoin(
            deliveries, deliveries.c.seq == newest.c.seq
        )
        # In the order of Queued.
        columns = (
            outbox.c.outbox_id,
            outbox.c.object,
            outbox.c.external_key,
            outbox.c.version,
            state,
            outbox.c.payload_hash,
            outbox.c.payload,
            outbox.c.person_id,
            func.coalesce(outbox.c.caused_by, "{}"),
            func.coalesce(deliveries.c.attempt, 0),
            deliveries.c.crm_id,
            deliveries.c.message,
        )
        query = select(*columns).select_from(joined).where(self.is_ours()).order_by(outbox.c.seq)
        return query.where(state.in_(list(states))) if states is not None else query

    def queued(self, states: Collection[str]) -> list[Queued]:
        """The rows in any of these states, in the order they were decided."""
        with self.reading() as connection:
            return [Queued._make(row) for row in connection.execute(self._rows(states))]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A look without a write lock."""
        with self.ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def acknowledged(self) -> dict[str, dict[str, Fields]]:
        """What the CRM confirmed: object → key → fields, the versions laid over each other."""
        held: dict[str, dict[str, Fields]] = {}
        for row in sorted(self.queued(("done",)), key=lambda row: row.version):
            records = held.setdefault(row.object, {})
            seen = row.cause.get("seen", {}) if '"seen"' in row.caused_by else {}
            records[row.key] = {**records.get(row.key, {}), **seen, **row.fields}
        return held

    def crm_ids(self) -> dict[tuple[str, str], str]:
        """(object, key) → the CRM's own id, where it ever gave one."""
        query = (
            select(outbox.c.object, outbox.c.external_key, deliveries.c.crm_id)
            .join(deliveries, deliveries.c.outbox_id == outbox.c.outbox_id)
            .where(and_(self.is_ours(), deliveries.c.crm_id.is_not(None)))
            .order_by(deliveries.c.seq)
        )
        with self.reading() as connection:
            return {(name, key): crm_id for name, key, crm_id in connection.execute(query)}

    def last_delivered(self) -> tuple[str | None, date | None]:
        """The instance of the last confirmed delivery of all, and the newest `as_of` delivered to this one."""
        done = select(outbox.c.instance).join(deliveries, deliveries.c.outbox_id == outbox.c.outbox_id)
        done = done.where(deliveries.c.state == "done").order_by(deliveries.c.seq.desc()).limit(1)
        # No push is for a day before the last one's: its newest delivery is of the newest day.
        newest = select(deliveries.c.recorded_as_of).join(outbox, deliveries.c.outbox_id == outbox.c.outbox_id)
        newest = newest.where(and_(deliveries.c.state == "done", outbox.c.instance == self.instance))
        newest = newest.order_by(deliveries.c.seq.desc()).limit(1)
        with self.reading() as connection:
            return connection.execute(done).scalar(), connection.execute(newest).scalar()


class Outbox(Journal):
    """The outbox of one CRM instance, written by one run.

    Read once and kept in step with what is written: nobody but the holder of the lease sends. What a person puts back
    meanwhile (`abmloop letters retry`) is for the next run.
    """

    def __init__(self, ledger: Ledger, run: Run, instance: str, only: Collection[RecordKey] | None = None) -> None:
        super().__init__(ledger, instance, only)
        self.run = run
        self._held: dict[str, Queued] | None = None
        self._ids: dict[tuple[str, str], str] | None = None

    def queued(self, states: Collection[str]) -> list[Queued]:
        """The rows in any of these states, in the order they were decided."""
        return [row for row in self._standing().values() if row.state in states]

    def crm_ids(self) -> dict[tuple[str, str], str]:
        """(object, key) → the CRM's own id, where it ever gave one."""
        if self._ids is None:
            self._ids = super().crm_ids()
        return self._ids

    def _standing(self) -> dict[str, Queued]:
        if self._held is None:
            with self.reading() as connection:
                self._held = {row[0]: Queued._make(row) for row in connection.execute(self._rows())}
        return self._held

    def _keep(self, rows: Sequence[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> None:
        """Keep in step with what was written."""
        held, ids = self._standing(), self.crm_ids()
        for row in rows:
            held[row["outbox_id"]] = Queued._make((*(row[name] for name in _WRITTEN), 0, None, None))
        for one in events:
            before = held[one["outbox_id"]]
            told_id, message = one.get("crm_id"), one.get("message")
            held[before.outbox_id] = before._replace(
                state=one["state"], attempt=one["attempt"] or 0, crm_id=told_id, message=message
            )
            if told_id:
                ids[before.object, before.key] = told_id

    def enqueue(self, intents: Sequence[Intent], gate: Gate) -> Counter[str]:
        """Write the intents with the gate's word in one transaction; gives the number per named state.

        The gate looks again inside the transaction, so a refusal committed before it wins. A newer version
        supersedes one that still stands; what waits for a person who refused since is cancelled.
        """
        counted: Counter[str] = Counter()
        rows: list[dict[str, Any]] = []
        closed: dict[str, dict[str, Any]] = {}
        with self.ledger.transaction() as connection:
            assert_lease_in(connection, self.run)
            gate.refresh(connection)
            latest = {(row.object, row.key): row for row in self._standing().values()} if intents else {}
            for intent in intents:
                before = latest.get((intent.object, intent.key))
                row = self._row(intent, gate, before.version + 1 if before else 1)
                state = _standing_state(before, row)
                counted[state or row["state"]] += 1
                if state is None:
                    rows.append(row)
                    closed |= _closing(before, row)
            for waiting, word in self._refused(gate, closed):
                closed[waiting.outbox_id] = event(waiting, "cancelled", message=f"the gate says {word}")
            counted["cancelled"] += sum(one["state"] == "cancelled" for one in closed.values())
            self.ledger.append_in(connection, "deliveries", [self._stamped(row) for row in closed.values()], self.run)
            self.ledger.append_in(connection, "outbox", rows, self.run)
        self._keep(rows, closed.values())
        return +counted

    def adopt(self, name: str, adopted: Sequence[Adopted]) -> int:
        """Put on record what stands there as it should without a delivery of ours on record; gives how many."""
        if not adopted:
            return 0
        with self.ledger.transaction() as connection:
            assert_lease_in(connection, self.run)
            known = {row.key for row in self._standing().values() if row.object == name}
            new = [one for one in adopted if one.key not in known]
            rows = [self._adopted_row(name, one) for one in new]
            self.ledger.append_in(connection, "outbox", rows, self.run)
            events = [
                {"delivery_id": digest([row["outbox_id"], 0, "done"])[:32], "outbox_id": row["outbox_id"], "attempt": 0,
                 "state": "done", "crm_id": one.crm_id, "message": "stood there already"}
                for row, one in zip(rows, new, strict=True)
            ]  # fmt: skip
            self.ledger.append_in(connection, "deliveries", [self._stamped(row) for row in events], self.run)
        self._keep(rows, events)
        return len(new)

    def _adopted_row(self, name: str, one: Adopted) -> dict[str, Any]:
        return {
            "outbox_id": digest([self.instance, name, one.key, 1])[:32],
            "instance": self.instance,
            "object": name,
            "external_key": one.key,
            "version": 1,
            "payload_hash": digest(dict(one.fields)),
            "payload": _json(dict(one.fields)),
            "person_id": None,
            "state": "done",
            "caused_by": _json({"action": "adopt", "gate": "nothing was sent"}),
        }

    def _row(self, intent: Intent, gate: Gate, version: int) -> dict[str, Any]:
        """The outbox row of an intent by the gate's word of now; what may not leave is kept without its payload."""
        word = intent.word
        if word.is_allowed:
            word = gate.judge_subject(intent.subject)
        change = intent.change if word.is_allowed else None
        action = change.action if change else ("remove" if intent.is_known else "hold")
        cause: dict[str, Any] = {
            "action": action,
            "gate": str(word),
            "region": intent.subject.region,
            "asks_to_call": intent.subject.asks_to_call,
            "order": intent.order,
        }
        if change and change.crm_id:
            cause["crm_id"] = change.crm_id
        if change and change.is_moved:
            cause["is_moved"] = True
        if change and change.seen:
            cause["seen"] = dict(change.seen)
        return {
            "outbox_id": digest([self.instance, intent.object, intent.key, version])[:32],
            "instance": self.instance,
            "object": intent.object,
            "external_key": intent.key,
            "version": version,
            "payload_hash": change.payload_hash if change else digest(["held", action, word.state]),
            "payload": _json(dict(change.fields)) if change else "{}",
            "person_id": intent.subject.person_id,
            "state": "pending" if change else "held",
            "caused_by": _json(cause),
        }

    def _refused(self, gate: Gate, closed: Collection[str]) -> list[tuple[Queued, Word]]:
        """What waits for persons who may no longer be sent, with the gate's word."""
        waiting = [row for row in self.queued(("pending", "retry")) if row.outbox_id not in closed]
        judged = [(row, gate.judge_subject(row.subject)) for row in waiting]
        return [(row, word) for row, word in judged if not word.is_allowed]

    def begin_sending(self, rows: Sequence[Queued], gate: Gate) -> dict[str, Word]:
        """Mark rows as on their way, in one transaction with the gate's last look; outbox_id → word for those that go.

        Rows of persons who refused meanwhile are cancelled. Raises Busy where another run took the lease.
        """
        words: dict[str, Word] = {}
        events = []
        with self.ledger.transaction() as connection:
            assert_lease_in(connection, self.run)
            gate.refresh(connection)
            for row in rows:
                word = gate.judge_subject(row.subject)
                if word.is_allowed:
                    words[row.outbox_id] = word
                    events.append(event(row, "sending", attempt=row.attempt + 1))
                else:
                    events.append(event(row, "cancelled", message=f"the gate says {word}"))
            self.ledger.append_in(connection, "deliveries", [self._stamped(row) for row in events], self.run)
        self._keep((), events)
        return words

    def record(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Write what became of rows, in one transaction."""
        if events:
            self.ledger.append("deliveries", [self._stamped(row) for row in events], self.run)
            self._keep((), events)

    def _stamped(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "sent_at": naive_utc(self.run.at)}


def _standing_state(before: Queued | None, row: Mapping[str, Any]) -> str | None:
    """The state of an earlier version that makes a new one needless, as it is counted; None: write the new one."""
    if before is None:
        return None
    if before.state == "sending":
        return "awaiting_answer"
    if before.payload_hash == row["payload_hash"] and before.state in _REPLACEABLE:
        return "held" if before.state == "held" else f"already_{before.state}"
    return None


def _closing(before: Queued | None, row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The event that ends an earlier version which the new row replaces, by its outbox_id; none for what is final."""
    if before is None or before.state not in _REPLACEABLE:
        return {}
    if row["state"] == "held" and before.state in ("pending", "retry"):
        return {before.outbox_id: event(before, "cancelled", message="the person may not be sent any more")}
    return {before.outbox_id: event(before, "superseded", message="a newer version was decided")}


def event(row: Queued, state: str, *, attempt: int | None = None, **more: str | None) -> dict[str, Any]:
    """A delivery event of a row; the same event twice is the same row in the ledger."""
    tried = row.attempt if attempt is None else attempt
    return {
        "delivery_id": hashlib.sha256(f"{row.outbox_id} {tried} {state}".encode()).hexdigest()[:32],
        "outbox_id": row.outbox_id,
        "attempt": tried,
        "state": state,
        "crm_id": more.get("crm_id"),
        "message": _shown(more.get("message") or "")[:2000] or None,
    }


# The CRM's own words may repeat what was sent. The same words come again and again.
_shown = lru_cache(maxsize=1024)(redact)

_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def census(rows: Iterable[Queued]) -> dict[str, int]:
    """How many rows are in each named state; every row is in exactly one."""
    return dict(sorted(Counter(row.state for row in rows).items()))
