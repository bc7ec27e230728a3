"""What every connector must do, the fake included: a new one is added to CONNECTORS and has to pass all of it."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import ChannelStopped, Connector, Record
from tasks.outbound.crm.connectors import vendor_class
from tasks.outbound.crm.files import FilesConnector
from tasks.outbound.crm.mapping import load_mapping
from tasks.outbound.push.plan import digest
from tests.contract.fake_crm import FakeCrm
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, ENVIRONMENT, vendor_policy
from tests.contract.world import LEADS

CONNECTORS = ("fake", "fake without upsert", "files", *DIALECTS)


class Harness:
    """A CRM account that can be opened anew, as after a restart, and counted from outside."""

    def __init__(self, root: Path, kind: str, server: CrmServer | None = None) -> None:
        self.root = root
        self.server = server
        self.policy = parse_policy(LEADS.replace("fake:test", "files:test"), CrmPolicy)
        self.fake = FakeCrm(identity="search_after_lag" if kind == "fake without upsert" else "upsert_by_external_id")
        self.kind = kind
        if server is not None:
            server.ask("reset", dialect=kind)

    def open(self) -> Connector:
        if self.server is not None:
            policy = vendor_policy(self.kind, self.server)
            leads = policy.objects["leads"]
            fields = {name: rule.model_copy(update={"to": name}) for name, rule in leads.fields.items()}
            objects = {"leads": leads.model_copy(update={"fields": fields})}
            ours = policy.model_copy(update={"objects": {**objects, "companies": objects["leads"]}})
            return vendor_class(self.kind)(ours, ENVIRONMENT, self.server.sleep)
        if self.kind == "files":
            return FilesConnector(self.root, self.policy, date(2026, 10, 31))
        return self.fake

    def put_deal(self) -> None:
        """A deal that somebody won over there."""
        if self.server is not None:
            deals = load_mapping(self.kind).pull["deals"]
            self.server.ask("plant", object=deals.to, records=[{deals.columns["stage"]: "won"}])
        folder = self.root / "crm" / "deals"
        folder.mkdir(parents=True)
        (folder / "export.csv").write_bytes(b"deal_id,stage\r\nD1,won\r\n")

    def created(self) -> Counter[str]:
        """How often each key was created over there."""
        if self.server is not None:
            key = load_mapping(self.kind).objects["leads"].key
            return Counter(one["fields"][key] for one in self.server.dump() if key in one["fields"])
        if self.kind != "files":
            return Counter(key for (_, key), rows in self.fake.dump().items() for _ in rows)
        found: Counter[str] = Counter()
        for path in sorted((self.root / "exports" / "crm").glob("*/leads-new-*.csv")):
            found.update(row["abm_key"] for row in csv.DictReader(path.open(encoding="utf-8-sig", newline="")))
        return found


@pytest.fixture(params=CONNECTORS)
def crm(request: pytest.FixtureRequest, tmp_path: Path, crm_server: CrmServer) -> Harness:
    return Harness(tmp_path, request.param, crm_server if request.param in DIALECTS else None)


def _record(key: str, crm_id: str | None = None, **fields: Any) -> Record:
    return Record(key, fields, digest(fields), "allowed (no refusal)", crm_id)


def test_it_says_who_it_is_and_how_doubt_is_settled(crm: Harness) -> None:
    says = crm.open().describe()
    assert says.instance.partition(":")[2]
    assert says.identity in ("upsert_by_external_id", "search_after_lag", "manual_hold")
    assert says.batch_size > 0


def test_every_record_gets_one_verdict_under_our_key(crm: Harness) -> None:
    verdicts = crm.open().upsert("leads", [_record("L1", stage="mql"), _record("L2", stage="sal")])
    assert sorted((one.key, one.state) for one in verdicts) == [("L1", "done"), ("L2", "done")]


def test_what_was_sent_is_found_after_a_restart_and_nothing_else(crm: Harness) -> None:
    crm.open().upsert("leads", [_record("L1", stage="mql")])
    assert list(crm.open().find("leads", ["L1", "L2"])) == ["L1"]
    assert not crm.open().find("companies", ["L1"])


def test_a_record_found_is_not_created_again(crm: Harness) -> None:
    crm.open().upsert("leads", [_record("L1", stage="mql")])
    again = crm.open()
    found = again.find("leads", ["L1"])["L1"]
    again.upsert("leads", [_record("L1", found.crm_id, stage="mql")])
    again.upsert("leads", [_record("L1", found.crm_id, stage="sal")])
    assert crm.created() == {"L1": 1}


def test_a_found_record_tells_whether_a_version_arrived(crm: Harness) -> None:
    crm.open().upsert("leads", [_record("L1", stage="mql")])
    found = crm.open().find("leads", ["L1"])["L1"]
    says_fields = found.fields is not None and found.fields["stage"] == "mql"
    assert says_fields or found.payload_hash == digest({"stage": "mql"})


def test_a_record_without_the_gates_word_is_refused(crm: Harness) -> None:
    with pytest.raises(ChannelStopped):
        crm.open().upsert("leads", [Record("L1", {"stage": "mql"}, "-", "")])
    assert not crm.created()


def test_an_unknown_object_is_refused_not_invented(crm: Harness) -> None:
    with pytest.raises(ChannelStopped):
        crm.open().upsert("gadgets", [_record("G1", stage="mql")])


def test_pages_are_offered_again_whole(crm: Harness) -> None:
    crm.put_deal()
    first, second = ([page.body for page in crm.open().changes_since("deals", None)] for _ in range(2))
    assert first == second
    assert b"won" in b"".join(first)
    assert not list(crm.open().changes_since("invoices", None))
