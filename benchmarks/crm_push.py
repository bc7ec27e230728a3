"""What a push costs in CPU seconds, into the fake CRM: planning, files, bulk, batches and single records.

    python -m benchmarks.crm_push --leads 100000 --batches 10000 --singles 2000 --peers

Due: 100,000 leads planned in 5 CPU s; 2,000 rows a CPU second for files and bulk; for batches and single records 1.5
times the CPU of a bare client making the same calls in the same run (`--peers`: hubspot-api-client in an environment of
its own, requests for those without a client); a day without changes 1 CPU s. The fake's own CPU is not counted. Ours
counts everything between the desired state and the ledger: gate, plan, outbox, calls, verdicts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import environment, run_measured
from tasks.outbound.crm.files import FilesConnector
from tasks.outbound.push import plan_objects
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld
from tests.contract.world import World

OFFICIAL = ("hubspot-api-client==12.0.0",)
LIMIT_SECONDS = 600.0

# The calls that a push of ours makes, by the vendor's own client: read the keys, upsert them, a hundred at a time.
HUBSPOT = """
import sys, time
from hubspot import HubSpot
url, number = sys.argv[1], int(sys.argv[2])
client = HubSpot(access_token="token-1")
api = client.crm.contacts.batch_api
api.api_client.configuration.host = url
began = time.process_time()
for start in range(0, number, 100):
    keys = [f"X{one:06d}" for one in range(start, start + 100)]
    names = ["abm_key", "abm_stage", "lastname", "hubspot_owner_id"]
    api.read({"idProperty": "abm_key", "inputs": [{"id": key} for key in keys], "properties": names})
for start in range(0, number, 100):
    keys = [f"X{one:06d}" for one in range(start, start + 100)]
    told = lambda key: {"abm_stage": "mql", "lastname": key, "hubspot_owner_id": "u1", "abm_key": key}
    rows = [{"id": key, "idProperty": "abm_key", "properties": told(key)} for key in keys]
    done = api.upsert({"inputs": rows})
    assert len(done.results) == 100
print(time.process_time() - began)
"""
SINGLES = """
import sys, time, requests
url, number = sys.argv[1], int(sys.argv[2])
session = requests.Session()
session.headers["Authorization"] = "Bearer token-1"
began = time.process_time()
for start in range(0, number, 50):
    keys = [f"X{one:06d}" for one in range(start, start + 50)]
    wanted = {"field_name": "abm_key__c", "operator": "IN", "field_values": keys}
    info = {"limit": 100, "offset": 0, "filters": [wanted]}
    body = {"data": {"dataObjectApiName": "LeadsObj", "search_query_info": info}}
    assert session.post(url + "/cgi/crm/v2/data/query", json=body).json()["errorCode"] == 0
for one in range(number):
    fields = {"abm_key__c": f"X{one:06d}", "name": "x", "abm_stage__c": "mql"}
    data = {"dataObjectApiName": "LeadsObj", "owner": ["u"], **fields}
    told = session.post(url + "/cgi/crm/v2/data/create", json={"data": {"object_data": data}}).json()
    assert told["errorCode"] == 0
print(time.process_time() - began)
"""


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of this process for one piece of work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def show(what: str, seconds: float, rows: int | None = None, more: str = "") -> None:
    """One line."""
    rate = f", {rows / seconds:,.0f} rows a CPU s" if rows else ""
    print(f"{what:<44} {seconds:7.2f} CPU s{rate}{more}", flush=True)


def measure_files(folder: Path, number: int) -> None:
    """Planning, files, and a day on which nothing changed."""
    from abmloop.policy import parse_policy
    from scoring.policies.crm import CrmPolicy
    from tests.contract.world import LEADS

    world = World(folder / "files", parse_policy(LEADS.replace("fake:test", "files:test"), CrmPolicy), number)

    def connector() -> FilesConnector:
        return FilesConnector(world.root, world.policy, world.as_of)

    desk = world.desk(connector())
    show(f"plan {number:,} new leads", cpu(lambda: plan_objects(desk)), number)
    show(f"push {number:,} leads to files", cpu(lambda: world.push(connector())), number)
    again = world.desk(connector())
    show(f"plan {number:,} leads, nothing changed", cpu(lambda: plan_objects(again)))
    show(f"push {number:,} leads, nothing changed", cpu(lambda: world.push(connector())))


def measure_vendor(folder: Path, server: CrmServer, dialect: str, number: int, size: int) -> float:
    """A first push to one vendor; gives its CPU seconds."""
    world = VendorWorld.begin(folder / dialect, server, dialect, number)
    world.batch_size = size
    took = cpu(world.push_once)
    if world.lost_and_doubled() != (0, 0):
        raise SystemExit(f"{dialect}: {world.lost_and_doubled()} lost and doubled")
    show(f"push {number:,} leads to {dialect}", took, number, f", {server.calls():,} calls")
    return took


def measure_peer(folder: Path, server: CrmServer, dialect: str, number: int, ours: float) -> None:
    """The bare client with the same calls."""
    server.ask("reset", dialect=dialect)
    script, packages = (HUBSPOT, OFFICIAL) if dialect == "hubspot" else (SINGLES, ("requests",))
    python = environment(folder / f"environment-{dialect}", packages)
    done = run_measured([python, "-c", script, server.url, str(number)], LIMIT_SECONDS)
    if done.error:
        print(f"  bare client of {dialect}: {done.error}")
        return
    bare = float(done.printed)
    show(f"  bare client, the same calls to {dialect}", bare, number, f"; ours takes {ours / bare:.2f} times that")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--singles", type=int, default=2_000)
    parser.add_argument("--peers", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="abmloop-bench-") as name, CrmServer() as server:
        folder = Path(name)
        measure_files(folder, given.leads)
        measure_vendor(folder, server, "salesforce", given.leads, 200)
        for dialect, number, size in (("hubspot", given.batches, 100), ("fxiaoke", given.singles, 20)):
            ours = measure_vendor(folder, server, dialect, number, size)
            if given.peers:
                measure_peer(folder, server, dialect, number, ours)
        measure_vendor(folder, server, "neocrm", given.singles, 20)


if __name__ == "__main__":
    main()
