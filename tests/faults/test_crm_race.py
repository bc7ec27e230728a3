"""R14: people who refuse while their leads are on the way to the CRM; judged by its dump and the ledger's order."""

import random
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

import tasks.outbound.push.send
from tasks.outbound.consent.gate import Gate
from tasks.outbound.push.letters import list_letters
from tasks.outbound.push.step import push
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld

SEED = 14
STATUSES = ("granted", "refused", "withdrawn", "unclear")


@dataclass(frozen=True)
class Race:
    """`leaked`: sent although a refusal was on record before; `forgotten`: refused later, and not noted for removal."""

    leaked: set[str]
    forgotten: set[str]
    in_time: int
    too_late: int
    there: int


def race(root: Path, server: CrmServer, people: int, refusing: int) -> Race:
    """Push `people` leads, a tenth of whom said something before, while `refusing` others withdraw one by one."""
    world = VendorWorld.begin(root, server, "hubspot", people)
    world.batch_size = min(people // 100, 100)
    drawn = random.Random(SEED)
    said = drawn.sample(sorted(world.fields), people // 10 + refusing)
    for key in said[refusing:]:
        world.say(key, drawn.choice(STATUSES), drawn.choice(("crm_share", "any")))
    desk, run = world.desk(world.connector()), world.new_run()
    turns = threading.Semaphore(0)

    def withdraw() -> None:
        for key in said[:refusing]:
            turns.acquire()
            world.say(key, "withdrawn")

    thread = threading.Thread(target=withdraw)
    thread.start()

    def one_more(name: str) -> None:
        if name == "crm:before_send":
            turns.release()

    # One withdraws with every batch that goes out, at a moment that the push does not choose.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks.outbound.push.send, "fault_point", one_more)
        push(desk, run, world.ledger, pause=server.sleep)
    turns.release(refusing)
    thread.join()
    world.push_until_quiet()
    return _judged(world)


def _judged(world: VendorWorld) -> Race:
    there = world.there()
    refused: dict[str, int] = {}
    for row in world.ledger.read("consents").to_pylist():
        if row["status"] != "granted":
            refused.setdefault(f"L{row['key_value'][-5:]}", row["entry"])
    of_row = {row["outbox_id"]: row["external_key"] for row in world.ledger.read("outbox").to_pylist()}
    sent: dict[str, int] = {}
    for row in world.ledger.read("deliveries", only={"state": "sending"}).to_pylist():
        key = of_row[row["outbox_id"]]
        sent[key] = max(row["entry"], sent.get(key, 0))
    late = {key for key in refused if key in there}
    leaked = {key for key in late if refused[key] < sent[key]}
    letters = list_letters(world.ledger, world.policy.instance)
    noted = {one.key for one in letters if one.action == "remove"}
    return Race(leaked, late - leaked - noted, len(refused) - len(late), len(late - leaked), len(there))


def _told(name: str, people: int, refusing: int, found: Race) -> str:
    return (
        f"R14 {name}: seed {SEED}, {people:,} leads, {people // 10:,} spoke before, {refusing:,} withdrew meanwhile: "
        f"{len(found.leaked)} leaked, {len(found.forgotten)} forgotten; {found.in_time:,} refused in time, "
        f"{found.too_late:,} after they were sent, {found.there:,} are there"
    )


def test_r14_whoever_refused_before_the_send_is_not_in_the_crm_and_whoever_did_later_is_noted(
    crm_server: CrmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = race(tmp_path / "guarded", crm_server, 300, 50)
    print(_told("push", 300, 50, found))
    assert (found.leaked, found.forgotten) == (set(), set())
    assert found.in_time
    with monkeypatch.context() as patched:
        patched.setattr(Gate, "refresh", lambda _gate, _connection: None)
        control = race(tmp_path / "control", crm_server, 300, 50)
    print(_told("control, nobody looks again", 300, 50, control))
    assert control.leaked


@pytest.mark.slow
def test_r14_a_hundred_thousand_leads_and_a_thousand_refusals_that_race(crm_server: CrmServer, tmp_path: Path) -> None:
    found = race(tmp_path, crm_server, 100_000, 1_000)
    print(_told("push", 100_000, 1_000, found))
    assert (found.leaked, found.forgotten) == (set(), set())
    assert found.too_late
