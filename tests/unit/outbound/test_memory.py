"""A record that the CRM holds as wished is not looked at again; whatever may change the wish makes it looked at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from abmloop.run import Person, Run
from scoring.policies.consent import ConsentPolicy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.consent.suppress import suppress
from tasks.outbound.push.letters import list_letters, retry_letters
from tasks.outbound.push.memory import recall
from tasks.outbound.push.step import deliver
from tasks.policies import load_policy
from warehouse.ledger import Ledger
from warehouse.steps import step

MOBILE = "+8613800000001"
ALL = dict.fromkeys(("companies", "contacts", "leads", "campaign_members", "tasks"), 1)
PERSONS = {**ALL, "contacts": 0, "leads": 0, "campaign_members": 0, "tasks": 0}


def _settled(run: Run, **changes: Any) -> dict[str, int]:
    """Object → number of records that need no look."""
    with step(run, "look") as work:
        policy = load_policy(run, CrmPolicy).model_copy(update=changes)
        return dict(recall(work, policy, load_policy(run, ConsentPolicy)).settled)


def _execute(run: Run, sql: str) -> None:
    with step(run, "given") as work:
        work.execute(sql)


def _say(run: Run, status: str, given_at: datetime = datetime(2026, 10, 30)) -> None:
    said = {"channel": "crm_share", "status": status, "given_at": given_at, "event_id": f"{status}{given_at}"}
    with Ledger.of(run.root) as ledger:
        ledger.append("consents", [{**said, "key_kind": "phone", "key_value": MOBILE}], run)


def test_what_was_delivered_and_did_not_change_needs_no_look(marts: Run) -> None:
    assert not any(_settled(marts).values())
    assert deliver(marts).counts["delivered"] == 5
    assert _settled(marts) == ALL
    assert deliver(marts).counts == {"unchanged": 5}
    assert _settled(marts) == ALL


def test_a_plan_alone_remembers_nothing(marts: Run) -> None:
    deliver(marts, "plan")
    assert not any(_settled(marts).values())


def test_a_record_whose_mart_changed_is_sent_and_settled_again(marts: Run) -> None:
    deliver(marts)
    _execute(marts, "update marts.crm_leads set abm_stage = 'sal'")
    assert _settled(marts) == {**ALL, "leads": 0}
    counts = deliver(marts).counts
    assert (counts["delivered"], counts["unchanged"]) == (1, 4)
    assert _settled(marts) == ALL


@pytest.mark.parametrize("landed", [True, False])
def test_who_refused_since_is_looked_at_and_held(marts: Run, landed: bool) -> None:
    deliver(marts)
    if landed:
        _execute(marts, "insert into core.consents values ('P1', 'any', 'refused', '2026-10-01', 'crm:1')")
    else:
        _say(marts, "refused")
    assert _settled(marts) == PERSONS
    assert deliver(marts).counts["held"] == 4


def test_who_came_onto_the_suppression_list_is_looked_at_and_held(marts: Run) -> None:
    deliver(marts)
    with Ledger.of(marts.root) as ledger:
        suppress(ledger, marts.root, ("mobile", MOBILE), "asked", Person("person:x", marts.as_of))
    assert _settled(marts) == PERSONS
    assert deliver(marts).counts["held"] == 4
    # The list has not changed since; what is held is looked at every time, the rest is in order.
    assert _settled(marts) == PERSONS


def test_a_new_key_of_a_person_makes_them_looked_at(marts: Run) -> None:
    deliver(marts)
    _execute(marts, "insert into matched.person_keys by name select 'email' as key_kind, 'w@x.cn' as key_value, "
                    "'P1' as person_id")  # fmt: skip
    assert _settled(marts) == PERSONS


def test_p08_who_shares_a_key_on_which_something_was_granted_from_now_on_is_looked_at(marts: Run) -> None:
    _say(marts, "granted")
    deliver(marts)
    assert _settled(marts) == ALL
    _execute(marts, "insert into matched.person_keys by name select 'phone' as key_kind, "
                    f"'{MOBILE}' as key_value, 'P2' as person_id")  # fmt: skip
    assert _settled(marts) == PERSONS


def test_time_alone_makes_a_grant_that_comes_into_force_looked_at(marts: Run) -> None:
    _say(marts, "granted", datetime(2026, 11, 20))
    deliver(marts)
    assert _settled(marts) == ALL
    assert _settled(replace(marts, at=marts.at + timedelta(days=30))) == PERSONS


@pytest.mark.parametrize("changes", [{"region": "DE"}, {"instance": "files:other"}, {"plays": ()}])
def test_under_other_rules_every_record_is_looked_at(marts: Run, changes: dict[str, Any]) -> None:
    deliver(marts)
    assert not any(_settled(marts, **changes).values())


def test_c13_with_a_ledger_of_yesterday_every_record_is_looked_at(marts: Run) -> None:
    deliver(marts)
    with Ledger.of(marts.root) as ledger, ledger.engine.begin() as connection:
        connection.exec_driver_sql("delete from deliveries")
        connection.exec_driver_sql("delete from outbox")
    assert not any(_settled(marts).values())


def test_what_did_not_arrive_is_looked_at_and_sent_again(marts: Run, make_dead: Callable[[Run], None]) -> None:
    deliver(marts)
    make_dead(marts)
    assert _settled(marts) == {**ALL, "leads": 0}
    with Ledger.of(marts.root) as ledger:
        (letter,) = list_letters(ledger, "files:default")
        assert retry_letters(ledger, "files:default", [letter.letter_id], marts) == 1
    assert deliver(marts).counts["delivered"] == 1


@pytest.fixture
def make_dead() -> Callable[[Run], None]:
    """The newest event of the lead's delivery is a refusal, written by somebody else."""

    def make(run: Run) -> None:
        with Ledger.of(run.root) as ledger:
            outbox_id = ledger.read("outbox", only={"object": "leads"})["outbox_id"][0].as_py()
            row = {"delivery_id": "d", "outbox_id": outbox_id, "attempt": 9, "state": "dead", "message": "no"}
            ledger.append("deliveries", [row], Person("person:x", run.as_of))

    return make
