"""Proof of consent is kept as long as it is relied on and for its term after that; then it is gone, by the log."""

import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import update

from abmloop.run import Run
from tasks.outbound.consent.gate import naive_utc
from tasks.outbound.consent.old_proof import OldProof
from tasks.outbound.consent.statements import Statement, record
from tasks.outbound.consent.suppress import suppress
from tasks.outbound.lists.steps import retire_proof
from tests.unit.outbound.conftest import CONSENTS
from tests.unit.outbound.list_world import rule
from warehouse.ledger_tables import consents, exports, list_members, suppressions
from warehouse.secret import make_secret
from warehouse.steps import Work, step

DAY = timedelta(days=1)
MOBILE, MAIL = ("mobile", "+8613800138001"), ("email", "a@x.cn")
PROOF: dict[str, Any] = {"evidence": "form 7", "method": "form"}


@pytest.fixture
def now(run: Run) -> datetime:
    """One person with a number and an address; every row of the ledger bears the day it was written for."""
    make_secret(run.root, {})
    kinds, values = zip(MOBILE, MAIL, strict=True)
    keys = pa.table({"key_kind": kinds, "key_value": values, "person_id": ["P1", "P1"]})
    empty = pa.table({"person_id": pa.array([], pa.string())})
    given = {"matched.person_keys": keys, "core.consents": CONSENTS.empty_table(), "marts.outbound_people": empty}
    with step(run, "given") as work:
        for name, rows in given.items():
            work.con.register("given_rows", rows)
            work.execute(f"create or replace table {name} as select * from given_rows")
            work.con.unregister("given_rows")
    return naive_utc(run.at)


def say(run: Run, key: tuple[str, str], status: str, at: datetime, channel: str = "call") -> str:
    """Somebody said something, which was put on record at that time."""
    with step(run, "say") as work:
        [event] = record(work.ledger, run.root, [key], Statement(channel, status, at, **PROOF), run)
        with work.ledger.transaction() as connection:
            connection.execute(update(consents).where(consents.c.event_id == event).values(recorded_at=at))
    return event


def list_with(run: Run, event: str, at: datetime, action: str = "add") -> None:
    """A call list on which that event allowed somebody to stand left at that time."""
    made = rule(kind="call")
    told = json.dumps({"rule": made.model_dump(mode="json", exclude_defaults=True)})
    export = {"export_id": f"X{at:%Y%m%d}", "kind": "call", "file_name": "x", "evidence": told, "list_id": made.id,
              "action": action, "valid_until": at + DAY}  # fmt: skip
    member = {"member_id": f"M{at:%Y%m%d}", "export_id": export["export_id"], "list_id": made.id, "action": action,
              "person_id": "P1", "key_kind": "mobile", "key_hash": "h", "evidence": f"call: {event}"}  # fmt: skip
    with step(run, "list") as work:
        work.ledger.append_all({"exports": [export], "list_members": [member]}, run)
        with work.ledger.transaction() as connection:
            for table, name in ((exports, "export_id"), (list_members, "export_id")):
                chosen = table.c[name] == export["export_id"]
                connection.execute(update(table).where(chosen).values(recorded_at=at))


def retire(run: Run, is_applied: bool = True) -> OldProof:
    return retire_proof(run, is_applied, "tester")


def events(run: Run) -> set[str]:
    with step(run, "look") as work:
        return set(work.ledger.read("consents")["event_id"].to_pylist())


def test_p12_proof_of_a_grant_that_still_allows_anything_is_never_deleted(run: Run, now: datetime) -> None:
    say(run, MOBILE, "granted", now - 5000 * DAY)
    assert retire(run).rows == 0


def test_p12_proof_goes_its_term_after_it_was_taken_back_and_the_refusal_stays(run: Run, now: datetime) -> None:
    grant = say(run, MOBILE, "granted", now - 3000 * DAY)
    refusal = say(run, MAIL, "withdrawn", now - 1090 * DAY)
    assert retire(run).rows == 0, "five days to go"
    early = say(run, MAIL, "withdrawn", now - 1100 * DAY)
    assert retire(run, is_applied=False).rows == 0, "the later word counts"
    assert events(run) == {grant, refusal, early}


def test_p12_what_is_past_its_term_is_gone_and_the_audit_log_says_so(run: Run, now: datetime) -> None:
    grant = say(run, MOBILE, "granted", now - 3000 * DAY)
    refusal = say(run, MAIL, "withdrawn", now - 1100 * DAY)
    assert len(retire(run, is_applied=False).grants) == 1
    assert events(run) == {grant, refusal}, "a plan deletes nothing"
    assert len(retire(run).grants) == 1
    assert events(run) == {refusal}
    assert retire(run).rows == 0
    with step(run, "look") as work:
        [row] = [one for one in work.ledger.read("audit").to_pylist() if one["action"] == "proof_deleted"]
    assert (row["actor"], json.loads(row["detail"])["grants"]) == ("tester", 1)
    assert MOBILE[1] not in row["detail"]


def test_p12_the_term_begins_with_the_last_message_it_allowed(run: Run, now: datetime) -> None:
    grant = say(run, MOBILE, "granted", now - 3000 * DAY)
    say(run, MAIL, "withdrawn", now - 1500 * DAY)
    list_with(run, grant, now - 1090 * DAY)
    assert retire(run).rows == 0
    list_with(run, "f" * 32, now - 1000 * DAY)
    assert retire(run).rows == 0


def test_p12_who_once_stood_on_a_list_goes_too_and_who_stands_there_stays(run: Run, now: datetime) -> None:
    grant = say(run, MOBILE, "granted", now - 3000 * DAY)
    say(run, MAIL, "withdrawn", now - 2000 * DAY)
    list_with(run, grant, now - 2100 * DAY)
    found = retire(run)
    assert (len(found.grants), len(found.members)) == (1, 1)


def test_p12_to_look_for_old_proof_only_the_bearers_of_old_grants_are_read(
    run: Run, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with step(run, "many") as work:
        work.execute(
            "insert into matched.person_keys by name select 'mobile' as key_kind, '+86139' || number as key_value, "
            "'Q' || number as person_id from range(10000000, 10001000) as numbers(number)"
        )
    say(run, MOBILE, "granted", now - 3000 * DAY)
    say(run, MAIL, "withdrawn", now - 1100 * DAY)
    read: list[int] = []
    query = Work.query

    def counted(work: Work, sql: str, **parameters: Any) -> pa.Table:
        rows = query(work, sql, **parameters)
        read.append(rows.num_rows)
        return rows

    monkeypatch.setattr(Work, "query", counted)
    assert len(retire(run).grants) == 1
    assert max(read) == 2, "the two keys of their one bearer"


def test_p12_a_grant_whose_bearer_no_file_names_yet_stays(run: Run, now: datetime) -> None:
    say(run, ("mobile", "+8613900139000"), "granted", now - 3000 * DAY)
    assert retire(run).rows == 0


def test_p12_an_older_grant_goes_when_a_newer_one_took_its_place(run: Run, now: datetime) -> None:
    old = say(run, MOBILE, "granted", now - 3000 * DAY)
    new = say(run, MOBILE, "granted", now - 1200 * DAY)
    assert len(retire(run).grants) == 1
    assert events(run) == {new} != {old}


def test_p12_a_suppressed_person_is_relied_on_for_nothing_and_stays_suppressed(run: Run, now: datetime) -> None:
    say(run, MOBILE, "granted", now - 3000 * DAY)
    with step(run, "stop") as work:
        suppress(work.ledger, run.root, MAIL, "asked", run)
    assert retire(run).rows == 0, "the term begins with the day they were put there"
    with step(run, "long ago") as work, work.ledger.transaction() as connection:
        connection.execute(update(suppressions).values(recorded_at=now - 1100 * DAY))
    assert len(retire(run).grants) == 1
    with step(run, "look") as work:
        assert work.ledger.read("suppressions").num_rows == 1
