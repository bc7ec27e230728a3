"""A push: once, only what the gate lets out, only what was agreed, never backwards, never into another CRM."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest

from abmloop.errors import BadPolicy, BadUsage, Busy, CrmRefused
from abmloop.policy import read_policy
from abmloop.run import Person
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Description
from tasks.outbound.push.desk import plan_lines
from tasks.outbound.push.letters import list_letters, retry_letters
from tasks.outbound.push.outbox import Journal
from tasks.outbound.push.step import push
from tests.contract.fake_crm import FakeCrm
from tests.contract.world import POLICIES, World

MakeWorld = Callable[..., World]


def test_second_push_sends_nothing(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    assert world.push(crm)["delivered"] == 10
    dump, rows, calls = crm.dump(), world.ledger_rows(), len(crm.calls)
    assert world.push(crm) == {"unchanged": 10}
    assert (crm.dump(), world.ledger_rows(), len(crm.calls)) == (dump, rows, calls)


def test_a_changed_field_is_one_update_of_one_record(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    world.push(crm)
    world.fields["L00003"]["stage"] = "sal"
    assert world.push(crm) == {"queued": 1, "delivered": 1, "unchanged": 9}
    assert crm.dump()[("leads", "L00003")] == [{"stage": "sal", "name": "人3", "owner_id": "u1"}]


def test_plan_writes_nothing_not_even_a_cursor(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    world.say("L00001", "refused")
    head, rows = world.ledger.head(), world.ledger_rows()
    made = world.plan(crm)
    lines = plan_lines(made, "en") + plan_lines(made, "zh")
    assert "leads: 9 to create, 0 to update, 0 skipped, 0 conflicts, 0 unchanged" in lines
    assert "leads: 1 held back (refused)" in lines
    assert (world.ledger.head(), world.ledger_rows(), crm.dump()) == (head, rows, {})


def test_apply_refuses_rows_that_changed_after_the_plan_was_made(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    approved = world.plan(crm).approved()
    world.fields["L00002"]["stage"] = "sal"
    world.fields["L00099"] = {"stage": "mql"}
    counts = world.push(crm, approved)
    assert (counts["delivered"], counts["changed_since_plan"]) == (9, 2)
    assert not {("leads", "L00002"), ("leads", "L00099")} & crm.dump().keys()


def test_what_a_sales_person_typed_stays(make_world: MakeWorld) -> None:
    world, crm = make_world(1), FakeCrm()
    world.push(crm)
    crm.type_over("leads", "L00000", name="王总", owner_id="u9")
    world.fields["L00000"].update(stage="sal", name="王伟", owner_id="u2")
    assert world.push(crm)["conflicts"] == 1
    assert crm.dump()[("leads", "L00000")] == [{"stage": "sal", "name": "王总", "owner_id": "u9"}]


def test_g10_who_refused_is_held_in_a_named_state_and_counted(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    world.say("L00004", "refused", "any")
    assert world.push(crm)["held"] == 1
    assert world.push(crm) == {"held": 1, "unchanged": 9}
    held = list_letters(world.ledger, "fake:test")
    assert [(one.key, one.state, one.action) for one in held] == [("L00004", "held", "hold")]
    assert held[0].reason.startswith("refused (L00004-any-refused")
    assert world.states() == {"done": 9, "held": 1}


def test_a_held_row_keeps_no_payload(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.say("L00000", "refused")
    world.push(FakeCrm())
    assert Journal(world.ledger, "fake:test").queued(("held",))[0].payload == "{}"


def test_who_agrees_again_is_sent(make_world: MakeWorld) -> None:
    world, crm = make_world(1), FakeCrm()
    world.say("L00000", "refused")
    world.push(crm)
    world.say("L00000", "granted", given_at=datetime(2026, 10, 31))
    assert world.push(crm) == {"queued": 1, "delivered": 1}
    assert world.states() == {"done": 1, "superseded": 1}


def test_who_refuses_after_delivery_is_noted_for_removal_once(make_world: MakeWorld) -> None:
    world, crm = make_world(2), FakeCrm()
    world.push(crm)
    world.say("L00001", "withdrawn")
    world.push(crm)
    world.push(crm)
    assert [(one.key, one.action) for one in list_letters(world.ledger, "fake:test")] == [("L00001", "remove")]


def test_an_older_day_than_the_last_delivered_is_refused(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    world.push(crm)
    world.as_of = date(2026, 10, 30)
    world.fields["L00000"]["stage"] = "inquiry"
    with pytest.raises(BadUsage, match=r"already holds the state of 2026-10-31.*Nothing was sent"):
        world.push(crm)


def test_c13_a_push_into_another_crm_than_the_last_is_refused(make_world: MakeWorld) -> None:
    world = make_world()
    world.push(FakeCrm())
    world.policy = world.policy.model_copy(update={"instance": "fake:sandbox"})
    sandbox = FakeCrm(instance="fake:sandbox")
    with pytest.raises(CrmRefused, match=r"last delivery went to fake:test.*previous_instances"):
        world.push(sandbox)
    world.policy = world.policy.model_copy(update={"previous_instances": ("fake:test",)})
    assert world.push(sandbox)["delivered"] == 10


def test_c13_another_crm_than_configured_that_answers_is_refused(make_world: MakeWorld) -> None:
    with pytest.raises(CrmRefused, match="fake:production answers"):
        make_world().push(FakeCrm(instance="fake:production"))


def test_a_field_the_crm_does_not_have_is_found_before_anything_is_sent(make_world: MakeWorld) -> None:
    class Narrow(FakeCrm):
        def describe(self) -> Description:
            return replace(super().describe(), fields={"leads": frozenset({"stage", "name"})})

    crm = Narrow()
    with pytest.raises(BadPolicy, match="the CRM has no field owner_id"):
        make_world().push(crm)
    assert crm.calls == []


def test_x06_a_run_that_was_overtaken_delivers_nothing(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm()
    zombie = world.new_run()
    world.new_run()
    with pytest.raises(Busy, match="was overtaken"):
        push(world.desk(crm), zombie, world.ledger)
    assert crm.dump() == {}
    assert world.states() == {}


def test_dead_letters_are_sent_again_on_demand_and_when_their_data_changes(make_world: MakeWorld) -> None:
    world, crm = make_world(3), FakeCrm(row_refusals={"L00000": "owner_id: unknown user", "L00001": "name: too long"})
    assert world.push(crm)["dead"] == 2
    assert [(one.key, one.reason) for one in list_letters(world.ledger, "fake:test")] == [
        ("L00000", "owner_id: unknown user"),
        ("L00001", "name: too long"),
    ]
    assert world.push(crm)["already_dead"] == 2
    crm.row_refusals = {}
    first = list_letters(world.ledger, "fake:test")[0]
    assert retry_letters(world.ledger, "fake:test", [first.letter_id], Person("person:li", date(2026, 10, 31))) == 1
    world.fields["L00001"]["name"] = "短"
    assert world.push(crm)["delivered"] == 2
    assert world.states() == {"done": 3, "superseded": 1}


def test_only_dead_letters_can_be_sent_again(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.say("L00000", "refused")
    world.push(FakeCrm())
    held = list_letters(world.ledger, "fake:test")[0]
    with pytest.raises(BadUsage, match="Held ones wait for consent"):
        retry_letters(world.ledger, "fake:test", [held.letter_id], Person("person:li", date(2026, 10, 31)))


def test_the_shipped_crm_rules_let_no_field_out_twice_and_end_with_a_play_for_all() -> None:
    shipped = read_policy(POLICIES / "crm.yaml", CrmPolicy)
    assert shipped.connector == "files"
    assert shipped.plays[-1].when == {}
    assert shipped.objects["leads"].owners["status"] == "theirs"
