"""C14, R11: a clock that is off stops the talk with a CRM before anything is sent, and says by how much."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import AbmError
from tasks.outbound.crm.base import ChannelStopped
from tasks.outbound.crm.wire import Wire, check_clock
from tasks.outbound.pull.step import Cursors, pull_pages
from tasks.outbound.push.step import push
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, VendorWorld

THERE = datetime(2026, 10, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299, 300])
def test_c14_a_clock_within_the_window_is_let_be(seconds: int) -> None:
    check_clock("crm.example", THERE, THERE + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "told"), [(301, "301 s ahead of crm.example"), (-86_400, "86,400 s behind crm.example")]
)
def test_c14_a_clock_that_is_off_is_told_by_how_much_in_both_languages(seconds: int, told: str) -> None:
    with pytest.raises(ChannelStopped) as stopped:
        check_clock("crm.example", THERE, THERE + timedelta(seconds=seconds))
    assert told in stopped.value.told("en") and "NTP" in stopped.value.told("en")
    assert "本机时钟比 crm.example" in stopped.value.told("zh")
    assert stopped.value.exit_code == 4


def test_c14_a_crm_on_this_machine_has_our_clock_and_another_is_held_to_ours() -> None:
    assert Wire("http://127.0.0.1:1", 1.0).clock is None
    assert Wire("https://api.hubapi.com", 1.0).clock is not None


@pytest.fixture
def off_by(tmp_path: Path, crm_server: CrmServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., VendorWorld]:
    """A world whose own clock is off from the fake's by so many seconds."""

    def made(dialect: str, seconds: float) -> VendorWorld:
        world = VendorWorld.begin(tmp_path, crm_server, dialect, 3)
        begin: Callable[..., None] = Wire.__init__

        def with_clock(wire: Wire, *given: Any, **more: Any) -> None:
            begin(wire, *given, **more)
            wire.clock = lambda: datetime.fromtimestamp(world.fake.ask("calls")["now"] + seconds, UTC)

        monkeypatch.setattr(Wire, "__init__", with_clock)
        return world

    return made


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c14_nothing_is_sent_and_nothing_read_by_a_wrong_clock(
    off_by: Callable[..., VendorWorld], dialect: str
) -> None:
    world = off_by(dialect, -3600)
    with pytest.raises(AbmError, match=r"3,[56]\d\d s behind"):
        push(world.desk(world.connector()), world.new_run(), world.ledger, pause=world.fake.sleep)
    with pytest.raises(AbmError, match=r"3,[56]\d\d s behind"):
        pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))
    assert world.fake.dump() == []
    assert world.states() == {}


def test_c14_control_the_right_clock_sends(off_by: Callable[..., VendorWorld]) -> None:
    world = off_by("hubspot", 60)
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)
