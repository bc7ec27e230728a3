"""Same input, same output: run twice, rebuilt, shuffled, with other threads, the tables are the same."""

import shutil
from pathlib import Path

from abmloop.settings import load_settings
from tests.e2e.worlds import AS_OF, conservation_faults, differing, exported_records, hashes, sync
from warehouse.database import remove_warehouse
from warehouse.ledger import Ledger

ALL = ("resolved", "matched", "core", "scored", "marts")


def test_nothing_is_lost_and_nothing_stands_twice(synced: Path) -> None:
    assert conservation_faults(synced) == []
    assert set(exported_records(synced).values()) == {1}


def test_a_second_sync_changes_no_table_and_sends_nothing(copy: Path) -> None:
    before, sent = hashes(copy, ALL), exported_records(copy)
    sync(copy)
    assert differing(before, hashes(copy, ALL)) == []
    assert exported_records(copy) == sent


def test_a_second_sync_adds_no_decision_to_the_ledger(copy: Path) -> None:
    def counts() -> dict[str, int]:
        with Ledger.of(copy, load_settings(copy).ledger_url) as ledger:
            names = ("stage_transitions", "assignments", "outbox", "deliveries", "decisions", "consents")
            return {name: ledger.read(name).num_rows for name in names}

    before = counts()
    sync(copy)
    assert counts() == before


def test_a_rebuild_from_raw_and_ledger_gives_the_same_tables(copy: Path) -> None:
    before = hashes(copy, ALL)
    remove_warehouse(copy)
    shutil.rmtree(copy / "inbox")
    (copy / "inbox").mkdir()
    sync(copy)
    assert differing(before, hashes(copy, ALL)) == []


def test_rows_in_another_order_give_the_same_tables(synced: Path, tmp_path: Path) -> None:
    from tests.e2e.shuffling import shuffle_inbox

    root = tmp_path / "workspace"
    root.mkdir()
    shutil.copytree(synced / "inbox", root / "inbox")
    for name in ("config", "abmloop.yaml"):
        if (synced / name).is_dir():
            shutil.copytree(synced / name, root / name)
        elif (synced / name).exists():
            shutil.copy(synced / name, root / name)
    assert shuffle_inbox(root / "inbox", seed=5) > 3, "several files were really shuffled"
    sync(root)
    assert differing(hashes(synced, ALL), hashes(root, ALL)) == []


def test_one_thread_gives_the_same_tables(synced: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    shutil.copytree(synced / "inbox", root / "inbox")
    if (synced / "config").is_dir():
        shutil.copytree(synced / "config", root / "config")
    (root / "abmloop.yaml").write_text("name: small world\nthreads: 1\n", encoding="utf-8")
    sync(root, AS_OF)
    assert differing(hashes(synced, ALL), hashes(root, ALL)) == []
