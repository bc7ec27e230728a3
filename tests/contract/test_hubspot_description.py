"""Every request to HubSpot keeps to HubSpot's published API description.

The description has no licence that lets it be shipped: fetch it by hand (docs/connectors.md) and name its folder in
ABMLOOP_HUBSPOT_DESCRIPTION; without it these tests are skipped.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.outbound.crm.base import Record
from tasks.outbound.crm.hubspot import HubSpotConnector
from tasks.outbound.crm.wire import Wire
from tests.contract.openapi import Call, faults, load_descriptions
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld

# The description calls a sort order a string; the reference shows an object, and the official client's examples too.
KNOWN = " is not of type 'string'"


@pytest.fixture
def descriptions() -> list[dict[str, Any]]:
    folder = os.environ.get("ABMLOOP_HUBSPOT_DESCRIPTION")
    if not folder:
        pytest.skip("ABMLOOP_HUBSPOT_DESCRIPTION names no folder with HubSpot's description")
    return load_descriptions(Path(folder))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What is sent, as it is sent."""
    sent: list[Call] = []
    real = Wire.call

    def call(wire: Wire, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        sent.append(Call(method, path, body))
        return real(wire, method, path, body, headers)

    monkeypatch.setattr(Wire, "call", call)
    return sent


def use_all(server: CrmServer, root: Path) -> None:
    """A push, a second one, a record that people made and that is linked, an error, and everything read back."""
    world = VendorWorld.begin(root, server, "hubspot", 30, guard="name", refuse={"人3": "invalid name"})
    server.ask("plant", object="contacts", records=[{"lastname": "人5"}])
    world.push_once()
    for fields in world.fields.values():
        fields["stage"] = "sal"
    world.push_once()
    deals = server.ask("plant", object="deals", records=[{"dealstage": "won"}] * 150)
    first, second = server.ask("plant", object="contacts", records=[{"email": "a@acme.cn"}, {"email": "b@acme.cn"}])
    orders = server.ask("plant", object="orders", records=[{"hs_total_price": "1"}])
    for end, to in ((deals[0], [[first, "User"], [second, ""]]), (orders[0], [[deals[0], ""]])):
        server.ask("link", **{"from": end, "to": to})
    merged = server.ask("merge", winner=first, loser=second)
    connector = world.connector()
    assert isinstance(connector, HubSpotConnector)
    connector.upsert("leads", [Record("X1", {"abm_stage": "mql"}, "-", "allowed")])
    for entity in (*connector.describe().pulls,):
        for _page in connector.changes_since(entity, "2026-10-01T00:00:00Z"):
            pass
    assert connector.standing_for("leads", [second])[second].crm_id == merged


def test_every_request_keeps_to_the_published_description(
    crm_server: CrmServer, tmp_path: Path, calls: list[Call], descriptions: list[dict[str, Any]]
) -> None:
    use_all(crm_server, tmp_path)
    sent = [one for one in calls if not one.target.startswith("/oauth/")]
    paths = Counter(one.target.partition("?")[0].rpartition("/crm/v3/")[2] for one in sent)
    assert {"objects/contacts/batch/upsert", "objects/contacts/batch/read", "objects/contacts/batch/update",
            "objects/deals/search", "objects/deals", "owners", "properties/contacts", "objects/orders/search",
            "objects/commerce_payments/search", "objects/deals/batch/read"} <= paths.keys()  # fmt: skip
    assert "/crm/v4/associations/deals/contacts/batch/read" in {one.target for one in sent}
    wrong = {(one.method, one.target, fault) for one in sent for fault in faults(one, descriptions)}
    assert not {one for one in wrong if not (one[2].startswith("sorts/") and KNOWN in one[2])}


def test_control_a_request_without_what_is_required_is_found(descriptions: list[dict[str, Any]]) -> None:
    target = "/crm/v3/objects/contacts/batch/upsert"
    bad = [{"inputs": [{"properties": {}}]}, {"inputs": [{"id": "1", "properties": {}, "made_up": 1}]}]
    assert all(faults(Call("POST", target, json.dumps(body).encode()), descriptions) for body in bad)
    assert faults(Call("PATCH", target, b"{}"), descriptions)
