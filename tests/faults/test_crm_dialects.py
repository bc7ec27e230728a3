"""The vendors' dialects, misbehaving: nothing lost, nothing twice, judged by the fake's own dump.

The fake runs in a process of its own. Seeds are printed by the long run (`python -m tests.faults.crm_campaign`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import BadPolicy, BadUsage, CrmError, CrmUnreachable
from tasks.outbound.crm.base import ChannelStopped, Found, SlowDown, Verdict
from tasks.outbound.crm.connectors import vendor_class
from tasks.outbound.crm.hubspot import HubSpotConnector
from tasks.outbound.crm.salesforce import SalesforceConnector
from tasks.outbound.crm.session import secrets
from tasks.outbound.crm.singles import SingleRecordConnector
from tasks.outbound.crm.wire import Wire
from tasks.outbound.push.desk import Desk
from tasks.outbound.push.letters import list_letters
from tasks.outbound.push.step import push
from tests.contract.server.account import CrmServer
from tests.contract.server.faults import FAULTS
from tests.contract.vendors import DIALECTS, ENVIRONMENT, INSTANCES, SECRET, VendorWorld, vendor_policy
from tests.faults.crm_campaign import Plan, moments, run_campaign
from tests.faults.crm_points import POINTS, install

SINGLES = ("fxiaoke", "neocrm")
Begin = Callable[..., VendorWorld]


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Begin:
    def made(dialect: str, people: int = 20, **fake: Any) -> VendorWorld:
        return VendorWorld.begin(tmp_path, crm_server, dialect, people, **fake)

    return made


def _told(world: VendorWorld) -> str | None:
    """Why one push stopped."""
    desk = world.desk(world.connector())
    return push(desk, world.new_run(), world.ledger, pause=world.fake.sleep)[1]


@pytest.mark.parametrize(("dialect", "people"), [("hubspot", 80), ("salesforce", 80), ("fxiaoke", 25), ("neocrm", 25)])
def test_r2_a_third_of_all_calls_faulty_and_every_lead_is_there_once(begin: Begin, dialect: str, people: int) -> None:
    world = begin(dialect, people, seed=11, share=0.35, lag=5.0, guard="name")
    guard = world.policy.objects["leads"].name_there("name")
    world.fake.ask("plant", object=world.object_there, records=[{guard: "人7"}, {guard: "人12"}])
    world.push_until_quiet()
    for number in range(0, people, 7):
        world.fields[f"L{number:05d}"]["stage"] = "sal"
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)
    assert len(world.fake.dump()) == people, "what people had made was linked, not made again"
    assert set(world.states()) <= {"done", "superseded"}
    assert len(world.fake.ask("calls")["drawn"]) >= 6, "kinds of faults"
    assert SECRET not in str(world.ledger.read("deliveries").to_pylist()), "no word of it holds the key"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_r2_each_misbehaviour_alone(begin: Begin, dialect: str, fault: str) -> None:
    world = begin(dialect, 60 if dialect in SINGLES else 150, seed=2, share=0.5, lag=5.0, faults=[fault])
    world.push_until_quiet()
    assert world.fake.ask("calls")["drawn"].get(fault), "was never drawn"
    assert world.lost_and_doubled() == (0, 0)
    assert set(world.states()) == {"done"}


def test_m2_control_creating_without_asking_first_doubles_leads(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_self: Any, _name: str, _keys: Sequence[str]) -> Mapping[str, Found]:
        return {}

    monkeypatch.setattr(SingleRecordConnector, "find", nothing)
    world = begin("fxiaoke", 40, seed=11, share=0.35, lag=5.0)
    world.push_until_quiet()
    assert world.lost_and_doubled()[1] > 0, "the guard is not what keeps leads single"


def test_m2_control_trusting_the_status_loses_leads(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting(_self: Any, _mapping: Any, _told: Any, records: Mapping[str, Any]) -> list[Verdict]:
        return [Verdict(key, "done") for key in records]

    monkeypatch.setattr(HubSpotConnector, "_verdicts", trusting)
    world = begin("hubspot", 120, seed=11, share=0.35, faults=["row_busy", "all_busy", "html_before"])
    world.push_until_quiet()
    assert world.lost_and_doubled()[0] > 0, "the verdict per row is not what keeps leads"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c03_a_used_up_day_stops_the_run_without_a_hot_loop(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    world.push_once()
    for fields in world.fields.values():
        fields["stage"] = "sal"
    desk = world.desk(world.connector())
    desk.connector.describe()
    before = world.fake.calls()
    world.fake.ask("set", quota=1)
    _, stopped = push(desk, world.new_run(), world.ledger, pause=world.fake.sleep)
    assert stopped is not None
    assert "86,400 s" in stopped
    assert world.fake.calls() - before <= 3
    world.fake.ask("set", quota=10_000)
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c03_few_calls_go_to_the_best_leads(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 30)
    world.policy = world.policy.model_copy(update={"calls_per_run": 10 if dialect in SINGLES else 1})
    assert "no calls are left" in str(_told(world))
    assert sorted(world.there()) == sorted(world.fields)[:10], "the first ten of thirty, best first"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c04_a_200_with_a_maintenance_page_stops_after_n_calls(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    desk = world.desk(world.connector())
    desk = _replaced(desk, world, stop_after_failures=3)
    desk.connector.describe()
    world.fake.ask("set", share=1.0, faults=["html_before"])
    counts, _ = push(desk, world.new_run(), world.ledger, pause=world.fake.sleep)
    assert counts == {"waiting": 20}
    assert world.fake.calls() < 20, "no hot loop"
    assert not world.there()


def _replaced(desk: Desk, world: VendorWorld, **changes: Any) -> Desk:
    world.policy = world.policy.model_copy(update=changes)
    return replace(desk, policy=world.policy)


@pytest.mark.parametrize("style", ["400", "409", "500"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_c05_a_duplicate_is_linked_and_what_people_typed_stays(begin: Begin, dialect: str, style: str) -> None:
    world = begin(dialect, 3, duplicate_style=style, guard="name")
    names = world.policy.objects["leads"]
    guard, owner = names.name_there("name"), names.name_there("owner_id")
    world.fake.ask("plant", object=world.object_there, records=[{guard: "人1", owner: "chosen by sales"}])
    world.push_until_quiet()
    there = world.there()
    assert {key: len(rows) for key, rows in there.items()} == dict.fromkeys(world.fields, 1)
    assert len(world.fake.dump()) == 3
    assert there["L00001"][0][owner] == "chosen by sales"
    assert there["L00001"][0][names.name_there("stage")] == "mql"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c05_a_duplicate_that_is_to_be_held_waits_with_the_crms_words(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 2, duplicate_style="409", guard="name")
    guard = world.policy.objects["leads"].name_there("name")
    world.policy = world.policy.model_copy(update={"on_duplicate": "hold"})
    world.fake.ask("plant", object=world.object_there, records=[{guard: "人1"}])
    world.push_until_quiet()
    assert world.states() == {"dead": 1, "done": 1}
    before = world.fake.calls()
    world.push_once()
    assert world.fake.calls("batch/upsert") + world.fake.calls("create") <= before, "it is not tried for ever"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c07_an_expired_token_is_renewed_once_and_the_batch_goes_on(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    desk = world.desk(world.connector())
    desk.connector.describe()
    world.fake.ask("set", share=0.3, faults=["token_expired"])
    push(desk, world.new_run(), world.ledger, pause=world.fake.sleep)
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)
    assert world.fake.calls("token") > 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c07_r17_a_revoked_key_is_told_without_the_key(
    begin: Begin, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = begin(dialect, revoked=True)
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelStopped, match="no token is given") as stopped:
        world.connector().describe()
    assert SECRET not in str(stopped.value) + caplog.text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c08_a_row_the_crm_refuses_is_a_letter_in_its_own_words(begin: Begin, dialect: str) -> None:
    words = "INVALID_PICKLIST: 行业取值不在选项中 (lead status)"
    world = begin(dialect, 20, refuse={"人13": words}, duplicate_style="400")
    world.push_until_quiet()
    assert world.states() == {"dead": 1, "done": 19}
    (letter,) = list_letters(world.ledger, world.policy.instance)
    assert letter.key == "L00013"
    assert words in letter.reason
    assert world.lost_and_doubled() == (1, 0)


def test_r20_a_poison_row_in_a_batch_of_200_stands_alone_within_nine_calls(begin: Begin) -> None:
    world = begin("hubspot", 100, refuse={"人57": "bad"}, duplicate_style="400")
    world.batch_size = 100
    world.push_until_quiet()
    assert world.states() == {"dead": 1, "done": 99}
    assert world.fake.calls("batch/upsert") <= 15


@pytest.mark.parametrize("dialect", SINGLES)
def test_c09_a_search_that_lags_is_waited_for(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 20, share=1.0, faults=["dropped_reply"], lag=25.0)
    desk = world.desk(world.connector())
    world.fake.ask("set", share=0.0)
    desk.connector.describe()
    world.fake.ask("set", share=0.5)
    push(desk, world.new_run(), world.ledger, pause=world.fake.sleep)
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c09_a_record_deleted_over_there_is_not_made_again(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 3)
    world.push_once()
    gone = next(one for one in world.fake.dump() if one["fields"][world.key_field] == "L00001")
    world.fake.ask("change", records=[{"id": gone["id"], "deleted": True}])
    world.fields["L00001"]["stage"] = "sal"
    assert world.push_once()["skipped"] == 1
    assert sorted(world.there()) == ["L00000", "L00002"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c10_a_human_edit_stays_and_is_not_asked_about_every_day(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 3)
    world.push_once()
    names = world.policy.objects["leads"]
    edited = next(one for one in world.fake.dump() if one["fields"][world.key_field] == "L00001")
    typed = {names.name_there("name"): "王总（新）", names.name_there("owner_id"): "u9"}
    world.fake.ask("change", records=[{"id": edited["id"], "fields": typed}])
    world.fields["L00001"].update(stage="sal", owner_id="u2")
    world.push_once()
    held = world.there()["L00001"][0]
    assert {name: held[name] for name in typed} == typed
    assert held[names.name_there("stage")] == "sal"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c13_r4_a_ledger_from_yesterday_doubles_nothing_and_learns_what_stands_there(
    begin: Begin, dialect: str, tmp_path: Path
) -> None:
    world = begin(dialect, 20)
    world.push_once()
    before = [{**one, "modified": 0} for one in world.fake.dump()]
    restored = VendorWorld(tmp_path / "restored", world.policy, 20, server=world.server, dialect=dialect)
    assert restored.push_once()["reconciled"] == 20
    calls = restored.fake.calls()
    assert restored.push_once() == {"unchanged": 20}
    assert restored.fake.calls() - calls <= 4, "only who answers there is asked"
    assert [{**one, "modified": 0} for one in restored.fake.dump()] == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c13_a_sandbox_is_not_production(begin: Begin, dialect: str) -> None:
    other = "4712" if dialect == "hubspot" else f"{INSTANCES[dialect]}x"
    world = begin(dialect, instance=other, sandbox=True)
    with pytest.raises(CrmError, match=r"answers\. Nothing was sent"):
        push(world.desk(world.connector()), world.new_run(), world.ledger, pause=world.fake.sleep)
    assert not world.there()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_c14_a_redirect_is_not_followed_and_named(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    world.fake.ask("set", share=1.0, faults=["redirect"])
    with pytest.raises(CrmUnreachable, match=r"sends us to 127\.0\.0\.2; redirects are not followed"):
        world.connector().describe()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.hubapi.com", "only https"),
        ("https://user:pw@api.hubapi.com", "no user"),
        ("https://api.hubapi.com?key=1", "no query"),
        ("ftp://api.hubapi.com", "only https"),
    ],
)
def test_s20_addresses_that_may_not_be_called(crm_server: CrmServer, url: str, said: str) -> None:
    policy = vendor_policy("hubspot", crm_server).model_copy(update={"url": url})
    with pytest.raises(BadPolicy, match=said):
        vendor_class("hubspot")(policy, ENVIRONMENT)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"])
def test_s21_loopback_in_disguise_is_no_public_address(crm_server: CrmServer, host: str) -> None:
    wire = Wire("https://crm.example", 2.0)
    wire.host, wire.port, wire.is_plain = host, crm_server.port, True
    with pytest.raises(ChannelStopped, match=r"leads to 127\.0\.0\.1, which is no public address"):
        wire.call("GET", "/", None, {})


def test_s30_a_secret_that_an_example_set_is_none() -> None:
    left = {"TRYTON_USER": "admin", "TRYTON_PASSWORD": " Admin "}
    with pytest.raises(BadUsage, match="TRYTON_PASSWORD still holds") as refused:
        secrets(left, "TRYTON_USER", "TRYTON_PASSWORD")
    assert "TRYTON_USER" not in str(refused.value)
    assert secrets({**left, "TRYTON_PASSWORD": "k3y-0f-0urs"}, "TRYTON_USER", "TRYTON_PASSWORD")[0] == "admin"


def test_s28_missing_credentials_are_named(crm_server: CrmServer) -> None:
    with pytest.raises(BadUsage, match="SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET"):
        SalesforceConnector(vendor_policy("salesforce", crm_server), {})


def test_c03_a_date_to_wait_for_is_read_by_the_crms_own_clock(begin: Begin) -> None:
    world = begin("hubspot")
    connector = world.connector()
    connector.describe()
    world.fake.ask("set", share=1.0, faults=["429_date"])
    with pytest.raises(SlowDown) as asked:
        connector.find("leads", ["L00001"])
    assert asked.value.seconds == pytest.approx(3, abs=1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_r1_pushes_ended_at_every_boundary_lose_and_double_nothing(
    begin: Begin, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = install(monkeypatch)
    world = begin(dialect, 20, seed=4, share=0.2, lag=5.0)
    world.batch_size = 5
    for place, point in enumerate(POINTS):
        for fields in world.fields.values():
            fields["stage"] = f"stage {place}"
        with points.killing(point):
            world.push_once()
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)
    assert set(POINTS) <= points.passed.keys()


@pytest.mark.slow
def test_r1_pushes_ended_by_kill_9_at_every_boundary_lose_and_double_nothing(
    crm_server: CrmServer, tmp_path: Path
) -> None:
    plan = Plan("neocrm", 30, 0.35, 5, moments(1, 0, 5))
    outcome = run_campaign(plan, crm_server, tmp_path)
    assert outcome.kills.total() >= 5
    assert (outcome.lost, outcome.doubled, outcome.unconsented, outcome.unnamed) == (0, 0, 0, 0)
