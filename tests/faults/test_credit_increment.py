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


def test_a_first_split_leaves_the_journeys_of_all_other_deals_in_the_order_of_their_seconds(workspace: Path) -> None:
    world = MoneyWorld(workspace)
    world.rules("models: [linear]\nrepeats: every_touch\n")
    world.person("P2", "A2")
    world.touch("t9", "2026-03-01 10:00:00.100")
    world.touch("t2", "2026-03-01 10:00:00.900")
    world.touch("t5", "2026-03-01 10:00:00.500", person="P2")
    world.deal("D1")
    world.deal("D3")
    world.sync()
    world.split("D3", A1=60, A2=40)
    world.sync()
    journeys = world.ask("select * from scored.deal_touches order by deal_id, position")
    assert [row[:3] for row in journeys] == [
        ("D1", "t2", 1), ("D1", "t9", 2), ("D3", "t2", 1), ("D3", "t5", 2), ("D3", "t9", 3),
    ]  # fmt: skip
    _anew(world)
    world.sync()
    assert world.ask("select * from scored.deal_touches order by deal_id, position") == journeys


def test_a_touch_that_earns_of_several_parts_stands_once_in_the_deals_journey(workspace: Path) -> None:
    world = MoneyWorld(workspace)
    world.rules("models: [linear]\nrepeats: every_touch\npeople: deal_contacts\n")
    world.person("P2", "A2")
    world.touch("t1", "2026-03-01 10:00:00")
    world.touch("t2", "2026-03-01 10:00:00")
    world.deal("D1")
    world.split("D1", A1=60, A2=40)
    world.add("staging.deal_contacts", deal_id="D1", contact_id="K1", row_id="crm:D1|K1", row_hash="h", source="crm")
    world.add("matched.person_rows", entity="deal_contacts", row_id="crm:D1|K1", person_id="P1")
    world.sync()
    assert world.ask("select touch_id, position from scored.deal_touches order by all") == [("t1", 1), ("t2", 2)]
