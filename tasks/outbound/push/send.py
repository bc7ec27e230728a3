"""Sending what the outbox holds: batches, verdicts per row, doubt settled by asking, pauses and limits."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from abmloop.errors import CrmError, CrmUnreachable
from abmloop.faultpoint import fault_point
from abmloop.messages import said, tell
from scoring.policies.crm import OBJECT_ORDER, CrmPolicy
from tasks.outbound.consent.gate import Gate, Word
from tasks.outbound.crm.base import (
    BatchRefused,
    ChannelStopped,
    Connector,
    Found,
    Interrupted,
    Record,
    SlowDown,
    Verdict,
)
from tasks.outbound.push.outbox import Outbox, Queued, event
from tasks.outbound.push.plan import digest

DEAD_AFTER_ATTEMPTS = 25
# Where four calls of five have no answer, one row in a million is given up by mistake.
DEAD_AFTER_SILENCES = 60
FULL_BATCH_ATTEMPTS = 4
_ORDER: dict[str, int] = {name: place for place, name in enumerate(OBJECT_ORDER)}


class Sender:
    """Delivers one outbox through one connector. `stopped` says why it gave up for now, if it did."""

    def __init__(
        self,
        outbox: Outbox,
        connector: Connector,
        gate: Gate,
        policy: CrmPolicy,
        pause: Callable[[float], None],
    ) -> None:
        self._outbox = outbox
        self._connector = connector
        self._gate = gate
        self._policy = policy
        self._pause = pause
        self._says = connector.describe()
        self._failures = 0
        self._wait = 0.0
        self._crm_ids: dict[tuple[str, str], str] = {}
        self._calls = 0
        # A run before us may have been killed while a call of its was on the way.
        self._is_in_flight = True
        self.counted: Counter[str] = Counter()
        self.stopped: str | None = None

    def send(self) -> None:
        """Send all that waits, in rounds with pauses between them, until nothing waits or a limit is reached."""
        for turn in range(self._policy.attempts_per_run):
            self.settle()
            waiting = self._outbox.queued(("pending", "retry"))
            if self.stopped or not waiting:
                return
            if turn:
                self._pause(self._pause_seconds(turn))
            self._wait = 0.0
            self._crm_ids = self._outbox.crm_ids()
            for batch in self._batches(self._affordable(waiting)):
                if self.stopped or self._wait:
                    break
                self._deliver(batch)
        self.settle()

    def _affordable(self, waiting: Sequence[Queued]) -> Sequence[Queued]:
        """All that waits; where the calls do not suffice, the best leads with their companies and contacts."""
        left, allowed = self._connector.calls_left(), self._policy.calls_per_run
        limits = [left] if left is not None else []
        limits += [allowed - self._calls] if allowed is not None else []
        if not limits:
            return waiting
        chosen = best_within(waiting, max(min(limits), 0), self._says.rows_per_call or self._says.batch_size)
        if not chosen:
            self.stopped = said("crm_stopped_no_calls", number=f"{len(waiting):,}")
        return chosen

    def settle(self) -> None:
        """Find out what became of rows that were sent without an answer, before anything of them is sent again."""
        unknown = self._outbox.queued(("sending",))
        if unknown and self._is_in_flight and (self.stopped or not self._is_calm()):
            return
        self._is_in_flight = False
        for batch in self._batches(unknown):
            if self.stopped:
                return
            try:
                found = {} if self._says.identity == "manual_hold" else self._find(batch)
            except CrmError as error:
                self._note_failure(error)
                continue
            self._outbox.record([self._settled(row, found.get(row.key)) for row in batch])
            fault_point("crm:after_settle")

    def _is_calm(self) -> bool:
        """Wait until no call of before is on its way, and end what goes on over there; whether that is sure now."""
        if self._says.settle_seconds:
            self._pause(self._says.settle_seconds)
        try:
            self._connector.end_left_open()
        except CrmError as error:
            self._note_failure(error)
            return False
        return True

    def _find(self, batch: Sequence[Queued]) -> Mapping[str, Found]:
        return self._connector.find(batch[0].object, [row.key for row in batch])

    def _settled(self, row: Queued, found: Found | None) -> dict[str, Any]:
        language = self._outbox.run.language
        if self._says.identity == "manual_hold":
            self.counted["dead"] += 1
            return event(row, "dead", message=said("crm_dead_unsure").told(language))
        if found is None and row.attempt >= DEAD_AFTER_SILENCES:
            self.counted["dead"] += 1
            return event(row, "dead", message=said("crm_dead_silent", number=row.attempt).told(language))
        if found is None:
            return event(row, "retry", message="it had not arrived")
        if is_applied(row, found):
            self.counted["delivered"] += 1
            return event(row, "done", crm_id=found.crm_id, message="found there when asked again")
        return event(row, "retry", crm_id=found.crm_id, message="the record is there, this version is not")

    def _batches(self, rows: Sequence[Queued]) -> Iterator[list[Queued]]:
        """Batches of one object each, in the order in which objects depend on each other."""
        ordered = sorted(rows, key=lambda row: (_ORDER.get(row.object, len(_ORDER)), self._size(row, None) * -1))
        for _, group in groupby(ordered, key=lambda row: row.object):
            of_object = list(group)
            bulk = self._says.bulk_size if len(of_object) > self._says.bulk_from else None
            for size, alike in groupby(of_object, key=lambda row: self._size(row, bulk)):
                of_size = list(alike)
                for start in range(0, len(of_size), size):
                    yield of_size[start : start + size]

    def _size(self, row: Queued, bulk: int | None) -> int:
        """How large a batch with this row may be: the longer nothing is heard of it, the smaller, down to itself."""
        halvings = max(row.attempt - FULL_BATCH_ATTEMPTS, 0) // 3
        if bulk and row.attempt <= FULL_BATCH_ATTEMPTS:
            return bulk
        return max(self._says.batch_size >> halvings, 1)

    def _deliver(self, batch: Sequence[Queued]) -> None:
        """One batch, from the gate's last look to the written verdicts."""
        words = self._outbox.begin_sending(batch, self._gate)
        going = [row for row in batch if row.outbox_id in words]
        self.counted["cancelled"] += len(batch) - len(going)
        fault_point("crm:before_send")
        records = {row.key: _record(row, words[row.outbox_id], self._crm_ids) for row in going}
        verdicts = self._upsert(batch[0].object, list(records.values()))
        fault_point("crm:after_reply")
        self._outbox.record([self._outcome(row, verdicts[row.key]) for row in going if row.key in verdicts])
        fault_point("crm:after_record")

    def _upsert(self, name: str, records: list[Record]) -> dict[str, Verdict]:
        """The verdicts of a batch by key; a record without one is of unknown outcome."""
        if not records:
            return {}
        try:
            self._calls += -(-len(records) // (self._says.rows_per_call or len(records)))
            given = self._connector.upsert(name, records)
        except BatchRefused as error:
            return self._isolate(name, records, error.message)
        except Interrupted as error:
            self._is_in_flight = True
            self._note_failure(error.cause)
            return self._matched(records, error.verdicts)
        except CrmError as error:
            self._note_failure(error)
            return {}
        self._failures = 0
        return self._matched(records, given)

    def _isolate(self, name: str, records: list[Record], message: str) -> dict[str, Verdict]:
        """Split a refused batch until the bad record stands alone; the parts without it are delivered."""
        if len(records) == 1:
            return {records[0].key: Verdict(records[0].key, "dead", message=message)}
        half = len(records) // 2
        try:
            first = self._matched(records[:half], self._connector.upsert(name, records[:half]))
        except BatchRefused as error:
            return {**self._isolate(name, records[:half], error.message), **self._upsert(name, records[half:])}
        except CrmError as error:
            self._note_failure(error)
            return {}
        if len(records) - half == 1:
            # Suspected only because the others went through: the CRM itself shall say so.
            return {**first, **self._upsert(name, records[half:])}
        # The first half went through, so the bad record is in the second: no call is spent on asking.
        return {**first, **self._isolate(name, records[half:], message)}

    def _matched(self, records: Sequence[Record], given: Sequence[Verdict]) -> dict[str, Verdict]:
        """Verdicts by our key. One for a record we did not send, or two that differ, is an alarm and proves nothing."""
        sent = {record.key for record in records}
        told: dict[str, set[Verdict]] = {}
        for verdict in given:
            told.setdefault(verdict.key, set()).add(verdict)
        strange = sorted(key for key in told if key not in sent or len(told[key]) > 1)
        if strange:
            self.counted["alarms"] += len(strange)
            detail = json.dumps({"keys": strange[:20], "number": len(strange)})
            row = {"actor": self._outbox.run.run_id, "action": "crm_alarm", "object": self._outbox.instance}
            self._outbox.ledger.append("audit", [{**row, "detail": detail}], self._outbox.run)
        return {key: next(iter(told[key])) for key in told if key not in strange}

    def _outcome(self, row: Queued, verdict: Verdict) -> dict[str, Any]:
        tried, message = row.attempt + 1, tell(verdict.message, self._outbox.run.language)
        if verdict.state == "unsent":
            return event(row, "retry", attempt=tried, message=message)
        if verdict.state == "linked":
            self.counted["linked"] += 1
            return event(row, "superseded", attempt=tried, crm_id=verdict.crm_id, message=message)
        state = "dead" if verdict.state == "retry" and tried >= DEAD_AFTER_ATTEMPTS else verdict.state
        self.counted["delivered" if state == "done" else state] += 1
        return event(row, state, attempt=tried, crm_id=verdict.crm_id, message=message)

    def _note_failure(self, error: CrmError) -> None:
        """Count a call without an answer; stop for this run where going on would only hammer the CRM."""
        self._failures += 1
        # Whoever asks to wait has not looked at the call; but a bulk job of several calls may stand open.
        self._is_in_flight |= not isinstance(error, SlowDown) or self._says.bulk_size is not None
        if isinstance(error, SlowDown):
            self._wait = max(self._wait, error.seconds or self._policy.backoff_seconds)
            if self._wait > self._policy.longest_pause_seconds:
                self.stopped = said("crm_stopped_to_wait", seconds=f"{self._wait:,.0f}", why=error.message)
        elif isinstance(error, ChannelStopped) or not isinstance(error, CrmUnreachable):
            self.stopped = error.message
        elif self._failures >= self._policy.stop_after_failures:
            self.stopped = said("crm_stopped_silent", number=self._failures, why=error.message)

    def _pause_seconds(self, turn: int) -> float:
        """Doubled each turn, between half and all of it by a number that differs per run, never less than asked for."""
        longest = min(self._policy.backoff_seconds * 2.0 ** (turn - 1), self._policy.longest_pause_seconds)
        share = int(digest([self._outbox.run.run_id, turn])[:4], 16) / 0xFFFF
        return float(max(longest * (0.5 + share / 2), self._wait))


def is_applied(row: Queued, found: Found) -> bool:
    """Whether the record over there holds what this version says."""
    if found.fields is None:
        return found.payload_hash == row.payload_hash
    return all(found.fields.get(name) == value for name, value in row.fields.items())


def _record(row: Queued, word: Word, known: Mapping[tuple[str, str], str]) -> Record:
    crm_id = row.cause.get("crm_id") or known.get((row.object, row.key))
    return Record(row.key, row.fields, row.payload_hash, str(word), crm_id, bool(row.cause.get("is_moved")))


def best_within(rows: Sequence[Queued], calls: int, rows_per_call: int) -> list[Queued]:
    """The rows of the best leads that so many calls can carry, each object in calls of its own; their order is kept."""
    numbers: Counter[str] = Counter()
    chosen: set[str] = set()
    for row in sorted(rows, key=lambda row: (str(row.cause.get("order", "")), _ORDER.get(row.object, 0))):
        is_new_call = numbers[row.object] % rows_per_call == 0
        if is_new_call and calls == 0:
            continue
        calls -= is_new_call
        numbers[row.object] += 1
        chosen.add(row.outbox_id)
    return [row for row in rows if row.outbox_id in chosen]
