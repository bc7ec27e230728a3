"""Records that people merged over there: where our links go, and what waits while nobody says where a record went."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from abmloop.errors import CrmUnreachable
from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Page, Standing
from tasks.outbound.crm.walk import line
from tasks.outbound.pull.merges import Links
from tasks.outbound.push.outbox import Journal
from tests.contract.fake_crm import FakeCrm
from tests.contract.world import LEADS, World

KEY = "L00000"


class Mute(FakeCrm):
    """A CRM that does not say where a record went."""

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        raise CrmUnreachable("500 while asking by id")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, parse_policy(LEADS, CrmPolicy), 2)


@pytest.fixture
def follow(world: World) -> Callable[..., str]:
    def followed(*merges: tuple[str, str], **more: str) -> str:
        rows = [{"object": "leads", "old_id": old, "new_id": new, **more} for old, new in merges]
        page = Page("merges", "merges", ".ndjson", b"".join(line(row) for row in rows), "2026")
        Links(world.ledger, world.new_run(), world.policy.instance).follow(page)
        return Journal(world.ledger, world.policy.instance).crm_ids()["leads", KEY]

    return followed


@pytest.mark.parametrize("more", [{}, {"old_key": KEY}], ids=["ids alone", "the deleted row bears our key"])
def test_c09_a_merge_that_is_read_again_does_not_move_the_link_back(
    world: World, follow: Callable[..., str], more: dict[str, str]
) -> None:
    world.push(FakeCrm())
    assert follow(("crm-1", "B"), **more) == "B"
    assert follow(("B", "C"), **more) == "C"
    events = world.ledger.read("deliveries").num_rows
    assert follow(("crm-1", "B"), **more) == "C"
    assert follow(("crm-1", "B"), ("B", "C"), **more) == "C"
    assert world.ledger.read("deliveries").num_rows == events, "nothing was delivered"


def test_c09_a_merge_that_is_read_again_leaves_the_record_that_the_push_found(
    world: World, follow: Callable[..., str]
) -> None:
    crm = FakeCrm()
    world.push(crm)
    assert follow(("crm-1", "B"), old_key=KEY) == "B"
    crm.records[0]["id"] = "C"
    world.fields[KEY]["stage"] = "sal"
    world.push(crm)
    assert follow(("crm-1", "B"), old_key=KEY) == "C"


def test_c09_a_look_up_that_fails_holds_up_the_record_that_is_gone_alone(world: World) -> None:
    crm = Mute()
    world.push(crm)
    crm.records = [one for one in crm.records if one["key"] != KEY]
    world.fields[KEY]["stage"] = "sal"
    world.fields["L00001"]["stage"] = "sal"
    world.fields["L00009"] = {"stage": "mql", "name": "new", "owner_id": "u1"}
    done = world.push(crm)
    assert {one["key"]: one["fields"]["stage"] for one in crm.records} == {"L00001": "sal", "L00009": "mql"}
    assert (done["delivered"], done["waiting"]) == (2, 1), "the one that nobody spoke of is not forgotten"
    assert world.plan(FakeCrm(records=crm.records)).unasked == 0
