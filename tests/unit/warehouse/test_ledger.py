"""The ledger: append-only, one entry a transaction, read as of a head and a day."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from abmloop.errors import AbmError, Busy
from abmloop.run import Person, Run
from warehouse.lease import assert_lease, release_lease, take_lease
from warehouse.ledger import Ledger
from warehouse.ledger_tables import counter, lease

DAY = date(2026, 10, 31)
ALICE = Person("person:alice", DAY)


def decision(number: int) -> dict[str, Any]:
    return {"decision_id": f"d{number}", "kind": "match", "subject": "{}", "verdict": "accept", "actor": "alice"}


def a_run(ledger: Ledger, day: date = DAY, token: int = 0) -> Run:
    at = datetime(2026, 10, 31, tzinfo=UTC)
    return Run("w", "r1", day, at, ledger_head=ledger.head(), config_hash="c", fencing_token=token)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.of(tmp_path)


def test_the_same_decision_twice_is_kept_once(ledger: Ledger) -> None:
    assert ledger.append("decisions", [decision(1), decision(1)], ALICE) == 1
    assert ledger.append("decisions", [decision(1), decision(2)], ALICE) == 1
    assert ledger.read("decisions")["decision_id"].to_pylist() == ["d1", "d2"]


def test_a_run_reads_up_to_its_head_and_its_own_rows(ledger: Ledger) -> None:
    ledger.append("decisions", [decision(1)], ALICE)
    run = a_run(ledger)
    ledger.append("decisions", [decision(2)], ALICE)
    ledger.append("decisions", [decision(3)], run)
    assert ledger.read("decisions", run)["decision_id"].to_pylist() == ["d1", "d3"]


def test_an_older_day_does_not_know_what_was_recorded_later(ledger: Ledger) -> None:
    ledger.append("decisions", [decision(1)], Person("person:alice", date(2026, 11, 5)))
    assert ledger.read("decisions", a_run(ledger)).num_rows == 0


def test_several_tables_are_written_together_or_not_at_all(ledger: Ledger) -> None:
    broken = {"outbox_id": "o1"}
    with pytest.raises(Exception, match="NOT NULL"):
        ledger.append_all({"decisions": [decision(1)], "outbox": [broken]}, ALICE)
    assert ledger.read("decisions").num_rows == 0


def test_a_newer_format_is_refused_untouched(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(update(counter).where(counter.c.name == "schema_version").values(value=99))
    with pytest.raises(AbmError, match="format 99"):
        Ledger.of(tmp_path)


def test_an_older_format_grows_and_keeps_its_rows(tmp_path: Path) -> None:
    """Source: catalogue X08; the columns and the table of format 2 are missing in a ledger of format 1."""
    line = {"assignment_id": "a1", "lead_id": "L1", "method": "pool", "assigned_at": datetime(2026, 10, 31)}
    with Ledger.of(tmp_path) as ledger:
        ledger.append("assignments", [line], ALICE)
        with ledger.engine.begin() as connection:
            connection.execute(update(counter).where(counter.c.name == "schema_version").values(value=1))
            connection.exec_driver_sql("drop table sales_events")
            for name in ("path", "details", "actor"):
                connection.exec_driver_sql(f"alter table assignments drop column {name}")
    with Ledger.of(tmp_path) as ledger:
        assert ledger.read("assignments").select(["assignment_id", "path"]).to_pylist() == [
            {"assignment_id": "a1", "path": None}
        ]
        assert ledger.read("sales_events").num_rows == 0
        ledger.append("assignments", [{**line, "assignment_id": "a2", "path": "claim"}], ALICE)


def test_who_reads_waits_for_nobody_who_writes(ledger: Ledger) -> None:
    with ledger.alone() as connection:
        ledger.append_in(connection, "decisions", [decision(1)], ALICE)
        assert ledger.read("decisions").num_rows == 0


def test_sqlite_syncs_fully_in_wal_mode_and_erases_what_it_deletes(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def test_a_second_run_is_told_who_holds_the_lease(ledger: Ledger) -> None:
    take_lease(ledger, "run-one")
    with pytest.raises(Busy, match="run-one"):
        take_lease(ledger, "run-two")


def test_a_dead_holder_loses_the_lease_at_once(ledger: Ledger) -> None:
    take_lease(ledger, "run-one")
    with ledger.engine.begin() as connection:
        connection.execute(update(lease).values(pid=2**22 + 1))
    assert take_lease(ledger, "run-two") == 2


def test_an_overtaken_run_may_write_nothing_more(ledger: Ledger) -> None:
    zombie = a_run(ledger, token=take_lease(ledger, "zombie"))
    with ledger.engine.begin() as connection:
        connection.execute(update(lease).values(expires_at=datetime(2020, 1, 1)))
    token = take_lease(ledger, "newer")
    with pytest.raises(Busy, match="overtaken"):
        assert_lease(ledger, zombie)
    release_lease(ledger, zombie.fencing_token)
    assert_lease(ledger, a_run(ledger, token=token))
