"""The connector to HubSpot through Prism, which holds every request and answer against HubSpot's published description.

Neither is shipped: docs/connectors.md says how to have both. ABMLOOP_PRISM names the command, as in
`ABMLOOP_PRISM="npx prism"`, ABMLOOP_HUBSPOT_DESCRIPTION the folder; without them these tests are skipped.
"""

import http.client
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.outbound.crm.wire import Wire
from tests.contract import test_connectors
from tests.contract.prism import merged, prism_before, violations
from tests.contract.server.account import CrmServer
from tests.contract.test_connectors import Harness
from tests.contract.test_hubspot_description import use_all

PROMISES = [one for name, one in vars(test_connectors).items() if name.startswith("test_")]
# The description calls a sort order a string; the reference shows an object, and the official client's examples too.
KNOWN = "body/sorts/N"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrmServer]:
    """The fake CRM with Prism before it."""
    command, folder = os.environ.get("ABMLOOP_PRISM"), os.environ.get("ABMLOOP_HUBSPOT_DESCRIPTION")
    if not command or not folder:
        pytest.skip("ABMLOOP_PRISM or ABMLOOP_HUBSPOT_DESCRIPTION is not set: see docs/connectors.md")
    every = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.json"))}
    document = tmp_path_factory.mktemp("prism") / "hubspot.json"
    document.write_text(json.dumps(merged(every)), encoding="utf-8")
    with CrmServer() as server, prism_before(command, document, server.url) as url:
        server.front = url
        yield server


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, ...]]:
    """What Prism finds: path, request or response, place, message."""
    every: set[tuple[str, ...]] = set()
    real = Wire.call

    def call(wire: Wire, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        answer = real(wire, method, path, body, headers)
        told = violations(answer.headers.get("sl-violations", "[]"))
        every.update((path.partition("?")[0], *one) for one in told if one[1] != KNOWN)
        return answer

    monkeypatch.setattr(Wire, "call", call)
    return every


def test_every_request_and_answer_keeps_to_the_description(
    server: CrmServer, tmp_path: Path, found: set[tuple[str, ...]]
) -> None:
    use_all(server, tmp_path)
    assert server.calls("/crm/v3/objects") > 20
    assert not found


@pytest.mark.parametrize("promise", PROMISES, ids=[one.__name__ for one in PROMISES])
def test_the_contract_holds_through_prism(
    server: CrmServer, tmp_path: Path, found: set[tuple[str, ...]], promise: Callable[[Harness], None]
) -> None:
    promise(Harness(tmp_path, "hubspot", server))
    assert not found


def test_control_a_request_without_what_is_required_is_found(server: CrmServer) -> None:
    server.ask("reset", dialect="hubspot")
    wire = http.client.HTTPConnection(server.url.removeprefix("http://"))
    body = json.dumps({"inputs": [{"properties": {}}]})
    headers = {"Content-Type": "application/json", "Authorization": "Bearer token-1"}
    wire.request("POST", "/crm/v3/objects/contacts/batch/upsert", body, headers)
    told = violations(wire.getresponse().headers.get("sl-violations", "[]"))
    assert ("request", "body/inputs/N", "Request body property inputs.0 must have required property 'id'") in told
