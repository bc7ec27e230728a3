"""The log of changes: every step sees each change once, and everything when in doubt."""

from collections.abc import Iterator

import duckdb
import pytest

from warehouse.changes import note_changes, note_everything, take_changes
from warehouse.tables import declared_tables


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty log."""
    with duckdb.connect() as con:
        con.execute("create schema ops")
        for name in ("ops.changes", "ops.changes_taken"):
            con.execute(declared_tables()[name].ddl())
        yield con


def _note(con: duckdb.DuckDBPyConnection, *keys: str) -> None:
    note_changes(con, "staging.companies", f"select unnest({list(keys)})")


def _take(con: duckdb.DuckDBPyConnection, by: str, rules: str = "r1") -> list[str] | None:
    changes = take_changes(con, "staging.companies", by, rules)
    if changes.is_all:
        return None
    return [key for (key,) in con.execute(f"select key from {changes.table} order by key").fetchall()]


def test_who_asks_first_judges_everything(con: duckdb.DuckDBPyConnection) -> None:
    _note(con, "a")
    assert _take(con, "resolve") is None


def test_each_change_is_seen_once_by_each_step(con: duckdb.DuckDBPyConnection) -> None:
    _take(con, "resolve")
    _take(con, "match")
    _note(con, "a", "b", "a")
    assert _take(con, "resolve") == ["a", "b"]
    assert _take(con, "resolve") == []
    _note(con, "c")
    assert _take(con, "match") == ["a", "b", "c"]
    assert _take(con, "resolve") == ["c"]


def test_another_rule_judges_everything_once(con: duckdb.DuckDBPyConnection) -> None:
    _take(con, "resolve")
    assert _take(con, "resolve", rules="r2") is None
    assert _take(con, "resolve", rules="r2") == []


def test_a_table_made_anew_is_judged_wholly(con: duckdb.DuckDBPyConnection) -> None:
    _take(con, "resolve")
    _note(con, "a")
    note_everything(con, "staging.companies")
    _note(con, "b")
    assert _take(con, "resolve") is None
    assert _take(con, "resolve") == []


def test_a_step_that_was_undone_sees_the_changes_again(con: duckdb.DuckDBPyConnection) -> None:
    _take(con, "resolve")
    _note(con, "a")
    con.execute("begin")
    assert _take(con, "resolve") == ["a"]
    con.execute("rollback")
    assert _take(con, "resolve") == ["a"]


def test_what_all_have_taken_is_forgotten(con: duckdb.DuckDBPyConnection) -> None:
    _take(con, "resolve")
    for key in "abc":
        _note(con, key)
        _take(con, "resolve")
    assert con.execute("select count(*) from ops.changes").fetchall() == [(1,)]
    _note(con, "d")
    assert _take(con, "resolve") == ["d"]
