"""R5: what is stuck on its way to the CRM, and how old the oldest of it is, whatever was tried since."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from abmloop.errors import CrmUnreachable
from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.doctor import doctor_rows
from tasks.outbound.push.letters import crm_instance, list_letters
from tasks.outbound.push.outbox import Journal
from tasks.outbound.push.stuck import age_said, find_stuck, stuck_said
from tasks.workspace import make_workspace
from tests.contract.fake_crm import FakeCrm
from tests.contract.world import LEADS, World
from warehouse.ledger import Ledger
from warehouse.ledger_tables import outbox

MakeWorld = Callable[..., World]
DAYS = (datetime(2026, 10, 1), datetime(2026, 10, 8), datetime(2026, 10, 15), datetime(2026, 10, 22))
NOW = datetime(2026, 10, 31)


class Silent(FakeCrm):
    """Nobody answers while `is_down`."""

    is_down = False

    def upsert(self, object_name: str, records: object) -> list[object]:  # type: ignore[override]
        if self.is_down:
            raise CrmUnreachable("500")
        return super().upsert(object_name, records)  # type: ignore[arg-type,return-value]


def _date(world: World) -> None:
    """Each version was decided on a day of its own."""
    with world.ledger.engine.begin() as connection:
        for number, day in enumerate(DAYS):
            connection.execute(update(outbox).where(outbox.c.version == number + 1).values(recorded_at=day))


def test_r5_a_lead_that_changes_while_it_waits_is_as_old_as_its_first_try(make_world: MakeWorld) -> None:
    world, crm = make_world(3), Silent()
    world.push(crm)
    crm.is_down = True
    for stage in ("sal", "sql", "won"):
        world.fields["L00001"]["stage"] = stage
        world.push(crm)
    _date(world)
    stuck = find_stuck(world.ledger, "fake:test")
    # The first version arrived on day one: it has been wanted otherwise since the second.
    assert (stuck.waiting, stuck.waiting_since, stuck.dead) == (1, DAYS[1], 0)
    assert stuck_said(stuck, NOW).told("en") == "waiting for the CRM: 1, the oldest for 23 days"
    assert stuck_said(stuck, NOW).told("zh") == "1 条待推送，最早的已等待 23 天"


def test_r5_dead_letters_tell_since_when_and_what_the_gate_held_does_not_count(make_world: MakeWorld) -> None:
    world, crm = make_world(4), FakeCrm(row_refusals={"L00000": "name: too long"})
    world.say("L00002", "refused")
    world.push(crm)
    world.fields["L00000"]["name"] = "长" * 300
    world.push(crm)
    _date(world)
    stuck = find_stuck(world.ledger, "fake:test")
    assert (stuck.waiting, stuck.dead, stuck.dead_since) == (0, 1, DAYS[0])
    assert stuck_said(stuck, NOW).told("zh") == "1 封死信，最早的已滞留 30 天"
    since = {one.key: one.since for one in list_letters(world.ledger, "fake:test")}
    assert since["L00000"] == DAYS[0]


def test_r5_what_arrived_is_not_stuck(make_world: MakeWorld) -> None:
    world = make_world(2)
    world.push(FakeCrm())
    stuck = find_stuck(world.ledger, "fake:test")
    assert not stuck
    assert stuck_said(stuck).told("en") == "nothing waits for the CRM and no letter is dead"
    assert not Journal(world.ledger, "fake:test").queued(("pending", "sending", "retry", "dead"))


@pytest.mark.parametrize(
    ("age", "en", "zh"),
    [
        (timedelta(seconds=90), "1 minutes", "1 分钟"),
        (timedelta(hours=5.5), "5.5 hours", "5.5 小时"),
        (timedelta(days=3, hours=2), "3 days", "3 天"),
        (timedelta(seconds=-5), "0 minutes", "0 分钟"),
    ],
)
def test_ages_as_people_say_them(age: timedelta, en: str, zh: str) -> None:
    assert (age_said(age).told("en"), age_said(age).told("zh")) == (en, zh)


@pytest.mark.parametrize(
    ("language", "told"), [("en", "waiting for the CRM: 1, the oldest for 0 minutes"), ("zh", "1 条待推送")]
)
def test_r5_the_doctor_says_how_old_the_oldest_is(tmp_path: Path, language: str, told: str) -> None:
    make_workspace(tmp_path, language)
    world = World(tmp_path, parse_policy(LEADS.replace("fake:test", crm_instance(tmp_path)), CrmPolicy), 1)
    crm = Silent(instance=world.policy.instance)
    crm.is_down = True
    world.push(crm)
    (row,) = (row for row in doctor_rows(tmp_path) if row["asked"] == "outbox")
    assert row["state"] == "warn"
    assert told in row["found"]
    with Ledger.of(tmp_path) as ledger:
        assert find_stuck(ledger, crm_instance(tmp_path)).waiting == 1
