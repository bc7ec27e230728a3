"""The copy of a ledger table in the warehouse is what the run may see of it, read once."""

import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from abmloop.run import Run
from warehouse.ledger import Ledger
from warehouse.ledger_copy import copy_ledger
from warehouse.steps import step


def _row(name: str) -> dict[str, Any]:
    times = {"entered_at": datetime(2026, 1, 5, 2, 3, 4, 567), "decided_at": datetime(2026, 1, 6)}
    return {"transition_id": name, "lead_id": "L1", "stage": "mql", "cycle": 1, **times}


def _copied(run: Run) -> list[str]:
    with step(run, "copy") as work:
        name = copy_ledger(work, "stage_transitions")
        return [row[0] for row in work.execute(f"select transition_id from {name} order by seq").fetchall()]


def test_what_was_added_since_is_added_and_the_runs_own_rows_are_there(run: Run) -> None:
    with Ledger.of(run.root) as ledger:
        ledger.append("stage_transitions", [_row("own")], run)
        assert _copied(run) == ["own"]
        later = replace(run, run_id="later", ledger_head=ledger.head())
        ledger.append("stage_transitions", [_row("another")], replace(run, run_id="elsewhere"))
        assert _copied(later) == ["own"]  # the other came after this run had begun
        assert _copied(replace(run, run_id="last", ledger_head=ledger.head())) == ["own", "another"]


def test_times_and_numbers_are_those_of_the_ledger(run: Run) -> None:
    with Ledger.of(run.root) as ledger:
        ledger.append("stage_transitions", pa.Table.from_pylist([_row("t")]), run)
        read = ledger.read("stage_transitions")
    with step(run, "copy") as work:
        copied = work.table(copy_ledger(work, "stage_transitions"))
    assert copied.select(read.column_names).to_pylist() == read.to_pylist()
    assert read["entered_at"][0].as_py() == datetime(2026, 1, 5, 2, 3, 4, 567)


def test_rows_of_a_table_are_kept_as_rows_one_by_one_are(run: Run) -> None:
    with Ledger.of(run.root) as ledger:
        told = pa.Table.from_pylist([_row("a"), _row("b"), _row("b")])
        assert ledger.append("stage_transitions", told, run) == 2
        ledger.append("stage_transitions", [_row("c")], run)
        with ledger.engine.connect() as connection:
            sql = "select entered_at, decided_at, recorded_as_of, length(recorded_at) from stage_transitions"
            kept = connection.exec_driver_sql(sql).fetchall()
        rows = ledger.read("stage_transitions").to_pylist()
    assert len(kept) == 3 and len(set(kept)) == 1
    assert [row["transition_id"] for row in rows] == ["a", "b", "c"]
    assert len({(row["entered_at"], row["recorded_as_of"]) for row in rows}) == 1


def test_a_ledger_put_back_to_yesterday_is_read_anew(run: Run) -> None:
    with Ledger.of(run.root) as ledger:
        ledger.append("stage_transitions", [_row("yesterday")], run)
        backup = (run.root / "ledger" / "ledger.db", run.root / "saved.db")
        with sqlite3.connect(backup[0]) as connection:
            connection.execute(f"vacuum into '{backup[1]}'")
        ledger.append("stage_transitions", [_row("lost")], run)
    assert _copied(run) == ["yesterday", "lost"]
    for leftover in run.root.glob("ledger/ledger.db*"):
        leftover.unlink()
    backup[1].rename(backup[0])
    with Ledger.of(run.root) as ledger:
        ledger.append("stage_transitions", [_row("today")], run)
        assert _copied(replace(run, run_id="after", ledger_head=ledger.head())) == ["yesterday", "today"]
