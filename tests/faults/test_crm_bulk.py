"""C01, C11: bulk jobs that a killed push left over there are ended before anything is looked for or sent again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tasks.outbound.crm.salesforce import SalesforceConnector
from tasks.outbound.crm.wire import Answer, Wire
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld
from tests.faults.crm_points import Killed

# The calls of one job in their order; a kill comes after each.
CALLS = ("made", "rows given", "complete", "asked", "done told", "failed told")
ENDED = {"JobComplete", "Aborted", "Failed"}
Begin = Callable[..., VendorWorld]


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer, monkeypatch: pytest.MonkeyPatch) -> Begin:
    monkeypatch.setattr(SalesforceConnector, "bulk_from", 10)
    monkeypatch.setattr(SalesforceConnector, "bulk_size", 50)
    return lambda **fake: VendorWorld.begin(tmp_path, crm_server, "salesforce", 40, **fake)


def _push_killed_after(world: VendorWorld, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One push that ends when that call of its bulk job has been answered."""
    real, left = Wire.call, [CALLS.index(call) + 1]

    def dying(wire: Wire, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        answer = real(wire, method, path, body, headers)
        left[0] -= "/jobs/ingest" in path
        if left[0] == 0:
            raise Killed(call)
        return answer

    with monkeypatch.context() as patched, suppress(Killed):
        patched.setattr(Wire, "call", dying)
        world.push_once()
        raise AssertionError(f"the job was never {call}")


@pytest.mark.parametrize("call", CALLS)
def test_c01_a_bulk_job_left_by_a_kill_is_ended_and_nothing_is_lost_or_doubled(
    begin: Begin, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin()
    _push_killed_after(world, call, monkeypatch)
    world.push_until_quiet()
    assert world.lost_and_doubled() == (0, 0)
    assert world.states() == {"done": 40}
    states: list[str] = world.fake.ask("jobs")
    assert set(states) <= ENDED
    assert states[0] == ("Aborted" if call in CALLS[:2] else "JobComplete")


def _outcome_of_a_late_job(world: VendorWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A push killed while its job waits its turn; what it said changes; the job's turn comes."""
    _push_killed_after(world, "complete", monkeypatch)
    for fields in world.fields.values():
        fields["stage"] = "sal"
    # What follows goes by collections, which do not wait their turn.
    monkeypatch.setattr(SalesforceConnector, "bulk_from", 2_000)
    world.push_until_quiet()
    world.fake.sleep(3600)
    return world.lost_and_doubled()


def test_c11_a_bulk_job_that_comes_late_does_not_put_back_what_it_said(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _outcome_of_a_late_job(begin(bulk_seconds=600.0), monkeypatch) == (0, 0)


def test_c11_control_without_ending_it_the_older_version_stays(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SalesforceConnector, "end_left_open", lambda _self: None)
    assert _outcome_of_a_late_job(begin(bulk_seconds=600.0), monkeypatch) == (40, 0)


def test_c01_bulk_jobs_of_others_are_left_alone(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begin()
    _push_killed_after(world, "made", monkeypatch)
    theirs: Any = {"object": "Lead", "externalIdFieldName": "Other_Key__c", "operation": "upsert"}
    connector = world.connector()
    assert isinstance(connector, SalesforceConnector)
    connector._session.write("POST", "/services/data/v62.0/jobs/ingest", theirs)
    world.push_until_quiet()
    assert world.fake.ask("jobs")[:2] == ["Aborted", "Open"]
