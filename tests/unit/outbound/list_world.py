"""A small world for lists: people with a number and an address each, what they say, and the lists made of them."""

import csv
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.run import Person, Run
from scoring.policies.audiences import ListRule
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import Gate, PersonKeys, naive_utc
from tasks.outbound.consent.refusal_log import replay_log
from tasks.outbound.consent.statements import Statement, record
from tasks.outbound.lists.desk import Desk, key_faults
from tasks.outbound.lists.export import Asked, Parcel, export_list, lists_folder, settle_exports
from tasks.outbound.lists.members import active_members, contacts_since, read_exports
from tests.contract.world import consent_policy
from warehouse.lease import take_lease
from warehouse.ledger import Ledger
from warehouse.secret import make_secret, read_secret

AT = datetime(2026, 10, 30, 3, tzinfo=UTC)  # a Friday, eleven in the morning in China
GRANTED = datetime(2026, 1, 1)
PROOF: dict[str, Any] = {"evidence": "form 7", "method": "form"}
ANYBODY = {"id": "all", "why": "test"}


def number(place: int) -> str:
    """The mobile number of a person of this world."""
    return f"+86138{place * 7919 % 100_000_000:08d}"


def address(place: int) -> str:
    return f"p{place}@firm{place}.cn"


def rule(**said: Any) -> ListRule:
    return ListRule.model_validate(ANYBODY | said)


@dataclass
class ListWorld:
    """`people` of whom each has one number and one address; `changes`: place → columns that differ."""

    root: Path
    people: int = 5
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    policy: ConsentPolicy = field(default_factory=consent_policy)
    company_keys: list[tuple[str, str, str]] = field(default_factory=list)
    minimums: int = 0
    at: datetime = AT
    runs: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger.of(self.root)
        make_secret(self.root, {})

    @property
    def by(self) -> Person:
        return Person("person:test", self.at.date())

    def new_run(self) -> Run:
        """A run with the lease, as after a start of the program."""
        self.runs += 1
        with self.ledger.engine.begin() as connection:
            connection.exec_driver_sql("update lease set holder = null")
        token = take_lease(self.ledger, f"run-{self.runs}")
        head = self.ledger.head()
        return Run(str(self.root), f"run-{self.runs}", self.at.date(), self.at, head, "-", fencing_token=token)

    def rows(self) -> pa.Table:
        """What the rule asks for."""
        everybody = [self.row(place) | self.changes.get(place, {}) for place in range(1, self.people + 1)]
        return pa.Table.from_pylist(everybody, ROWS)

    @staticmethod
    def row(place: int) -> dict[str, Any]:
        return {
            "person_id": f"P{place}", "region": "CN", "name": f"王{place}", "mobile": number(place),
            "email": address(place), "is_own_mobile": True, "is_own_email": True, "company_name": "甲公司",
        }  # fmt: skip

    def gate(self, rows: pa.Table) -> Gate:
        """The gate over everybody, with what the refusal log and the ledger know."""
        replay_log(self.ledger, self.root, self.by)
        kinds = [(kind, row[kind], row["person_id"]) for row in rows.to_pylist() for kind in ("mobile", "email")]
        keys = [key for key in (*kinds, *self.company_keys) if key[1]]
        table = pa.table(
            dict(zip(("key_kind", "key_value", "person_id"), map(list, zip(*keys, strict=True)), strict=True))
        )
        return Gate(self.policy, naive_utc(self.at), PersonKeys(table, lambda: read_secret(self.root, {})))

    def desk(self, made: ListRule, **more: Any) -> Desk:
        """The desk of a list, as `open_list` lays it from a warehouse."""
        rows, at = self.rows(), naive_utc(self.at)
        gate, exports = self.gate(rows), read_exports(self.ledger)
        caps = [cap for cap in self.policy.frequency if cap.channel == made.kind]
        told = rows.to_pylist()
        known = {(kind, row[kind]) for row in told for kind in ("mobile", "email") if row[kind]}
        desk = Desk(
            rule=made,
            consent=self.policy,
            gate=gate,
            at=at,
            rows=rows,
            faults=key_faults(rows),
            members=active_members(self.ledger, exports, made.id, at),
            values={(kind, gate.keys.hash_of(value)): value for kind, value in known},
            contacts=tuple(contacts_since(self.ledger, exports, made.kind, at, cap.days) for cap in caps),
            regions={row["person_id"]: row["region"] for row in told},
        )
        return desk if not more else Desk(**(vars(desk) | more))

    def make(self, made: ListRule, run: Run | None = None, asked: Asked | None = None, **more: Any) -> list[Parcel]:
        """One run's list."""
        mine = run or self.new_run()
        settle_exports(self.ledger, self.root, naive_utc(self.at), mine)
        desk = self.desk(made, **more)
        return export_list(desk, mine, self.ledger, asked or Asked("tester"))[1]

    def say(self, place: int, channel: str, status: str, at: datetime = GRANTED, key: str = "mobile") -> None:
        """Somebody says something, on their number or address."""
        value = number(place) if key == "mobile" else address(place)
        record(self.ledger, self.root, [(key, value)], Statement(channel, status, at, **PROOF), self.by)

    def grant(self, *channels: str) -> None:
        """Everybody agrees to these channels."""
        for channel in channels:
            keys = [("mobile", number(place)) for place in range(1, self.people + 1)]
            record(self.ledger, self.root, keys, Statement(channel, "granted", GRANTED, **PROOF), self.by)

    def standing(self, made: ListRule) -> set[str]:
        """Who stands on a list by the ledger."""
        members = active_members(self.ledger, read_exports(self.ledger), made.id, naive_utc(self.at))
        return {str(member.person_id) for member in members.values()}


ROWS = pa.schema(
    [(name, pa.string()) for name in ("person_id", "region", "hold", "name", "title", "company_name", "mobile", "email",
                                      "country", "postcode", "stage", "reason")]
    + [("is_own_mobile", pa.bool_()), ("is_own_email", pa.bool_()), ("is_dead_email", pa.bool_())]
)  # fmt: skip


def lines_of(path: Path) -> list[dict[str, str]]:
    """The rows of a list's file."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return [{"value": line} for line in archive.read(archive.namelist()[0]).decode().splitlines()]
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def files_of(world: ListWorld) -> list[Path]:
    """Every file of a list that stands there, whole."""
    return sorted(path for path in lists_folder(world.root).glob("*/*") if path.suffix in (".csv", ".zip"))
