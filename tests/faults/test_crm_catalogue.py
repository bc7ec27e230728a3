"""The catalogue's cases of the push (C), each with what must be said and what must have happened."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import tasks.outbound.push.step
from abmloop.errors import CrmUnreachable
from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import ChannelStopped, Record, SlowDown, Verdict
from tasks.outbound.push.letters import list_letters
from tasks.outbound.push.send import Sender
from tasks.outbound.push.step import push
from tests.contract.fake_crm import FakeCrm
from tests.contract.world import LEADS, World
from tests.faults.crm_points import Points, install

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path) -> MakeWorld:
    return lambda people=10: World(tmp_path, parse_policy(LEADS, CrmPolicy), people)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Points:
    return install(monkeypatch)


class Scripted(FakeCrm):
    """The fake with a say of its own for the next calls: an error to raise, before or after the work is done."""

    def __init__(self, *errors: Exception | None, after: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.errors = list(errors)
        self.after = after

    def upsert(self, object_name: str, records: Any) -> list[Verdict]:
        error = self.errors.pop(0) if self.errors else None
        if error and not self.after:
            self.calls.append(("upsert", object_name, len(records)))
            raise error
        verdicts = super().upsert(object_name, records)
        if error:
            raise error
        return verdicts


def test_c01_an_answer_lost_after_commit_is_asked_for_not_sent_again(make_world: MakeWorld) -> None:
    world = make_world()
    crm = Scripted(CrmUnreachable("reset"), after=True, identity="search_after_lag")
    assert world.push(crm)["delivered"] == 10
    assert [verb for verb, _, _ in crm.calls] == ["find", "upsert", "find"]
    assert all(len(rows) == 1 for rows in crm.dump().values())


def test_c01_a_kill_between_send_and_reply_is_settled_by_the_next_run(make_world: MakeWorld, points: Points) -> None:
    world, crm = make_world(), FakeCrm(identity="search_after_lag")
    with points.killing("crm:after_send"):
        world.push(crm)
    assert world.states() == {"sending": 10}
    assert world.push(crm)["delivered"] == 10
    assert [verb for verb, _, _ in crm.calls].count("upsert") == 1


def test_c03_a_crm_that_asks_to_wait_is_given_that_time(make_world: MakeWorld) -> None:
    world, waited = make_world(), []
    crm = Scripted(SlowDown("429", 7.0), SlowDown("429"))
    push(world.desk(crm), world.new_run(), world.ledger, pause=waited.append)
    assert len(waited) == 2
    assert waited[0] >= 7.0
    assert 2.0 <= waited[1] <= 60.0
    assert world.states() == {"done": 10}


def test_c03_a_crm_that_asks_to_wait_a_day_stops_this_run_without_a_hot_loop(make_world: MakeWorld) -> None:
    world, crm = make_world(), Scripted(*[SlowDown("daily quota", 86400.0)] * 99)
    counts, stopped = push(world.desk(crm), world.new_run(), world.ledger, pause=lambda _seconds: None)
    assert stopped is not None
    assert stopped.startswith("the CRM asks to wait 86,400 s; the next run goes on from here")
    assert counts["waiting"] == 10
    assert [verb for verb, _, _ in crm.calls].count("upsert") == 1


def test_c04_a_verdict_per_row_counts_whatever_the_call_said(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm(row_refusals={"L00003": "industry: value not in picklist"})
    counts = world.push(crm)
    assert (counts["delivered"], counts["dead"]) == (9, 1)
    assert [(one.key, one.reason) for one in list_letters(world.ledger, "fake:test")] == [
        ("L00003", "industry: value not in picklist")
    ]


def test_c04_calls_without_a_usable_answer_stop_after_n(make_world: MakeWorld) -> None:
    world = make_world(40)
    world.policy = world.policy.model_copy(update={"stop_after_failures": 3})
    crm = Scripted(*[CrmUnreachable("200 with an HTML page")] * 99, batch_size=5)
    _, stopped = push(world.desk(crm), world.new_run(), world.ledger, pause=lambda _seconds: None)
    assert stopped == "3 calls in a row had no answer, the last: 200 with an HTML page"
    assert [verb for verb, _, _ in crm.calls].count("upsert") == 3


def test_c06_the_same_acknowledgement_twice_is_one_delivery(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm(seed=1, fault_share=1.0, faults=("acknowledged_twice",))
    assert world.push(crm) == {"queued": 10, "delivered": 10}


def test_c06_an_acknowledgement_for_another_row_is_an_alarm_and_proves_nothing(make_world: MakeWorld) -> None:
    world, crm = make_world(), FakeCrm(seed=1, fault_share=1.0, faults=("acknowledged_for_another",))
    counts = world.push(crm)
    assert counts["alarms"] >= 1
    assert counts["delivered"] == 10
    alarms = [row for row in world.ledger.read("audit").to_pylist() if row["action"] == "crm_alarm"]
    assert "somebody-else" in alarms[0]["detail"]


def test_c07_no_permission_stops_the_channel_at_once(make_world: MakeWorld) -> None:
    world, crm = make_world(), Scripted(ChannelStopped("403: the user may not write leads"), batch_size=2)
    _, stopped = push(world.desk(crm), world.new_run(), world.ledger, pause=lambda _seconds: None)
    assert stopped == "403: the user may not write leads"
    assert len([verb for verb, _, _ in crm.calls if verb == "upsert"]) == 1


def test_c08_r20_one_bad_row_of_200_stands_alone_after_9_calls_and_the_others_are_delivered(
    make_world: MakeWorld,
) -> None:
    world = make_world(200)
    for bad in ("L00000", "L00113", "L00199"):
        crm = FakeCrm(batch_size=200, batch_refusals={bad: "name: 300 characters, 255 allowed"})
        world.policy = world.policy.model_copy(
            update={"instance": f"fake:{bad}", "previous_instances": ("fake:L00000", "fake:L00113")}
        )
        crm.instance = world.policy.instance
        counts = world.push(crm)
        assert (counts["delivered"], counts["dead"]) == (199, 1)
        letter = list_letters(world.ledger, crm.instance)[0]
        assert (letter.key, letter.reason) == (bad, "name: 300 characters, 255 allowed")
        sizes = [size for verb, _, size in crm.calls if verb == "upsert"]
        assert sizes.index(1) <= 9, "calls before the bad row stood alone"


def _poisoned(world: World, place: int) -> tuple[int, int, int]:
    """A push of 200 with one bad row into an account of its own: calls until that is alone, delivered, dead."""
    crm = FakeCrm(batch_size=200, batch_refusals={f"L{place:05d}": "name: 300 characters, 255 allowed"})
    crm.instance = f"fake:{place}"
    world.policy = world.policy.model_copy(
        update={"instance": crm.instance, "previous_instances": (*world.policy.previous_instances, f"fake:{place - 1}")}
    )
    counts = world.push(crm)
    sizes = [size for verb, _, size in crm.calls if verb == "upsert"]
    return sizes.index(1) + 1 if 1 in sizes else len(sizes), counts.get("delivered", 0), counts.get("dead", 0)


@pytest.mark.slow
def test_r20_wherever_the_bad_row_stands_it_is_alone_within_nine_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, blind = (World(tmp_path / name, parse_policy(LEADS, CrmPolicy), 200) for name in ("bisected", "control"))
    told = [_poisoned(world, place) for place in range(200)]
    print(f"R20: 200 batches of 200, the bad row at each place once: alone after {max(told)[0]} calls at most, "
          f"{min(one[1] for one in told)} of 199 others delivered")  # fmt: skip
    assert max(calls for calls, _, _ in told) <= 9
    assert {(delivered, dead) for _, delivered, dead in told} == {(199, 1)}

    def all_dead(_sender: Sender, _name: str, records: list[Record], words: str) -> dict[str, Verdict]:
        return {one.key: Verdict(one.key, "dead", message=words) for one in records}

    monkeypatch.setattr(Sender, "_isolate", all_dead)
    control = _poisoned(blind, 100)
    print(f"R20 control, no bisecting: {control[1]} of 199 others delivered")
    assert control[1] == 0


def test_c10_a_newer_human_edit_is_not_overwritten(make_world: MakeWorld) -> None:
    world, crm = make_world(1), FakeCrm()
    world.push(crm)
    crm.type_over("leads", "L00000", owner_id="chosen by sales")
    world.fields["L00000"].update(owner_id="u2", stage="sal")
    world.push(crm)
    assert crm.dump()[("leads", "L00000")][0]["owner_id"] == "chosen by sales"


def test_c11_a_payload_that_changed_between_tries_goes_out_once_in_its_newest_version(make_world: MakeWorld) -> None:
    world = make_world(1)
    crm = Scripted(*[CrmUnreachable("500")] * 99)
    world.push(crm)
    world.fields["L00000"]["stage"] = "sal"
    crm.errors.clear()
    assert world.push(crm)["delivered"] == 1
    assert crm.dump()[("leads", "L00000")] == [world.fields["L00000"]]
    assert world.states() == {"done": 1, "superseded": 1}


def test_c11_an_older_version_in_doubt_is_settled_before_the_newer_is_sent(
    make_world: MakeWorld, points: Points
) -> None:
    world, crm = make_world(1), FakeCrm(identity="search_after_lag")
    with points.killing("crm:after_send"):
        world.push(crm)
    world.fields["L00000"]["stage"] = "sal"
    world.push(crm)
    assert crm.dump()[("leads", "L00000")] == [world.fields["L00000"]]
    assert world.states() == {"done": 2}


def test_c12_who_withdraws_while_queued_is_cancelled_before_the_send(make_world: MakeWorld) -> None:
    world = make_world()
    world.push(Scripted(*[CrmUnreachable("500")] * 99))
    world.say("L00006", "withdrawn")
    crm = FakeCrm()
    world.push(crm)
    assert ("leads", "L00006") not in crm.dump()
    assert world.states() == {"done": 9, "cancelled": 1, "held": 1}


def test_c12_r14_a_withdrawal_committed_just_before_the_send_wins(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, crm = make_world(), FakeCrm()

    def withdraw_now(name: str) -> None:
        if name == "crm:after_intent":
            row = {"event_id": "now", "key_kind": "phone", "key_value": "+8613800000002", "channel": "any"}
            said = {"status": "withdrawn", "given_at": datetime(2026, 10, 31)}
            world.ledger.append("consents", [{**row, **said}], world.author())

    monkeypatch.setattr(tasks.outbound.push.step, "fault_point", withdraw_now)
    assert world.push(crm)["cancelled"] == 1
    assert ("leads", "L00002") not in crm.dump()


def test_c12_who_withdraws_in_flight_is_noted_for_removal(make_world: MakeWorld) -> None:
    world = make_world()

    class Slow(FakeCrm):
        def upsert(self, object_name: str, records: Any) -> list[Verdict]:
            row = {"event_id": "now", "key_kind": "mobile", "key_value": "+8613800000002", "channel": "crm_share"}
            said = {"status": "refused", "given_at": datetime(2026, 10, 31)}
            world.ledger.append("consents", [{**row, **said}], world.author())
            return super().upsert(object_name, records)

    assert world.push(Slow())["held"] == 1
    letters = list_letters(world.ledger, "fake:test")
    assert [(one.key, one.action) for one in letters] == [("L00002", "remove")]


def test_c13_r4_a_ledger_restored_from_an_old_backup_doubles_nothing(make_world: MakeWorld, tmp_path: Path) -> None:
    world, crm = make_world(), FakeCrm(identity="search_after_lag")
    world.push(crm)
    restored = World(tmp_path / "restored", world.policy, world.people)
    restored.push(crm)
    assert all(len(rows) == 1 for rows in crm.dump().values())


def test_p11_a_crm_refuses_what_did_not_pass_the_gate() -> None:
    with pytest.raises(ChannelStopped, match="without the gate's word"):
        FakeCrm().upsert("leads", [Record("L1", {"stage": "mql"}, "-", "")])


def test_r5_no_row_is_left_without_a_named_state(make_world: MakeWorld) -> None:
    world = make_world(60)
    for key in ("L00001", "L00002"):
        world.say(key, "refused")
    crm = FakeCrm(seed=9, fault_share=0.5, row_refusals={"L00003": "no"})
    world.push_until_done(crm)
    assert world.states() == {"dead": 1, "done": 57, "held": 2}
