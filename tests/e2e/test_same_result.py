"""Same input, same output: run twice, rebuilt, shuffled, with other threads, the tables are the same."""

import shutil
from pathlib import Path

from abmloop.settings import load_settings
from tests.e2e.shuffling import shuffle_inbox
from tests.e2e.worlds import conservation_faults, differing, exported_records, hashes, sync, unsynced
from warehouse.database import remove_warehouse
from warehouse.ledger import Ledger

ALL = ("resolved", "matched", "core", "scored", "marts")


def test_nothing_is_lost_and_nothing_stands_twice(synced: Path) -> None:
    assert conservation_faults(synced) == []
    assert set(exported_records(synced).values()) == {1}


def entries(root: Path) -> dict[str, int]:
    """How many lines each table of the ledger has that a person or the outside world would notice."""
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        names = ("stage_transitions", "assignments", "outbox", "deliveries", "decisions", "consents")
        return {name: ledger.read(name).num_rows for name in names}


def test_a_second_sync_changes_no_table_sends_nothing_and_adds_no_decision_to_the_ledger(copy: Path) -> None:
    before, sent, decided = hashes(copy, ALL), exported_records(copy), entries(copy)
    sync(copy)
    assert differing(before, hashes(copy, ALL)) == []
    assert exported_records(copy) == sent
    assert entries(copy) == decided


def test_a_rebuild_from_raw_and_ledger_gives_the_same_tables(copy: Path) -> None:
    before = hashes(copy, ALL)
    remove_warehouse(copy)
    shutil.rmtree(copy / "inbox")
    (copy / "inbox").mkdir()
    sync(copy)
    assert differing(before, hashes(copy, ALL)) == []


def test_rows_in_another_order_and_one_thread_give_the_same_tables(synced: Path, tmp_path: Path) -> None:
    root = unsynced(synced, tmp_path / "workspace")
    (root / "abmloop.yaml").write_text("name: small world\nthreads: 1\n", encoding="utf-8")
    assert shuffle_inbox(root / "inbox", seed=5) > 3, "several files were really shuffled"
    sync(root)
    assert differing(hashes(synced, ALL), hashes(root, ALL)) == []
