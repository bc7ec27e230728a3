"""Which touches came, went or changed when core.touches was made anew: scoring need not ask all the others.

core.touches is made in full each run, which is always right; here the new one is held against the one before, row hash
against row hash, and the difference waits in ops.touch_changes until it is scored.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

_BEFORE = "touches_before"
_TOLD = "person_id, account_id, channel, type, occurred_at, content, minutes, is_future"
_HASH = f"hash(touch_id, {_TOLD})"
_MOST_WAITING = 0.25  # of all touches; with more of them waiting, scoring makes everything anew


@contextmanager
def noted_touch_changes(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Note what differs in core.touches after the block, which makes it anew."""
    columns = {row[0] for row in con.execute(_COLUMNS).fetchall()}
    is_known = {"touch_id", *_TOLD.split(", ")} <= columns
    if is_known:
        con.execute(
            f"create or replace temp table {_BEFORE} as"
            f" select touch_id, person_id, {_HASH} as row_hash from core.touches"
        )
    yield
    if not is_known:
        _note_everything(con)
        return
    con.execute(
        f"insert into ops.touch_changes by name select touch_id, true as is_added, {_TOLD} from core.touches"
        f" where {_HASH} not in (select row_hash from {_BEFORE})"
    )
    con.execute(
        "insert into ops.touch_changes by name select touch_id, false as is_added, person_id"
        f" from {_BEFORE} where row_hash not in (select {_HASH} from core.touches)"
    )
    con.execute(f"drop table {_BEFORE}")
    waiting, touches = con.execute(
        "select (select count(*) from ops.touch_changes), (select count(*) from core.touches)"
    ).fetchall()[0]
    if waiting > touches * _MOST_WAITING:
        _note_everything(con)


_COLUMNS = "select column_name from duckdb_columns() where schema_name = 'core' and table_name = 'touches'"


def _note_everything(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("delete from ops.touch_changes")
    con.execute("insert into ops.touch_changes by name select null as touch_id, false as is_added")
