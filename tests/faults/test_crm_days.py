"""R4: every day pushed twice, for thirty days; and a ledger put back from a backup of days ago, in the midst of it."""

import random
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tasks.outbound.crm.singles import SingleRecordConnector
from tasks.outbound.push.outbox import Journal, Outbox
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, VendorWorld
from warehouse.ledger import Ledger

SEED, FIRST = 4, date(2026, 10, 1)
WRITES = ("upsert", "update", "composite", "create", "xobjects/lead", "jobs")
Begin = Callable[[str, int], VendorWorld]


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Begin:
    return lambda dialect, people: VendorWorld.begin(tmp_path, crm_server, dialect, people, lag=5.0)


def _writes(world: VendorWorld) -> int:
    """Calls that write; a search or a description is none, although some vendors take it by POST."""
    told = world.fake.ask("calls")["calls"].items()
    return sum(number for call, number in told if any(one in call for one in WRITES) and "description" not in call)


def _live(world: VendorWorld, days: range) -> int:
    """Each day a tenth changes and one comes, and all is pushed twice; gives the writes of all second pushes."""
    drawn = random.Random(SEED + days.start)
    again = 0
    for day in days:
        world.as_of = FIRST + timedelta(days=day)
        for key in drawn.sample(sorted(world.fields), len(world.fields) // 10):
            world.fields[key]["stage"] = f"stage of day {day}"
        world.fields[f"L{len(world.fields):05d}"] = {"stage": "mql", "name": f"new {day}", "owner_id": "u1"}
        world.push_until_quiet()
        before = _writes(world)
        world.push_once()
        again += _writes(world) - before
    return again


def _put_back(world: VendorWorld, backup: Path) -> None:
    """The ledger as it stood when the backup was made."""
    world.ledger.close()
    shutil.rmtree(world.root / "ledger")
    shutil.copytree(backup, world.root / "ledger")
    world.ledger = Ledger.of(world.root)


def _back_up(world: VendorWorld, backup: Path) -> None:
    world.ledger.close()
    shutil.copytree(world.root / "ledger", backup)


def _days(world: VendorWorld, number: int, folder: Path) -> tuple[int, int, int]:
    """That many days; two thirds in, the ledger of two days ago is put back. Second writes, lost, doubled."""
    restored = number * 2 // 3
    again = _live(world, range(restored - 2))
    _back_up(world, folder)
    again += _live(world, range(restored - 2, restored))
    _put_back(world, folder)
    again += _live(world, range(restored, number))
    return again, *world.lost_and_doubled()


@pytest.mark.parametrize(
    ("dialect", "people", "days"),
    [("fxiaoke", 20, 6), *(pytest.param(one, 200, 30, marks=pytest.mark.slow) for one in DIALECTS)],
)
def test_r4_second_pushes_write_nothing_and_a_ledger_put_back_doubles_nothing(
    begin: Begin, tmp_path: Path, dialect: str, people: int, days: int
) -> None:
    told = _days(begin(dialect, people), days, tmp_path / "backup")
    print(f"R4 {dialect}: seed {SEED}, {people} leads, {days} days twice, the ledger of two days before put back: "
          f"{told[0]} writes by second pushes, {told[1]} lost, {told[2]} doubled")  # fmt: skip
    assert told == (0, 0, 0)


def test_r4_control_without_asking_the_ledger_put_back_doubles_leads(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SingleRecordConnector, "find", lambda _self, _name, _keys: {})
    told = _days(begin("fxiaoke", 20), 6, tmp_path / "backup")
    print(f"R4 control, nobody asks: {told[2]} doubled")
    assert told[2] > 0


def test_r4_control_without_what_was_acknowledged_second_pushes_write(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin("hubspot", 20)
    world.push_until_quiet()
    for kind in (Journal, Outbox):
        monkeypatch.setattr(kind, "acknowledged", lambda _self: {})
    monkeypatch.setattr("tasks.outbound.crm.hubspot.HubSpotConnector.find", lambda _self, _name, _keys: {})
    before = _writes(world)
    world.push_once()
    print(f"R4 control, nothing is known to have arrived: {_writes(world) - before} writes by the second push")
    assert _writes(world) > before
