"""A small world for pushes: a ledger with its lease, persons with keys, desired leads, and a way to push them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.policy import read_policy
from abmloop.run import Person, Run
from scoring.policies.consent import ConsentPolicy
from scoring.policies.crm import CrmPolicy, ObjectName
from tasks.outbound.consent.gate import Gate, PersonKeys, Subject, naive_utc
from tasks.outbound.crm.base import Connector, Fields
from tasks.outbound.push.desired import Desired
from tasks.outbound.push.desk import Desk, PushPlan, plan_objects
from tasks.outbound.push.outbox import Journal, census
from tasks.outbound.push.step import Approved, push
from warehouse.lease import take_lease
from warehouse.ledger import Ledger
from warehouse.secret import make_secret

POLICIES = Path(__file__).parent.parent.parent / "scoring" / "policies"
AT = datetime(2026, 10, 31, 8, tzinfo=UTC)
LEADS = """
version: 1
instance: fake:test
attempts_per_run: 20
stop_after_failures: 1000
objects:
  leads:
    match: upsert
    fields:
      stage: {owner: ours}
      name: {owner: fill_if_blank}
      owner_id: {owner: newest}
"""


def consent_policy() -> ConsentPolicy:
    """The rules as shipped."""
    return read_policy(POLICIES / "consent.yaml", ConsentPolicy)


@dataclass
class World:
    """`people` of whom each has one lead; `say` records what they say about a channel."""

    root: Path
    policy: CrmPolicy
    people: int = 10
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_number: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger.of(self.root)
        self.as_of = date(2026, 10, 31)
        for number in range(self.people):
            self.fields[f"L{number:05d}"] = {"stage": "mql", "name": f"人{number}", "owner_id": "u1"}

    def new_run(self) -> Run:
        """A run with the lease, as after a start of the program."""
        self.run_number += 1
        run_id = f"run-{self.run_number}"
        with self.ledger.engine.begin() as connection:
            connection.exec_driver_sql("update lease set holder = null")
        token = take_lease(self.ledger, run_id)
        return Run(str(self.root), run_id, self.as_of, AT, self.ledger.head(), "-", fencing_token=token)

    def author(self) -> Person:
        """Somebody who writes to the ledger while a run holds the lease."""
        return Person("person:test", self.as_of)

    def gate(self) -> Gate:
        """The gate over everybody, with what the ledger knows."""
        ids = [f"P{key[1:]}" for key in self.fields]
        numbers = [f"+86138{int(one[1:]):08d}" for one in ids]
        columns = {"key_kind": ["mobile"] * len(ids), "key_value": numbers, "person_id": ids}
        keys = PersonKeys(pa.table(columns), lambda: make_secret(self.root))
        gate = Gate(consent_policy(), naive_utc(AT), keys, self.policy.region)
        with Journal(self.ledger, self.policy.instance).reading() as connection:
            gate.refresh(connection)
        return gate

    def desk(self, connector: Connector) -> Desk:
        """Everything a push needs."""
        records: dict[str, Fields] = {key: dict(fields) for key, fields in self.fields.items()}
        subjects = {key: Subject(f"P{key[1:]}") for key in records}
        desired: dict[ObjectName, Desired] = {"leads": Desired(records, subjects)}
        journal = Journal(self.ledger, self.policy.instance)
        return Desk(self.policy, self.gate(), journal, connector, desired)

    def plan(self, connector: Connector) -> PushPlan:
        """The plan, nothing written."""
        return plan_objects(self.desk(connector))

    def push(self, connector: Connector, approved: Approved | None = None, **changes: Any) -> dict[str, int]:
        """One run's push; `changes` replace fields of the desk."""
        desk = replace(self.desk(connector), **changes)
        return push(desk, self.new_run(), self.ledger, approved, pause=lambda _seconds: None)[0]

    def push_until_done(self, connector: Connector, limit: int = 50) -> int:
        """Push again and again, as a scheduler does, until nothing waits; gives the number of pushes."""
        for number in range(1, limit + 1):
            if not self.push(connector).get("waiting"):
                return number
        raise AssertionError(f"still waiting after {limit} pushes: {self.states()}")

    def states(self) -> dict[str, int]:
        """How many outbox rows are in each state."""
        every = ("pending", "sending", "retry", "done", "dead", "held", "cancelled", "superseded")
        return census(Journal(self.ledger, self.policy.instance).queued(every))

    def say(self, key: str, status: str, channel: str = "crm_share", given_at: datetime | None = None) -> None:
        """The lead's person says something about a channel, on their mobile number."""
        row = {
            "event_id": f"{key}-{channel}-{status}-{given_at}",
            "key_kind": "mobile",
            "key_value": f"+86138{int(key[1:]):08d}",
            "channel": channel,
            "status": status,
            "given_at": given_at or datetime(2026, 10, 30),
        }
        self.ledger.append("consents", [row], self.author())

    def ledger_rows(self, tables: Iterable[str] = ("outbox", "deliveries", "audit")) -> Mapping[str, int]:
        """Rows per table of the ledger."""
        return {name: self.ledger.read(name).num_rows for name in tables}
