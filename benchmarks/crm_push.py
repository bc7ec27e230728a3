"""What a push costs in CPU seconds, into the fake CRM: planning, files, bulk, batches and single records.

    python -m benchmarks.crm_push --leads 100000 --batches 10000 --singles 2000 --peers

Due: 100,000 leads planned in 5 CPU s; 2,000 rows a CPU second for files and bulk; for batches and single records 1.5
times the CPU of a bare client making the same calls in the same run (`--peers`: hubspot-api-client in an environment of
its own, requests for those without a client); a day without changes 1 CPU s. The fake's own CPU is not counted. Ours
counts everything between the desired state and the ledger: gate, plan, outbox, calls, verdicts.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from abmloop.yaml_text import load_yaml
from benchmarks.peers import environment, run_measured
from tasks.outbound.push.step import Mode, deliver
from tasks.runs import open_run
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld
from tests.contract.world import POLICIES
from warehouse.steps import step

OFFICIAL = ("hubspot-api-client==12.0.0",)
LIMIT_SECONDS = 600.0
DAY = date(2026, 10, 31)

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
# One record a call, by requests; the keys are searched as many at a time as ours are.
SINGLES = """
import sys, time, requests
url, number = sys.argv[1], int(sys.argv[2])
session = requests.Session()
session.headers["Authorization"] = "Bearer token-1"
{vendor}
began = time.process_time()
for start in range(0, number, 20):
    search([f"X{{one:06d}}" for one in range(start, start + 20)])
for one in range(number):
    create({{"abm_key__c": f"X{{one:06d}}", "name": "x", "abm_stage__c": "mql"}})
print(time.process_time() - began)
"""
FXIAOKE = """
def search(keys):
    wanted = {"field_name": "abm_key__c", "operator": "IN", "field_values": keys}
    body = {"data": {"dataObjectApiName": "LeadsObj",
                     "search_query_info": {"limit": 100, "offset": 0, "filters": [wanted]}}}
    assert session.post(url + "/cgi/crm/v2/data/query", json=body).json()["errorCode"] == 0

def create(fields):
    data = {"dataObjectApiName": "LeadsObj", "owner": ["u"], **fields}
    told = session.post(url + "/cgi/crm/v2/data/create", json={"data": {"object_data": data}}).json()
    assert told["errorCode"] == 0
"""
NEOCRM = """
def search(keys):
    listed = ", ".join(f"'{key}'" for key in keys)
    columns = "id, abm_key__c, updatedAt, abm_stage__c, name, ownerId"
    xoql = f"select {columns} from lead where abm_key__c in ({listed}) limit 0,100"
    told = session.post(url + "/rest/data/v2.0/query/xoql", data={"xoql": xoql}).json()
    assert told["data"]["records"] == []

def create(fields):
    told = session.post(url + "/rest/data/v2.0/xobjects/lead", json={"data": {**fields, "ownerId": "u"}}).json()
    assert told["data"]["id"]
"""
# Dialect → the script of a bare client, and what it needs.
PEERS = {
    "hubspot": (HUBSPOT, OFFICIAL),
    "fxiaoke": (SINGLES.format(vendor=FXIAOKE), ("requests",)),
    "neocrm": (SINGLES.format(vendor=NEOCRM), ("requests",)),
}


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of this process for one piece of work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def show(what: str, seconds: float, rows: int | None = None, more: str = "") -> None:
    """One line."""
    rate = f", {rows / seconds:,.0f} rows a CPU s" if rows else ""
    print(f"{what:<44} {seconds:7.2f} CPU s{rate}{more}", flush=True)


# A lead as the mart gives it, by its number: every column of marts.crm_leads.
MART = """
create or replace table marts.crm_leads as
select 'L' || number as abm_key, 'P' || number as person_id, 'CN' as region, null::varchar as hold,
       ['A3', 'B2', 'C1'][number % 3 + 1] as send_order, timestamp '2026-10-01' as changed_at,
       'P' || number as contact_key,
       'A' || number // 3 as company_key, '深圳华强' || number // 3 || '公司' as company_name, '王伟' || number as name,
       'CTO' as title, 'c_level' as seniority, 'w' || number || '@example.cn' as email,
       '+86138' || lpad(number::varchar, 8, '0') as mobile, 'I' as industry_section, 'u' || number % 50 as owner_id,
       null::varchar as pool_id, 'territory: south' as assignment_reason, date '2026-10-02' as assigned_on, 1 as cycle,
       'mql' as abm_stage, date '2026-10-03' as abm_stage_on, '60 of 60' as abm_stage_reason, 'A' as fit_grade,
       3 as engagement_band, ['A3', 'B2', 'C1'][number % 3 + 1] as grid, 'demo +50 (2026-10-01)' as score_reason,
       'name: 深圳华强' as match_evidence, '秋季直播' as first_campaign, 'webinar' as first_channel,
       'webinar' as channel, '秋季直播' as campaign, null::varchar as department,
       date '2026-10-01' as inquiry_on, 'mql' as stage, true as is_workable
from range({0}) as leads(number)
"""
PERSONS = """
insert into matched.person_keys by name
select 'mobile' as key_kind, '+86138' || lpad(number::varchar, 8, '0') as key_value, 'P' || number as person_id
from range({0}) as leads(number)
"""
# One person of three has said something about being shared with the CRM.
CONSENTS = """
create or replace table core.consents as
select 'P' || number as person_id, 'crm_share' as channel, 'granted' as status, timestamp '2026-09-01' as given_at,
       'E' || number as event_id
from range(0, {0}, 3) as leads(number)
"""


def make_workspace(root: Path, number: int) -> None:
    """A workspace with the shipped rules and so many leads to hand over, one person each."""
    root.mkdir()
    (root / "abmloop.yaml").write_text("name: bench\n", encoding="utf-8")
    rules = load_yaml((POLICIES / "crm.yaml").read_text(encoding="utf-8"))
    rules["objects"] = {"leads": rules["objects"]["leads"]}
    (root / "config").mkdir()
    (root / "config" / "crm.yaml").write_text(json.dumps(rules, ensure_ascii=False), encoding="utf-8")
    with open_run(root, DAY) as run, step(run, "given") as work:
        for sql in (MART, PERSONS, CONSENTS):
            work.execute(sql.format(number))


def daily(root: Path, day: date, mode: Mode) -> tuple[float, dict[str, int]]:
    """The CPU seconds of one `deliver` step within a run, beside starting it, and what it counted."""
    with open_run(root, day) as run:
        began = time.process_time()
        counts = deliver(run, mode).counts
        return time.process_time() - began, counts


def measure_days(root: Path, number: int) -> None:
    """The step as a sync has it: from the marts to import files, then days on which little or nothing changed."""
    make_workspace(root, number)
    show(f"plan {number:,} new leads", daily(root, DAY, "plan")[0], number)
    show(f"push {number:,} leads to files", daily(root, DAY, "apply")[0], number)
    for place, changed in enumerate((0, 0, number // 100, 0), 1):
        day = DAY + timedelta(days=place)
        if changed:
            with open_run(root, day) as run, step(run, "given") as work:
                work.execute(f"update marts.crm_leads set abm_stage = 'sal' where abm_key in ({_keys(changed)})")
        seconds, counts = daily(root, day, "apply")
        if counts.get("delivered", 0) != changed or counts["unchanged"] != number - changed:
            raise SystemExit(f"day {place}: {counts}")
        show(f"push on a day on which {changed:,} changed", seconds)


def _keys(number: int) -> str:
    return f"select 'L' || number from range({number}) as leads(number)"


def measure_vendor(folder: Path, server: CrmServer, dialect: str, number: int, size: int) -> float:
    """A first push to one vendor; gives its CPU seconds."""
    folder.mkdir(exist_ok=True)
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
    script, packages = PEERS[dialect]
    python = environment(folder / f"environment-{dialect}", packages)
    done = run_measured([python, "-c", script, server.url, str(number)], LIMIT_SECONDS)
    if done.error:
        print(f"  bare client of {dialect}: {done.error}")
        return
    bare = float(done.printed)
    more = f", {server.calls():,} calls; ours takes {ours / bare:.2f} times that"
    show(f"  bare client, the same calls to {dialect}", bare, number, more)


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
        measure_days(folder / "days", given.leads)
        measure_vendor(folder, server, "salesforce", given.leads, 200)
        # Once with a few: what is imported at first use is not what a row costs.
        measure_vendor(folder / "first", server, "hubspot", 100, 100)
        singles = [(dialect, given.singles, 20) for dialect in ("fxiaoke", "neocrm")]
        for dialect, number, size in (("hubspot", given.batches, 100), *singles):
            ours = measure_vendor(folder, server, dialect, number, size)
            if given.peers:
                measure_peer(folder, server, dialect, number, ours)


if __name__ == "__main__":
    main()
