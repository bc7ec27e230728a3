"""The small world of pushes against the fake CRM's process, in a vendor's words; judged by the fake's dump alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abmloop.errors import CrmUnreachable
from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector
from tasks.outbound.crm.connectors import vendor_class
from tasks.outbound.crm.mapping import in_their_words, load_mapping
from tasks.outbound.push.desk import Desk
from tasks.outbound.push.step import push
from tests.contract.server.account import CrmServer
from tests.contract.world import LEADS, World

DIALECTS = ("hubspot", "salesforce", "fxiaoke", "neocrm")
INSTANCES = {"hubspot": "4711", "salesforce": "00D000000000001EAA", "fxiaoke": "acme", "neocrm": "2001"}
SECRET = "right-secret"
ENVIRONMENT = {
    **dict.fromkeys(("HUBSPOT_REFRESH_TOKEN", "HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET"), SECRET),
    **dict.fromkeys(("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"), SECRET),
    **dict.fromkeys(("FXIAOKE_APP_ID", "FXIAOKE_APP_SECRET", "FXIAOKE_PERMANENT_CODE", "FXIAOKE_USER_ID"), SECRET),
    **dict.fromkeys(("NEOCRM_CLIENT_ID", "NEOCRM_CLIENT_SECRET", "NEOCRM_USER", "NEOCRM_PASSWORD"), SECRET),
}
TIMEOUT_SECONDS = 0.3


def vendor_policy(dialect: str, server: CrmServer, timeout: float = 10.0, **more: Any) -> CrmPolicy:
    """The small world's rules for an account of that vendor."""
    policy = parse_policy(LEADS, CrmPolicy)
    changes = {"instance": f"{dialect}:{INSTANCES[dialect]}", "url": server.url, "timeout_seconds": timeout, **more}
    return in_their_words(policy.model_copy(update=changes))


@dataclass
class VendorWorld(World):
    """Leads that go to an account of `dialect` in the fake's process."""

    server: CrmServer | None = None
    dialect: str = "hubspot"
    batch_size: int = 10

    @classmethod
    def begin(cls, root: Path, server: CrmServer, dialect: str, people: int, **fake: Any) -> "VendorWorld":
        """A new account and a world that knows nothing of it yet."""
        if "guard" in fake:
            fake["guard"] = load_mapping(dialect).objects["leads"].name_of(fake["guard"])
        timeout = TIMEOUT_SECONDS if fake.get("share") else 10.0
        server.ask("reset", dialect=dialect, slow_seconds=TIMEOUT_SECONDS * 1.5, **fake)
        return cls(root, vendor_policy(dialect, server, timeout), people, server=server, dialect=dialect)

    @property
    def fake(self) -> CrmServer:
        assert self.server is not None
        return self.server

    def connector(self) -> Connector:
        """The connector as a run opens it; its pauses move the fake's clock."""
        opened = vendor_class(self.dialect)(self.policy, ENVIRONMENT, self.fake.sleep)
        # Small batches: many calls, and so many faults, for few leads.
        opened.batch_size = self.batch_size  # type: ignore[attr-defined]
        return opened

    def desk(self, connector: Connector) -> Desk:
        """The same, with the vendor's names of the fields."""
        desk = super().desk(connector)
        leads = desk.desired["leads"]
        records = {key: self.in_their_words(fields) for key, fields in leads.records.items()}
        return replace(desk, desired={"leads": replace(leads, records=records)})

    def in_their_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A lead's fields under the vendor's names."""
        rule = self.policy.objects["leads"]
        return {rule.name_there(name): value for name, value in fields.items()}

    def push_once(self) -> dict[str, int]:
        """One run's push with a connector of its own; where the CRM gives no answer at all, everything waits."""
        try:
            desk = self.desk(self.connector())
            return push(desk, self.new_run(), self.ledger, pause=self.fake.sleep)[0]
        except CrmUnreachable:
            return {"waiting": len(self.fields)}

    def push_until_quiet(self, limit: int = 400) -> int:
        """Runs as a scheduler starts them, until nothing waits; gives how many it took."""
        for number in range(1, limit + 1):
            if not self.push_once().get("waiting"):
                return number
        raise AssertionError(f"still waiting after {limit} pushes: {self.states()}")

    @property
    def object_there(self) -> str:
        """What the vendor calls a lead."""
        return load_mapping(self.dialect).objects["leads"].to

    @property
    def key_field(self) -> str:
        return load_mapping(self.dialect).objects["leads"].key

    def there(self) -> dict[str, list[dict[str, Any]]]:
        """Our key → the fields of each record over there that bears it."""
        found: dict[str, list[dict[str, Any]]] = {}
        for record in self.fake.dump():
            if not record["is_deleted"] and record["fields"].get(self.key_field):
                found.setdefault(str(record["fields"][self.key_field]), []).append(record["fields"])
        return found

    def lost_and_doubled(self) -> tuple[int, int]:
        """Leads that are not there as they should be, and records too many."""
        there = self.there()
        lost = 0
        for key, fields in self.fields.items():
            held = there.get(key, [{}])[0]
            lost += any(str(held.get(name)) != str(value) for name, value in self.in_their_words(fields).items())
        return lost, sum(len(rows) - 1 for rows in there.values()) + len(there.keys() - self.fields.keys())
