"""What every vendor's connector reads: each input entity, or why not; told in the columns that `land` knows."""

from pathlib import Path
from typing import get_args

import pytest

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy, PulledEntity
from tasks.land.entities import entities
from tasks.outbound.crm.connectors import KINDS, vendor_class
from tasks.outbound.crm.files import PULLED_ENTITIES
from tasks.outbound.crm.mapping import as_read_here, load_mapping
from tasks.outbound.crm.network import MERGES, REFUSALS
from tasks.outbound.push.examine import pulled_rows
from tests.contract.server.account import CrmServer
from tests.contract.vendors import ENVIRONMENT, VendorWorld
from tests.contract.world import LEADS

VENDORS = [kind for kind in KINDS if kind != "files"]
EVERY = sorted(get_args(PulledEntity))
SECRETS = {**ENVIRONMENT, "TRYTON_USER": "u", "TRYTON_PASSWORD": "p"}


def test_files_take_every_entity_that_an_interface_may_tell() -> None:
    assert sorted(PULLED_ENTITIES) == EVERY


@pytest.mark.parametrize("kind", VENDORS)
def test_every_entity_is_read_or_it_is_said_why_not(kind: str) -> None:
    mapping = load_mapping(kind)
    read = {*mapping.pull, *(["merges"] if mapping.merges else []), *(["consents"] if mapping.refusals else [])}
    assert read | mapping.not_pulled.keys() == set(EVERY)
    assert not read & mapping.not_pulled.keys()
    assert all(len(why) > 20 for why in mapping.not_pulled.values())


@pytest.mark.parametrize("kind", VENDORS)
def test_what_is_read_comes_in_the_columns_of_its_entity_with_all_it_needs(kind: str) -> None:
    for entity, pulled in {**load_mapping(kind).pull, "merges": MERGES, "consents": REFUSALS}.items():
        known = entities()[entity]
        columns = {pulled.id, *pulled.columns}
        assert columns - {"source_id"} <= set(known.column_names), entity
        assert set(known.required) <= columns, entity
        assert all(columns & set(group) for group in known.one_of), entity


@pytest.mark.parametrize("kind", VENDORS)
def test_an_account_says_otherwise_in_its_own_crm_yaml(kind: str) -> None:
    text = LEADS + "pull:\n  deals: {columns: {amount: my_amount}}\n"
    changed = as_read_here(load_mapping(kind), parse_policy(text, CrmPolicy))
    before = load_mapping(kind).pull["deals"]
    assert changed.pull["deals"].columns == {**before.columns, "amount": "my_amount"}
    assert changed.pull["deals"].to == before.to


def test_a_custom_object_of_payments_is_read_once_it_is_named_whole() -> None:
    named = "pull:\n  payments: {to: Payment__c, modified: SystemModstamp, id: payment_id, columns: {amount: Sum__c}}\n"
    changed = as_read_here(load_mapping("salesforce"), parse_policy(LEADS + named, CrmPolicy))
    assert changed.pull["payments"].to == "Payment__c"
    assert "payments" not in changed.not_pulled
    with pytest.raises(BadPolicy, match=r"pull\.payments: fake does not say to, modified, id; give it here"):
        half = parse_policy(LEADS + "pull:\n  payments: {columns: {amount: Sum__c}}\n", CrmPolicy)
        as_read_here(load_mapping("salesforce"), half)


@pytest.mark.parametrize("kind", VENDORS)
def test_only_who_marks_no_deletion_lists_its_ids(kind: str) -> None:
    url = "http://127.0.0.1:9/crm"
    policy = parse_policy(LEADS.replace("fake:test", f"{kind}:t"), CrmPolicy).model_copy(update={"url": url})
    connector = vendor_class(kind)(policy, SECRETS)
    assert (connector.ids_there("deals") is None) == (kind in ("hubspot", "salesforce"))
    assert connector.ids_there("touches") is None


def test_the_doctor_says_what_is_not_read_and_why(crm_server: CrmServer, tmp_path: Path) -> None:
    connector = VendorWorld.begin(tmp_path, crm_server, "hubspot", 1, closed=["orders"]).connector()
    rows = {row["asked"]: row for row in pulled_rows(connector, connector.describe(), "en")}
    assert {row["state"] for asked, row in rows.items() if asked != "crm pull orders"} == {"ok"}
    assert rows["crm pull orders"]["state"] == "warn"
    assert "403" in rows["crm pull orders"]["found"]
    assert rows["crm pull orders"]["what to do"] == "drop exports of it into crm/orders/"
    assert rows["crm pull activities"]["found"].startswith("not read: calls, mails and meetings")
