"""What sales does with a lead: claim, release, accept, reject, transfer. For the command line, pages and feeds alike.

Each is written to the ledger with who did it and why, and holds at once; of two at the same time the first wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from scoring.policies.routing import RoutingPolicy
from scoring.routing import home_pool, reclaim_at
from scoring.routing.desk import is_member, lasting_gate
from tasks.find_person import find_person
from tasks.route.sales_log import new_line
from tasks.route.state import Now, Said, cooling_until, lead_events, lead_lines, lead_row, owner_state
from tasks.route.telling import told_time
from tasks.summary import Rows, rows_of

ENDS = {"recycled": "rejected", "disqualified": "disqualified"}

_RESERVED = """
select owners.team, target_accounts.owner_id
from resolved.target_accounts
left join core.owners_today as owners using (owner_id)
where account_id = $account_id and list = 'reserved'
"""


@dataclass(frozen=True)
class Done:
    """What was done, as a message's code with its fields."""

    code: str
    fields: dict[str, Any] = field(default_factory=dict)

    def told(self, language: str) -> str:
        """In words."""
        return say(self.code, language, **self.fields)


@dataclass(frozen=True)
class _Case:
    """A lead as it stands while nobody else can change it."""

    lead: dict[str, Any]
    lines: Rows

    @property
    def last(self) -> dict[str, Any] | None:
        return self.lines[-1] if self.lines else None

    @property
    def holder(self) -> str | None:
        return self.last["owner_id"] if self.last else None


class LeadDesk:
    """Where sales people act on leads, under the rules of routing.yaml. Raises BadUsage for what may not be done."""

    def __init__(self, now: Now, policy: RoutingPolicy, said: Said) -> None:
        self.now, self.policy, self.said = now, policy, said

    def claim(self, key: str, owner: str) -> Done:
        """Take a lead out of a claim pool; whoever claims has accepted."""
        with self._case(key) as case:
            pool = self._claimable(case, owner)
            self._may_have(case, owner, is_limited=True)
            line = self._line(case, owner, "claim", "claimed", {"pool": pool}, pool)
            self._write(case, [line], [self._event(case, line["assignment_id"], "accepted", owner)])
        return Done(
            "lead_claimed", {"lead": case.lead["lead_id"], "owner": owner, "back": told_time(line["reclaim_at"])}
        )

    def release(self, key: str, owner: str | None = None) -> Done:
        """Give a lead back to its pool."""
        with self._case(key) as case:
            holder = self._holder(case, owner)
            pool = self._home(case)
            self._write(case, [self._line(case, None, "release", "released", {"from": holder}, pool)], [])
        return Done("lead_released", {"lead": case.lead["lead_id"], "owner": holder, "pool": pool})

    def accept(self, key: str, owner: str | None = None) -> Done:
        """The owner takes the lead on: MQL becomes SAL."""
        with self._case(key) as case:
            holder = self._holder(case, owner)
            before = self._accepted(case)
            if before is not None:
                self._refuse("lead_accepted_already", lead=case.lead["lead_id"], day=told_time(before))
            assert case.last is not None
            self._write(case, [], [self._event(case, case.last["assignment_id"], "accepted", holder)])
        return Done("lead_accepted_now", {"lead": case.lead["lead_id"], "owner": holder})

    def reject(self, key: str, owner: str | None = None, stage: str = "recycled") -> Done:
        """The lead is not for sales: back to nurture (recycled) or out for good (disqualified)."""
        if stage not in ENDS:
            self._refuse("lead_reject_stage", stage=stage, known=", ".join(ENDS))
        if not self.said.reason.strip():
            self._refuse("lead_reject_why")
        with self._case(key) as case:
            holder = self._holder(case, owner)
            assert case.last is not None
            event = self._event(case, case.last["assignment_id"], ENDS[stage], holder)
            line = self._line(case, None, "reject", "rejected", {"from": holder}, self._home(case))
            self._write(case, [line], [event])
        return Done("lead_rejected_now", {"lead": case.lead["lead_id"], "owner": holder, "stage": stage})

    def transfer(self, key: str, to: str, owner: str | None = None) -> Done:
        """Hand a lead over to a colleague; the timers start anew, and no limit or cool-down is evaded by it."""
        with self._case(key) as case:
            holder = self._holder(case, owner)
            if holder == to:
                self._refuse("lead_has_it", lead=case.lead["lead_id"], owner=to)
            self._unprotected(case, owner)
            self._may_have(case, to, is_limited=True)
            line = self._line(case, to, "transfer", "transferred", {"from": holder}, None)
            self._write(case, [line], [])
        return Done("lead_transferred", {"lead": case.lead["lead_id"], "from": holder, "to": to})

    @contextmanager
    def _case(self, key: str) -> Iterator[_Case]:
        """The lead, while nobody else records anything."""
        lead_id = find_lead(self.now, key)
        with self.now.ledger.alone() as self._connection:
            lead = lead_row(self.now, lead_id)
            assert lead is not None
            yield _Case(lead, lead_lines(self.now, lead_id))

    def _refuse(self, code: str, **fields: Any) -> None:
        raise BadUsage(said(code, **fields))

    def _claimable(self, case: _Case, owner: str) -> str:
        """The pool the lead waits in, if that owner may take from it."""
        lead, last = case.lead, case.last
        lead_id = lead["lead_id"]
        if last is not None and last["path"] == "reject":
            self._refuse("lead_was_rejected", lead=lead_id, day=told_time(last["assigned_at"]))
        if not lead["is_workable"]:
            self._refuse("lead_not_workable", lead=lead_id, stage=lead["stage"])
        if lead["held_by"]:
            self._refuse("lead_is_held", lead=lead_id, held_by=lead["held_by"])
        if last is None:
            self._refuse("lead_not_routed", lead=lead_id)
        assert last is not None
        if last["owner_id"] is not None:
            self._refuse("lead_is_taken", lead=lead_id, owner=last["owner_id"], day=told_time(last["assigned_at"]))
        pool = self.policy.pool(last["pool_id"]) or self.policy.pools[-1]
        if pool.mode != "claim":
            self._refuse("lead_pool_assigns", lead=lead_id, pool=pool.id)
        state = owner_state(self.now, owner)
        if state is not None and not is_member(pool.teams, pool.owners, state):
            self._refuse("lead_not_member", owner=owner, pool=pool.id)
        if last["reason"] == "reserved_waits" and state is not None and not self._is_reserved_for(lead, state):
            self._refuse("lead_is_reserved", lead=lead_id)
        return pool.id

    def _is_reserved_for(self, lead: dict[str, Any], owner: dict[str, Any]) -> bool:
        holders = rows_of(self.now.con, _RESERVED, account_id=lead["account_id"])
        return any(
            owner["owner_id"] == row["owner_id"] or (row["team"] and row["team"] == owner["team"]) for row in holders
        )

    def _may_have(self, case: _Case, owner: str, is_limited: bool) -> None:
        """Whether somebody may have the lead today: limits and cool-down."""
        state = owner_state(self.now, owner)
        gate = lasting_gate(state, self.now.today, is_limited)
        until = cooling_until(case.lines, owner, self.policy.reclaim.cool_down_days)
        if gate:
            told = said(f"gate_{gate}")
            limit = {} if state is None else {name: state[name] for name in ("held", "holding_limit", "taken_today")}
            self._refuse("lead_gate_closed", owner=owner, gate=told, **_numbers(limit))
        if until is not None and until > self.now.at:
            self._refuse("lead_cools_down", owner=owner, lead=case.lead["lead_id"], day=told_time(until))

    def _holder(self, case: _Case, owner: str | None) -> str:
        """Who has the lead; `owner` is who says so, where it was said."""
        lead_id = case.lead["lead_id"]
        if case.holder is None:
            self._refuse("lead_nobody_has", lead=lead_id)
        if owner is not None and owner != case.holder:
            self._refuse("lead_not_yours", lead=lead_id, owner=owner, holder=case.holder)
        return str(case.holder)

    def _unprotected(self, case: _Case, owner: str | None) -> None:
        """Soon after a claim only its owner gives a lead away."""
        assert case.last is not None
        until = case.last["assigned_at"] + timedelta(days=self.policy.reclaim.protect_days)
        if owner is None and until > self.now.at:
            self._refuse("lead_protected", lead=case.lead["lead_id"], holder=case.holder, day=told_time(until))

    def _home(self, case: _Case) -> str:
        """The pool a lead goes back to."""
        found = rows_of(
            self.now.con, "select * from scored.routing_facts where lead_id = $lead_id", lead_id=case.lead["lead_id"]
        )
        return home_pool(found[0], self.policy) if found else self.policy.pools[-1].id

    def _accepted(self, case: _Case) -> Any:
        assert case.last is not None
        said = [
            event["happened_at"]
            for event in lead_events(self.now, case.lead["lead_id"])
            if event["kind"] == "accepted" and event["assignment_id"] == case.last["assignment_id"]
        ]
        return min(said, default=None)

    def _line(
        self, case: _Case, owner: str | None, path: str, reason: str, details: dict[str, Any], pool: str | None
    ) -> dict[str, Any]:
        at = pa.array([self.now.at], pa.timestamp("us"))
        none = pa.array([[]], pa.list_(pa.timestamp("us")))
        back = reclaim_at(at, none, self.policy.reclaim, self.now.timezone)[0].as_py()
        return new_line(
            case.lead["lead_id"],
            case.last["assignment_id"] if case.last else None,
            owner_id=owner,
            pool_id=pool,
            path=path,
            reason=reason,
            details={**details, "note": self.said.reason},
            assigned_at=self.now.at,
            reclaim_at=back if owner else None,
            actor=self.said.actor,
        )

    def _event(self, case: _Case, assignment: str, kind: str, owner: str) -> dict[str, Any]:
        return {
            "event_id": hashlib.sha256(f"{assignment}|{kind}".encode()).hexdigest()[:32],
            "lead_id": case.lead["lead_id"],
            "person_key": case.lead["person_key"],
            "assignment_id": assignment,
            "kind": kind,
            "happened_at": self.now.at,
            "owner_id": owner,
            "told_to": None,
            "actor": self.said.actor,
            "reason": self.said.reason or None,
        }

    def _write(self, case: _Case, lines: Rows, events: Rows) -> None:
        """Record it; a line that another one was faster with is told, and nothing of this is kept."""
        added = self.now.ledger.append_in(self._connection, "assignments", lines, self.said.by)
        if added < len(lines):
            self._refuse("lead_too_late", lead=case.lead["lead_id"])
        self.now.ledger.append_in(self._connection, "sales_events", events, self.said.by)


def find_lead(now: Now, key: str) -> str:
    """The id of the lead of that key: its own, its person's, or a contact's id in its source."""
    key = key.strip()
    if lead_row(now, key):
        return key
    person = find_person(now.con, f"P{key[1:]}" if key.startswith("L") else key)
    if lead_row(now, f"L{person[1:]}") is None:
        raise BadUsage(said("lead_unknown", key=key))
    return f"L{person[1:]}"


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values.get(name, "-") for name in ("held", "holding_limit", "taken_today")}
