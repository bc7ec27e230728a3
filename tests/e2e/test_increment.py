"""Cost follows the change, results do not: a few days' increments are the directory that a rebuild makes."""

from datetime import date
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest

from abmloop.errors import AbmError
from benchmarks import stable_days
from benchmarks.directory_world import write_directory_world
from tasks.resolve import accounts
from tests.faults.directory_world import CODE_A, DirectoryWorld
from warehouse.database import remove_warehouse

Dealt = dict[tuple[int, str], pa.Table]
DAYS = 3


@pytest.fixture(scope="module")
def dealt(tmp_path_factory: pytest.TempPathFactory) -> Dealt:
    """Five overlapping lists: most rows on the first day, a twentieth on each of two more, some of them again."""
    world = tmp_path_factory.mktemp("world")
    write_directory_world(world, 300, 7, None)
    by_day: dict[tuple[int, str], list[pa.Table]] = {}
    for (day, source), rows in stable_days.deal_out(world, 20, 7).items():
        by_day.setdefault((max(0, day - 17), source), []).append(rows)
    return {key: pa.concat_tables(parts) for key, parts in by_day.items()}


def _play(root: Path, dealt: Dealt) -> Path:
    stable_days.new_workspace(root, sorted({source for _, source in dealt}))
    stable_days.play(root, dealt, DAYS)
    return root


@pytest.fixture(scope="module")
def daily(dealt: Dealt, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[int, int]], int]:
    """The workspace after its days, what it holds then, and on how many days only a part was resolved."""
    short_ways = []
    whole = accounts._resolve_part
    with patch.object(accounts, "_resolve_part", lambda *told: short_ways.append(whole(*told))):
        root = _play(tmp_path_factory.mktemp("daily"), dealt)
    return root, stable_days.contents(root), len(short_ways)


@pytest.mark.slow
def test_control_a_change_that_is_not_followed_leaves_another_directory(
    daily: tuple[Path, dict[str, tuple[int, int]], int], dealt: Dealt, tmp_path: Path
) -> None:
    with patch("tasks.resolve.reach._note_bearers"), stable_days.without_following():
        try:
            blind = stable_days.contents(_play(tmp_path, dealt))
        except AbmError as refused:  # a table's grain may notice it first
            assert "more than one row per" in str(refused)
            return
    assert blind != daily[1]


def test_increments_are_what_a_rebuild_makes_and_take_the_short_way(
    daily: tuple[Path, dict[str, tuple[int, int]], int],
) -> None:
    root, by_day, short_ways = daily
    assert short_ways == DAYS - 1
    remove_warehouse(root)
    stable_days.run_day(root, stable_days.FIRST.replace(day=DAYS))
    assert stable_days.contents(root) == by_day


def test_rows_whose_record_was_named_by_a_code_that_proves_nobodys_leave_that_record(tmp_path: Path) -> None:
    """Rows without an id are named by their code; once it stands on too many of them, each is named by its name."""
    days = {1: range(60), 2: range(60, 120)}
    others = [{"name": f"甲{number}科技有限公司", "uscc": ""} for number in range(900)]
    world = DirectoryWorld(tmp_path)
    (tmp_path / "abmloop.yaml").write_text("name: nobody's code\n", encoding="utf-8")
    (tmp_path / "config" / "sources.yaml").write_text("settle_seconds: 0\n", encoding="utf-8")
    for day, numbers in days.items():
        rows = [{"name": f"乙{number}贸易有限公司", "uscc": CODE_A} for number in numbers]
        world.drop("vendor", *rows, *(others if day == 1 else []))
        world.sync(date(2026, 10, day))
        named = world.ask("select count(*), count(uscc) from staging.companies where starts_with(name, '乙')")
        assert named == [(1, 1)] if day == 1 else [(120, 0)]
    by_day = stable_days.contents(tmp_path)
    remove_warehouse(tmp_path)
    world.sync(date(2026, 10, 2))
    assert stable_days.contents(tmp_path) == by_day
