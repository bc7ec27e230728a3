"""People's decisions on companies (E06): they survive re-runs and a rebuild, and are undone whole; some are refused."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from abmloop.settings import load_settings
from tasks.account_decisions import (
    Decided,
    Desk,
    keep_account,
    merge_accounts,
    pin_field,
    split_account,
    succeed_account,
    target_account,
    undo_decision,
)
from tasks.resolve import resolve, segment
from tasks.runs import open_run
from tests.faults.directory_world import CODE_A, CODE_B, DirectoryWorld
from warehouse.database import connect, remove_warehouse
from warehouse.ledger import Ledger

LATER = date(2026, 10, 2)
HERE = {"province": "广东省", "city": "深圳市"}
ROWS = {
    "a": [
        {"source_id": "1", "name": "深圳华信科技有限公司", "uscc": CODE_A, "employees": "50", **HERE},
        {"source_id": "2", "name": "深圳远山科技有限公司", **HERE},
        {"source_id": "3", "name": "深圳宏达商行", "uscc": CODE_B, **HERE},
    ],
    "b": [
        {"source_id": "4", "name": "深圳远山科技有限公司", "employees": "30", **HERE},
        {"source_id": "5", "name": "深圳华信科技有限公司", "uscc": CODE_A, **HERE},
    ],
}
HUAXIN, YUANSHAN, HONGDA = CODE_A, "深圳远山科技有限公司", CODE_B


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of five rows and three companies, resolved once."""
    root = tmp_path_factory.mktemp("decided") / "workspace"
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    world = DirectoryWorld(root)
    for source, rows in ROWS.items():
        world.drop(source, *rows)
    world.sync()
    return root


@pytest.fixture
def world(first: Path, tmp_path: Path) -> DirectoryWorld:
    """The resolved directory, to be changed."""
    return DirectoryWorld(Path(shutil.copytree(first, tmp_path / "workspace")))


def decide(world: DirectoryWorld, act: Callable[..., Decided], *given: Any, language: str = "en") -> Decided:
    ledger_url = load_settings(world.root).ledger_url
    with connect(world.root) as con, Ledger.of(world.root, ledger_url) as ledger:
        desk = Desk(con, ledger, Person("person:li", date(2026, 10, 1)), "li", "looked", language)
        return act(desk, *given)


def accounts(world: DirectoryWorld) -> list[tuple[Any, ...]]:
    """All accounts with all fields, and whose rows they are."""
    members = "select account_id, list(row_id order by row_id) from resolved.account_members group by 1 order by 1"
    return world.ask("select * from resolved.accounts order by account_id") + world.ask(members)


def row(world: DirectoryWorld, key: str) -> str:
    ((row_id,),) = world.ask(f"select row_id from resolved.account_members where source_key = '{key}'")
    return str(row_id)


def settle(world: DirectoryWorld) -> None:
    """The next run's part that decides about companies; the lists are the same."""
    with open_run(world.root, LATER) as run:
        resolve(run)
        segment(run)


def test_e06_a_merge_survives_reruns_and_its_undo_brings_everything_back(world: DirectoryWorld) -> None:
    before = accounts(world)
    merged = decide(world, merge_accounts, HUAXIN, YUANSHAN)
    assert row(world, "2") in "\n".join(merged.lines), "what will happen is told by row"
    assert accounts(world) == before, "it counts from the next run on"
    settle(world)
    assert world.companies() == {frozenset("1245"), frozenset("3")}
    after = accounts(world)
    settle(world)
    assert accounts(world) == after
    decide(world, undo_decision, merged.decision_id)
    settle(world)
    assert accounts(world) == before


def test_e06_a_split_survives_reruns_and_its_undo_brings_everything_back(world: DirectoryWorld) -> None:
    before = accounts(world)
    apart = decide(world, split_account, YUANSHAN, [row(world, "4")])
    settle(world)
    assert world.companies() == {frozenset("15"), frozenset("2"), frozenset("4"), frozenset("3")}
    after = accounts(world)
    settle(world)
    assert accounts(world) == after
    decide(world, undo_decision, apart.decision_id)
    settle(world)
    assert accounts(world) == before


def test_e06_a_pin_survives_reruns_and_its_undo_brings_everything_back(world: DirectoryWorld) -> None:
    before = accounts(world)
    pinned = decide(world, pin_field, HONGDA, "employees", "75")
    assert pinned.effect["before"] is None
    settle(world)
    assert world.ask(f"select employees from resolved.accounts where uscc = '{CODE_B}'") == [(75,)]
    after = accounts(world)
    settle(world)
    assert accounts(world) == after
    decide(world, undo_decision, pinned.decision_id)
    settle(world)
    assert accounts(world) == before


def test_e06_all_kinds_of_decisions_and_undoings_come_out_of_a_rebuild_as_they_went_in(world: DirectoryWorld) -> None:
    undone = decide(world, pin_field, HUAXIN, "employees", "60")
    decide(world, merge_accounts, HUAXIN, YUANSHAN)
    decide(world, split_account, YUANSHAN, [row(world, "4")])
    decide(world, pin_field, HONGDA, "employees", "75")
    decide(world, succeed_account, HONGDA, HUAXIN, date(2026, 9, 1))
    decide(world, undo_decision, undone.decision_id)
    settle(world)
    after = accounts(world)
    history = sorted(world.ask("from resolved.account_history"), key=repr)
    assert world.companies() == {frozenset("125"), frozenset("4"), frozenset("3")}
    remove_warehouse(world.root)
    world.sync(LATER)
    assert accounts(world) == after
    assert sorted(world.ask("from resolved.account_history"), key=repr) == history


def test_e06_a_merge_of_two_codes_is_refused_and_a_succession_links_two_accounts(world: DirectoryWorld) -> None:
    before = world.companies()
    with pytest.raises(BadUsage, match="abmloop account succeed"):
        decide(world, merge_accounts, HUAXIN, HONGDA)
    decided = decide(world, succeed_account, HONGDA, HUAXIN, date(2026, 9, 1))
    settle(world)
    assert world.companies() == before
    assert world.ask("select old_account_id, account_id, succeeded_on from resolved.successions") == [
        (decided.effect["old_account_id"], decided.effect["account_id"], date(2026, 9, 1))
    ]
    assert {event for (event,) in world.ask("select event from resolved.account_history")} == {
        "succeeded_by",
        "succeeds",
    }


def test_e06_a_succession_without_codes_keeps_the_two_apart_whatever_ties_them_later(world: DirectoryWorld) -> None:
    decide(world, split_account, YUANSHAN, [row(world, "4")])
    settle(world)
    decide(world, succeed_account, row(world, "2"), row(world, "4"), date(2026, 9, 1))
    settle(world)
    assert {frozenset("2"), frozenset("4")} <= world.companies()


def test_e06_a_former_id_is_followed_and_said_so(world: DirectoryWorld) -> None:
    old = world.ask(f"select account_id from resolved.accounts where name = '{YUANSHAN}'")[0][0]
    decide(world, merge_accounts, HUAXIN, YUANSHAN)
    settle(world)
    former = {name for (name,) in world.ask("select old_account_id from resolved.account_redirects")}
    assert old in former
    assert f"{old} leads to" in decide(world, pin_field, old, "phone", "0755-86013388").lines[0]
    assert "已并入" in decide(world, pin_field, old, "phone", "0755-86013389", language="zh").lines[0]


@pytest.mark.parametrize(
    ("act", "given", "message"),
    [
        (merge_accounts, (HUAXIN, "nobody"), "no account 'nobody'"),
        (merge_accounts, (HUAXIN, "深圳华信科技有限公司"), "is one account already"),
        (split_account, (YUANSHAN, ["a:99"]), "a:99 are no rows of this account"),
        (pin_field, (HUAXIN, "uscc", CODE_B), "uscc cannot be pinned"),
        (pin_field, (HUAXIN, "employees", "many"), "is no number"),
        (pin_field, (HUAXIN, "revenue", "NaN"), "is no number"),
        (pin_field, (HUAXIN, "founded_on", "2026-02-30"), "is no day"),
        (pin_field, (HUAXIN, "status", "closed"), "is no status"),
        (pin_field, (HUAXIN, "city_code", "4403"), "is no GB/T 2260 code"),
        (pin_field, (HUAXIN, "name", " "), "give a value"),
        (target_account, (HUAXIN, {"valid_to": "2026-01-01"}), "before the entry begins"),
        (undo_decision, ("D0",), "no decision on companies 'D0'"),
    ],
)
def test_e06_what_cannot_be_is_refused_and_writes_nothing(
    first: Path, act: Callable[..., Decided], given: tuple[Any, ...], message: str
) -> None:
    world = DirectoryWorld(first)
    with pytest.raises(BadUsage, match=message):
        decide(world, act, *given)
    with Ledger.of(first) as ledger:
        assert ledger.read("decisions").num_rows == 0


def test_e06_rows_of_one_code_cannot_be_split_nor_can_all_rows_leave(world: DirectoryWorld) -> None:
    with pytest.raises(BadUsage, match="share the valid code"):
        decide(world, split_account, HUAXIN, [row(world, "5")])
    with pytest.raises(BadUsage, match="nothing would stay"):
        decide(world, split_account, YUANSHAN, [row(world, "2"), row(world, "4")])


def test_e06_an_undoing_is_undone_and_nothing_is_undone_twice(world: DirectoryWorld) -> None:
    merged = decide(world, merge_accounts, HUAXIN, YUANSHAN)
    undone = decide(world, undo_decision, merged.decision_id)
    with pytest.raises(BadUsage, match="undone already"):
        decide(world, undo_decision, merged.decision_id)
    decide(world, undo_decision, undone.decision_id)
    settle(world)
    assert frozenset("1245") in world.companies()


def test_the_target_list_keeps_what_people_said_day_by_day(world: DirectoryWorld) -> None:
    entry = {"tier": "1", "owner_id": "o1", "valid_from": None, "valid_to": None}
    added = decide(world, target_account, HONGDA, entry)
    settle(world)
    asked = "select entry_id, tier, owner_id, valid_from::varchar, valid_to::varchar from resolved.target_accounts"
    assert world.ask(asked) == [(f"decision:{added.decision_id}", "1", "o1", "2026-10-01", None)]
    removed = decide(world, target_account, HONGDA, None)
    settle(world)
    assert world.ask(asked) == [(f"decision:{added.decision_id}", "1", "o1", "2026-10-01", "2026-09-30")]
    decide(world, undo_decision, removed.decision_id)
    decide(world, keep_account, HONGDA)
    settle(world)
    assert world.ask(asked) == [(f"decision:{added.decision_id}", "1", "o1", "2026-10-01", None)]
