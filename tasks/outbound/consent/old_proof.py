"""Proof of consent that nobody relies on any more, past its term: found, told, deleted with a line in the audit."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import delete, select

from abmloop.run import Run
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import HASHED, Gate, naive_utc
from tasks.outbound.consent.open_gate import open_gate
from tasks.outbound.lists.members import ABANDONED, Export, active_members, read_exports
from tasks.policies import load_policy
from warehouse.lease import assert_lease_in
from warehouse.ledger import Ledger
from warehouse.ledger_tables import consents, list_members, outbox
from warehouse.steps import Work

Rows = list[dict[str, Any]]
_NAME = re.compile(r"[0-9a-f]{32}")  # of a recorded event, as it stands in the evidence of an export or a delivery


@dataclass(frozen=True)
class OldProof:
    """Rows of the ledger that may go, by their `seq`: grants, and who once stood on a list; older than `until`."""

    grants: tuple[int, ...]
    members: tuple[int, ...]
    until: datetime

    @property
    def rows(self) -> int:
        """How many rows would go."""
        return len(self.grants) + len(self.members)


def find_old_proof(run: Run, work: Work) -> OldProof:
    """What is past `keep_proof_days` and relied on by nothing.

    A grant is relied on while it allows anything. Its term begins when that ended (a refusal, a newer grant, its own
    term) or with the last message it allowed, whichever is later. Who stands on a list is never deleted from it, and
    refusals and the suppression list never are. Source: spec 13-privacy P12, P34.
    """
    policy = load_policy(run, ConsentPolicy)
    at = naive_utc(run.at)
    days = max([policy.keep_proof_days, *(cap.days for cap in policy.frequency)])
    until = at - timedelta(days=days)
    if not _has_any(work.ledger, until):
        return OldProof((), (), until)
    exports = read_exports(work.ledger)
    listed = work.ledger.read("list_members").to_pylist()
    grants = tuple(_old_grants(run, work, policy, listed, until))
    return OldProof(grants, tuple(_old_members(work.ledger, exports, listed, at, until)), until)


def _has_any(ledger: Ledger, until: datetime) -> bool:
    """Whether any row is old enough to be looked at: most days none is, and all else is not read."""
    asked = (
        select(consents.c.seq).where(consents.c.recorded_at < until, consents.c.status == "granted").limit(1),
        select(list_members.c.seq).where(list_members.c.recorded_at < until).limit(1),
    )
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return any(connection.execute(one).first() for one in asked)


def delete_old_proof(run: Run, work: Work, found: OldProof, actor: str) -> int:
    """Delete it, for good, with a line in the audit log in the same transaction; gives how many rows went."""
    if not found.rows:
        return 0
    told = {"grants": len(found.grants), "list_members": len(found.members), "older_than": found.until.isoformat()}
    row = {"actor": actor, "action": "proof_deleted", "object": "consents", "detail": json.dumps(told, sort_keys=True)}
    with work.ledger.transaction() as connection:
        assert_lease_in(connection, run)
        for table, rows in ((consents, found.grants), (list_members, found.members)):
            for start in range(0, len(rows), 500):
                connection.execute(delete(table).where(table.c.seq.in_(rows[start : start + 500])))
        work.ledger.append_in(connection, "audit", [row], run)
    return found.rows


def _old_grants(run: Run, work: Work, policy: ConsentPolicy, listed: Rows, until: datetime) -> Iterable[int]:
    said = work.ledger.read("consents").to_pylist()
    old = [row for row in said if row["status"] == "granted" and row["recorded_at"] < until > row["given_at"]]
    if not old:
        return
    gate = _gate_of_bearers(run, work, policy, old)
    listed_since = {row["suppression_id"]: row["recorded_at"] for row in work.ledger.read("suppressions").to_pylist()}
    ends = _Ends(said, policy, gate, listed_since)
    ended = [row for row in old if (end := ends.of(row)) is not None and end < until]
    # What left is read only where a grant ended that long ago: on most days none did.
    used = _last_used(work.ledger, listed) if ended else {}
    for row in ended:
        if used.get(row["event_id"], datetime.min) < until:
            yield row["seq"]


def _gate_of_bearers(run: Run, work: Work, policy: ConsentPolicy, grants: Rows) -> Gate:
    """The gate over those who bear the keys of these grants today, up to this moment."""
    values = sorted({row["key_value"] for row in grants})
    work.con.register("granted_keys", pa.table({"key_value": pa.array(values, pa.string())}))
    found = work.query("select distinct person_id from matched.person_keys semi join granted_keys using (key_value)")
    work.con.unregister("granted_keys")
    gate = open_gate(run, work, policy, set(found["person_id"].to_pylist()), "CN")
    with work.ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        gate.refresh(connection)
    return gate


class _Ends:
    """When a grant ceased to allow anything."""

    def __init__(self, said: Rows, policy: ConsentPolicy, gate: Gate, listed_since: Mapping[str, datetime]) -> None:
        self.gate, self.listed_since = gate, listed_since
        self.later: dict[tuple[str, str, str], datetime] = {}
        for row in said:
            if row["status"] == "granted" and row["key_kind"] != HASHED:
                key = (row["key_kind"], row["key_value"], row["channel"])
                self.later[key] = max(row["given_at"], self.later.get(key, row["given_at"]))
        self.valid_days: dict[str, int] = {}
        for rule in policy.purposes.values():
            if rule.grant_valid_days:
                longest = max(rule.grant_valid_days, self.valid_days.get(rule.channel, 0))
                self.valid_days[rule.channel] = longest
        for rule in policy.purposes.values():
            if not rule.grant_valid_days:
                self.valid_days.pop(rule.channel, None)

    def of(self, row: Mapping[str, Any]) -> datetime | None:
        """The moment; None where it still allows something, or would as soon as a file names its bearer."""
        newest = self.later[(row["key_kind"], row["key_value"], row["channel"])]
        if newest > row["given_at"]:
            return newest
        if days := self.valid_days.get(row["channel"]):
            runs_out: datetime = row["given_at"] + timedelta(days=days)
            if runs_out < self.gate.at:
                return runs_out
        ends = [self._of_person(one, row) for one in self.gate.keys.persons_of(row["key_kind"], row["key_value"])]
        known = [one for one in ends if one is not None]
        return max(known) if known and len(known) == len(ends) else None

    def _of_person(self, person: str, row: Mapping[str, Any]) -> datetime | None:
        """When this person took it back, by whatever key; what is unclear counts from the grant itself."""
        given: datetime = row["given_at"]
        entry = self.gate.standing.suppression(person, row["channel"])
        if entry is not None:
            return max(given, self.listed_since.get(entry, given))
        refusal = self.gate.standing.refusal(person, row["channel"])
        if refusal is None or refusal.at < given:
            return None
        return given if refusal.at == datetime.max else refusal.at


def _last_used(ledger: Ledger, listed: Rows) -> dict[str, datetime]:
    """Event → when a list or a delivery that it allowed left last."""
    used: dict[str, datetime] = {}
    sent = select(outbox.c.caused_by, outbox.c.recorded_at).where(outbox.c.caused_by.not_like("%(no refusal)%"))
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        delivered = [(row.caused_by, row.recorded_at) for row in connection.execute(sent)]
    for text, moment in (*((row["evidence"], row["recorded_at"]) for row in listed), *delivered):
        for name in _NAME.findall(text or ""):
            used[name] = max(moment, used.get(name, moment))
    return used


def _old_members(
    ledger: Ledger, exports: Mapping[str, Export], listed: Rows, at: datetime, until: datetime
) -> Iterable[int]:
    """Rows of keys that went off a list, or whose list ran out, so long ago."""
    histories: dict[tuple[str, str, str], Rows] = defaultdict(list)
    for row in listed:
        histories[(row["list_id"], row["key_kind"], row["key_hash"])].append(row)
    standing = {
        (list_id, *key)
        for list_id in sorted({row["list_id"] for row in listed})
        for key in active_members(ledger, exports, list_id, at)
    }
    for key, rows in histories.items():
        if key in standing:
            continue
        ends = [exports[row["export_id"]] for row in rows if exports[row["export_id"]].state != ABANDONED]
        last = max((max(one.recorded_at, one.valid_until or one.recorded_at) for one in ends), default=datetime.min)
        if last < until:
            yield from (row["seq"] for row in rows if row["recorded_at"] < until)
