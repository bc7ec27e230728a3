"""What people said is kept with its proof, a refusal past any backup, and nobody gets off the list lightly."""

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from abmloop.errors import BadUsage
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import HASHED, Subject
from tasks.outbound.consent.refusal_log import log_path, replay_log
from tasks.outbound.consent.statements import Statement, read_key, read_keys, record
from tasks.outbound.consent.suppress import Why, lift, suppress_all
from tests.contract.world import consent_policy
from tests.unit.outbound.list_world import GRANTED, PROOF, ListWorld, address, number
from warehouse.ledger import Ledger

LATE = datetime(2026, 10, 29)
ADMIN = Why("asked to be written to again", "tester", role="admin")


@pytest.fixture
def world(tmp_path: Path) -> ListWorld:
    return ListWorld(tmp_path, people=3)


def word(world: ListWorld, place: int = 1, purpose: str = "email") -> str:
    """What the gate says of a person now, after a new start."""
    gate = world.gate(world.rows())
    with world.ledger.transaction() as connection:
        gate.refresh(connection)
    return gate.judge(purpose, f"P{place}", "CN").state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" Zhang.San@ACME.cn ", ("email", "zhang.san@acme.cn")),
        ("138 0013 8001", ("mobile", "+8613800138001")),
        ("021-55667788", ("phone", "+862155667788")),
        ("91310000MA1K35X37Y", ("uscc", "91310000MA1K35X37Y")),
        ("https://www.Acme.cn/", ("domain", "acme.cn")),
    ],
)
def test_a_key_is_read_as_people_type_it(text: str, key: tuple[str, str]) -> None:
    assert read_key(text) == key


def test_a_do_not_call_list_is_read_line_by_line() -> None:
    keys, unread = read_keys(["13800138001", "", "a@x.cn", "谢绝来电", "0086 138 0013 8002"])
    assert keys == [("mobile", "+8613800138001"), ("email", "a@x.cn"), ("mobile", "+8613800138002")]
    assert unread == [4]


def test_p07_an_event_keeps_who_said_what_how_in_answer_to_which_words_and_where_the_proof_is(world: ListWorld) -> None:
    said = Statement("email", "granted", GRANTED, "form 7", "double_opt_in", "newsletter", "我同意接收邮件", "anna")
    [event] = record(world.ledger, world.root, [("email", address(1))], said, world.by)
    [row] = world.ledger.read("consents").to_pylist()
    assert row["event_id"] == event
    assert (row["channel"], row["status"], row["given_at"]) == ("email", "granted", GRANTED)
    assert (row["evidence"], row["method"], row["purpose"]) == ("form 7", "double_opt_in", "newsletter")
    assert len(row["wording_hash"]) == 64
    assert row["actor"] == "anna"
    record(world.ledger, world.root, [("email", address(1))], said, world.by)
    assert world.ledger.read("consents").num_rows == 1


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (Statement("fax", "granted", GRANTED, "e", "form"), "no such channel"),
        (Statement("email", "maybe", GRANTED, "e", "form"), "no such status"),
        (Statement("email", "granted", datetime(2027, 1, 1), "e", "form"), "yet to come"),
        (Statement("any", "granted", GRANTED, "e", "form"), "for everything"),
        (Statement("email", "granted", GRANTED), "evidence"),
        (Statement("email", "granted", GRANTED, "e", "bought"), "no consent to you"),
        (Statement("email", "granted", GRANTED, "e", "外购"), "no consent to you"),
        (Statement("email", "granted", GRANTED, "e", "Purchased list"), "no consent to you"),
        (Statement("email", "granted", GRANTED, "外购名单 2026", "form"), "no consent to you"),
    ],
)
def test_p03_p08_what_proves_nothing_is_not_put_on_record(world: ListWorld, said: Statement, fault: str) -> None:
    with pytest.raises(BadUsage, match=fault):
        record(world.ledger, world.root, [("email", address(1))], said, world.by)
    assert world.ledger.read("consents").num_rows == 0


def test_p12_proof_is_kept_five_months_at_least() -> None:
    policy = consent_policy()
    assert policy.keep_proof_days >= 153
    with pytest.raises(ValidationError, match="keep_proof_days"):
        ConsentPolicy.model_validate(policy.model_dump() | {"keep_proof_days": 90})


def test_p16_who_was_stopped_stays_stopped_when_they_come_again(world: ListWorld) -> None:
    suppress_all(world.ledger, world.root, [("mobile", number(1))], Why("objected"), world.by)
    assert word(world) == "suppressed"
    assert world.gate(world.rows()).judge_subject(Subject("P1", "CN")).is_allowed, "control: without the look, allowed"
    # The same number in another file, of a person with another id and address.
    world.changes[3] = {"mobile": number(1), "email": "new@x.cn"}
    assert word(world, 3) == "suppressed"
    assert word(world, 2, "crm_lead") == "allowed"


def test_p17_a_refusal_holds_from_the_next_look_on(world: ListWorld) -> None:
    world.grant("email")
    gate = world.gate(world.rows())
    with world.ledger.transaction() as connection:
        gate.refresh(connection)
    assert gate.judge("email", "P1", "CN").is_allowed
    world.say(1, "email", "withdrawn", LATE)
    with world.ledger.transaction() as connection:
        gate.refresh(connection)
    assert gate.judge("email", "P1", "CN").state == "refused"


def test_p13_a_do_not_call_list_stops_calls_only(world: ListWorld) -> None:
    world.grant("call", "email")
    suppress_all(world.ledger, world.root, [("mobile", number(1))], Why("谢绝来电", channel="call"), world.by)
    assert (word(world, 1, "call"), word(world, 1, "email"), word(world, 1, "crm_lead")) == (
        "suppressed", "allowed", "allowed",
    )  # fmt: skip


def test_p18_a_company_is_left_alone_with_all_its_people(world: ListWorld) -> None:
    world.company_keys = [("uscc", "91310000MA1K35X37Y", "P1"), ("domain", "acme.cn", "P2")]
    suppress_all(world.ledger, world.root, [("uscc", "91310000MA1K35X37Y")], Why("asked"), world.by)
    record(world.ledger, world.root, [("domain", "acme.cn")], Statement("any", "refused", LATE), world.by)
    assert [word(world, place, "crm_lead") for place in (1, 2, 3)] == ["suppressed", "refused", "allowed"]


def test_p19_nobody_is_taken_off_without_a_role_a_reason_and_a_newer_consent(world: ListWorld) -> None:
    key = ("email", address(1))
    suppress_all(world.ledger, world.root, [key], Why("objected"), world.by)
    for why, fault in (
        (Why("x", role="marketer"), "may not take"),
        (Why(" ", role="admin"), "needs a reason"),
        (ADMIN, "agreed to nothing"),
    ):
        with pytest.raises(BadUsage, match=fault):
            lift(world.ledger, world.root, key, why, world.by)
    with pytest.raises(BadUsage, match="not on the suppression list"):
        lift(world.ledger, world.root, ("email", address(2)), ADMIN, world.by)
    world.at += timedelta(days=90)
    record(world.ledger, world.root, [key], Statement("email", "granted", datetime(2027, 1, 5), **PROOF), world.by)
    lift(world.ledger, world.root, key, ADMIN, world.by)
    assert word(world) == "allowed"
    [line] = world.ledger.read("audit").to_pylist()
    assert line["action"] == "suppression_lifted"
    assert "role admin" in line["detail"]
    assert suppress_all(world.ledger, world.root, [key], Why("again"), world.by) == 1
    assert word(world) == "suppressed"


def test_two_keys_on_the_list_and_one_taken_off_leaves_the_person_on_it(world: ListWorld) -> None:
    keys = [("email", address(1)), ("mobile", number(1))]
    suppress_all(world.ledger, world.root, keys, Why("objected"), world.by)
    world.at += timedelta(days=90)
    record(world.ledger, world.root, keys[:1], Statement("email", "granted", datetime(2027, 1, 5), **PROOF), world.by)
    lift(world.ledger, world.root, keys[0], ADMIN, world.by)
    assert word(world) == "suppressed"


def test_p20_a_ledger_put_back_from_a_backup_learns_who_refused_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "elsewhere" / "refusals.ndjson"
    monkeypatch.setenv("ABMLOOP_REFUSAL_LOG", str(outside))
    world = ListWorld(tmp_path / "ws", people=3)
    world.grant("email")
    backup = _backup(world)
    world.say(1, "any", "refused", LATE)
    suppress_all(world.ledger, world.root, [("email", address(2))], Why("objected"), world.by)
    _put_back(world, backup)
    assert [word(world, place, "crm_lead") for place in (1, 2, 3)] == ["refused", "suppressed", "allowed"]
    assert replay_log(world.ledger, world.root, world.by) == 0
    outside.unlink()
    _put_back(world, backup)
    assert {word(world, place, "crm_lead") for place in (1, 2, 3)} == {"allowed"}, "control: without the log, forgotten"


def _backup(world: ListWorld) -> bytes:
    """The ledger as it is now, copied by its own engine."""
    path = world.root / "backup.db"
    source, target = sqlite3.connect(world.root / "ledger" / "ledger.db"), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    return path.read_bytes()


def _put_back(world: ListWorld, content: bytes) -> None:
    world.ledger.close()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (world.root / "ledger" / name).unlink(missing_ok=True)
    (world.root / "ledger" / "ledger.db").write_bytes(content)
    world.ledger = Ledger.of(world.root)


def test_p15_the_refusal_log_holds_keyed_hashes_and_nothing_else(world: ListWorld) -> None:
    world.say(1, "any", "refused", LATE)
    suppress_all(world.ledger, world.root, [("email", address(2))], Why("objected"), world.by)
    text = log_path(world.root).read_text(encoding="utf-8")
    assert number(1)[3:] not in text
    assert address(2) not in text
    assert json.loads(text.splitlines()[0])["row"]["key_kind"] == HASHED
    assert log_path(world.root).stat().st_mode & 0o077 == 0


def test_x03_a_log_whose_last_line_was_cut_is_read_up_to_it(world: ListWorld) -> None:
    world.say(1, "any", "refused", LATE)
    with log_path(world.root).open("a", encoding="utf-8") as file:
        file.write('{"table": "consents", "row": {"event_id"')
    assert replay_log(world.ledger, world.root, world.by) == 0
