"""What people decided on matches: which decisions stand, and how they name contact and account."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from tasks.match.decisions import record_review, remembered_decisions, remembered_keys, undo_review
from tests.unit.match.published import published
from warehouse.ledger import Ledger

BY = Person("wang", date(2026, 10, 31))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.of(tmp_path)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return published()


def remembered(ledger: Ledger) -> list[dict[str, object]]:
    return remembered_decisions(ledger.read("decisions")).to_pylist()


def test_an_accepted_match_names_rows_not_derived_ids(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    record_review(con, ledger, BY, "P1", "accept", actor="王")
    (row,) = remembered(ledger)
    assert (row["entity"], row["row_id"], row["account_row_id"]) == ("contacts", "crm:c1", "qcc:1")
    assert (row["verdict"], row["alias_key"], row["actor"]) == ("accept", "江特电机", "王")
    stored = json.loads(ledger.read("decisions")["subject"][0].as_py())
    assert "P1" not in json.dumps(stored)


def test_an_undone_decision_does_not_stand_and_an_undone_undo_does(
    con: duckdb.DuckDBPyConnection, ledger: Ledger
) -> None:
    decision = record_review(con, ledger, BY, "P1", "reject")
    undo = undo_review(ledger, BY, decision)
    assert remembered(ledger) == []
    undo_review(ledger, BY, undo)
    assert [row["verdict"] for row in remembered(ledger)] == ["reject"]


def test_rejecting_teaches_no_alias(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    record_review(con, ledger, BY, "P1", "reject")
    assert remembered(ledger)[0]["alias_key"] is None


def test_choosing_needs_an_account_that_is_there(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    with pytest.raises(BadUsage, match="say which account"):
        record_review(con, ledger, BY, "P1", "choose")
    with pytest.raises(BadUsage, match="no account 'A9'"):
        record_review(con, ledger, BY, "P1", "choose", "A9")
    record_review(con, ledger, BY, "P1", "choose", "A2")
    assert remembered(ledger)[0]["account_row_id"] == "qcc:2"


@pytest.mark.parametrize(
    ("person", "verdict", "told"), [("P9", "accept", "No person P9"), ("P1", "like", "accept, choose")]
)
def test_mistakes_are_told(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, person: str, verdict: str, told: str
) -> None:
    with pytest.raises(BadUsage, match=told):
        record_review(con, ledger, BY, person, verdict)


def test_undoing_what_is_not_there_is_told(ledger: Ledger) -> None:
    with pytest.raises(BadUsage, match="No decision D1"):
        undo_review(ledger, BY, "D1")


def test_no_decisions_give_no_rows(ledger: Ledger) -> None:
    assert isinstance(remembered_decisions(ledger.read("decisions")), pa.Table)
    assert remembered(ledger) == []


def test_a_decision_names_the_strong_keys_as_keyed_hashes(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    decision = record_review(con, ledger, BY, "P1", "reject")
    keys = remembered_keys(ledger.read("decisions")).to_pylist()
    assert keys == [{"decision_id": decision, "key_hash": "h1"}]
    assert remembered(ledger)[0]["name_key"] == "江特电机"


@pytest.mark.parametrize("person", ["P1", "P0", "c1", "crm:c1"])
@pytest.mark.parametrize("account", ["A2", "A0", "qcc:2", "乙公司"])
def test_people_and_companies_are_found_by_any_key(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, person: str, account: str
) -> None:
    record_review(con, ledger, BY, person, "choose", account)
    assert (remembered(ledger)[0]["row_id"], remembered(ledger)[0]["account_row_id"]) == ("crm:c1", "qcc:2")
