"""A day re-credits the deals that its changes reach and no other, and comes to what crediting everything would."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tasks.attribute.news
from tests.faults.money_world import GIVEN, STAGED, MoneyWorld
from tests.faults.money_worlds import MoneyWorlds
from warehouse.database import connect

RULES = "models: [linear, w_shaped, time_decay, markov]\nrepeats: every_touch\nrenewals: {}\nlookback_days: 60\n"


def _world(root: Path, renewals: str) -> tuple[MoneyWorld, MoneyWorlds]:
    worlds, world = MoneyWorlds(7, 120), MoneyWorld(root)
    world.tables = {name: worlds.tables.get(name, []) for name in (*GIVEN, *(f"staging.{e}" for e in STAGED))}
    world.rules(RULES.format(renewals))
    return world, worlds


def _by_deal(world: MoneyWorld, where: str = "true") -> dict[str, list[Any]]:
    """Deal → its credits and its journey, in order."""
    found: dict[str, list[Any]] = {}
    for table in ("scored.credits", "scored.deal_touches"):
        only = where if table == "scored.credits" else "true"
        for deal, *rest in world.ask(f"select * from {table} where {only} order by all"):
            found.setdefault(deal, []).append(rest)
    return found


def _anew(world: MoneyWorld) -> None:
    """Forget what was credited: the next sync does everything."""
    with connect(world.root) as con:
        con.execute("delete from ops.credit_models")
        con.execute("delete from ops.credit_digests")


def _change(worlds: MoneyWorlds) -> None:
    """Ten deals changed, one gone, a hundredth more touches, one touch taken back."""
    deals = worlds.tables["staging.deals"]
    for number, deal in enumerate(deals[5:15]):
        field, value = [
            ("amount", 12345), ("stage", "lost"), ("closed_at", deal["closed_at"] + timedelta(days=20)),
            ("lead_created_at", datetime(2026, 1, 2)), ("stage", "won"),
        ][number % 5]  # fmt: skip
        deal[field] = value
    del deals[40]
    for number in range(5):
        worlds._touch(f"w{number}T9", f"w{number}", f"w{number}P0")
    del worlds.tables["staging.touches"][100]


@pytest.mark.parametrize("renewals", ["split"])
def test_a_day_recredits_what_it_must_and_nothing_else_and_equals_full(workspace: Path, renewals: str) -> None:
    world, worlds = _world(workspace, renewals)
    world.sync()
    assert world.sync()["recredited_deals"] == 0, "nothing changed"
    before = _by_deal(world, "model <> 'markov'")
    _change(worlds)
    counted = world.sync()
    after, everything = _by_deal(world, "model <> 'markov'"), _by_deal(world)
    changed = {deal for deal in {*before, *after} if before.get(deal) != after.get(deal)}
    gone = before.keys() - after.keys()
    assert counted["recredited_deals"] == len(changed - gone) < counted["deals"] / 4
    _anew(world)
    assert world.sync()["recredited_deals"] == counted["deals"]
    assert _by_deal(world) == everything
    balances = world.ask("select difference::varchar, count(*) from quality.credit_balances group by all")
    assert balances == [("0.00", 16)]


def test_a_day_on_moves_the_windows_of_open_deals_alone(workspace: Path) -> None:
    world, _ = _world(workspace, "own")
    world.sync("2026-09-01")
    before = _by_deal(world)
    counted = world.sync("2026-09-04")
    after = _by_deal(world)
    assert 0 < counted["recredited_deals"] < counted["deals"]
    _anew(world)
    world.sync("2026-09-04")
    assert _by_deal(world) == after != before


def test_control_a_change_that_is_not_seen_leaves_other_credits(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, worlds = _world(workspace, "own")
    world.sync()
    _change(worlds)
    seen = tasks.attribute.news._changed
    monkeypatch.setattr(tasks.attribute.news, "_changed", lambda *told: seen(*told) & False)
    monkeypatch.setattr("tasks.attribute.step._check_balance", lambda *_told: None)
    world.sync()
    blind = _by_deal(world)
    monkeypatch.undo()
    _anew(world)
    world.sync()
    assert _by_deal(world) != blind
