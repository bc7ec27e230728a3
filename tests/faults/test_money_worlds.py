"""R12: money is conserved through merges, splits, amendments, refunds, currencies and switches of models.

`pytest -m slow tests/faults/test_money_worlds.py -s` lives through 10,000 worlds in ten workspaces of a thousand.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import scoring.attribution.credits
import tasks.attribute.step
from tests.faults.money_oracle import EXACT, Oracle
from tests.faults.money_world import GIVEN, STAGED, MoneyWorld
from tests.faults.money_worlds import MoneyWorlds, Settings

EXACT_BELOW = 10**10  # cents: beyond, a weight in double precision cannot tell every cent of a touch
SEED = 20261122


@dataclass
class Found:
    """What was compared, and the worlds in which anything differed, with the cents."""

    compared: int = 0
    cents_apart: dict[str, int] = field(default_factory=dict)

    def note(self, deal: str, found: int | None, wanted: int | None) -> None:
        """One figure of one deal."""
        self.compared += 1
        if found != wanted:
            world = deal.split("D")[0]
            apart = 1 if found is None or wanted is None else abs(found - wanted)
            self.cents_apart[world] = max(self.cents_apart.get(world, 0), apart)


def _compare(world: MoneyWorld, oracle: Oracle, found: Found) -> None:
    """Amounts, sums of credits, credits of every touch and the totals of the mart against the oracle."""
    amounts = oracle.amounts()
    told = world.ask("select deal_id, basis, (amount::decimal(28, 2) * 100)::bigint from core.deal_amounts")
    stands = {(deal, basis): cents for deal, basis, cents in told}
    for deal, basis in {*amounts, *stands}:
        found.note(deal, stands.get((deal, basis)), amounts.get((deal, basis)))
    stated: dict[tuple[str, str, str], dict[str | None, int | None]] = {}
    for deal, touch, basis, model, cents in world.ask(
        "select deal_id, touch_id, basis, model, (credit::decimal(28, 2) * 100)::bigint from scored.credits"
    ):
        shares = stated.setdefault((deal, basis, model), {})
        # Of a split deal several companies' parts may be nobody's.
        shares[touch] = shares[touch] + cents if shares.get(touch) is not None and cents is not None else cents
    for (deal, basis), cents in amounts.items():
        for model in oracle.settings.models:
            shares = stated.pop((deal, basis, model), {})
            if cents is None:
                found.note(deal, None if set(shares.values()) == {None} else 0, None)
                continue
            found.note(deal, sum(share or 0 for share in shares.values()), cents)
            if model in EXACT and abs(cents) < EXACT_BELOW:
                wanted = oracle.credits(deal, model, cents)
                for touch in {*wanted, *shares}:
                    found.note(deal, shares.get(touch), wanted.get(touch))
    for deal, _, _ in stated:
        found.note(deal, 1, 0)
    _compare_owners(world, oracle, found)
    _compare_totals(world, oracle, found)


def _compare_owners(world: MoneyWorld, oracle: Oracle, found: Found) -> None:
    """What each sales person has of every deal is their part of its amount."""
    stated: dict[tuple[str, str], dict[str | None, int | None]] = {}
    for deal, basis, owner, cents in world.ask(
        "select deal_id, basis, owner_id, (amount::decimal(28, 2) * 100)::bigint"
        " from core.part_amounts left join core.deal_parts using (deal_id, axis, part) where axis = 'owner'"
    ):
        stated.setdefault((deal, basis), {})[owner] = cents
    for (deal, basis), cents in oracle.amounts().items():
        shares = stated.get((deal, basis), {})
        wanted = dict.fromkeys(shares) if cents is None else oracle.parts(deal, "owner", cents)
        for owner in {*shares, *wanted}:
            found.note(deal, shares.get(owner), wanted.get(owner))


def _compare_totals(world: MoneyWorld, oracle: Oracle, found: Found) -> None:
    """What the campaigns earned, with what nothing did, is what the deals came to."""
    for basis, model, cents in world.ask(
        "select basis, model, (sum(attributed_amount) * 100)::bigint from marts.campaign_roi group by all"
    ):
        wanted = sum(amount or 0 for (_, other), amount in oracle.amounts().items() if other == basis)
        found.note(f"{basis} by {model}", cents or 0, wanted)


def _compare_restatements(world: MoneyWorld, before: dict[str, int], after: dict[str, int], found: Found) -> None:
    """The lines lead from each record's former amount to today's; what is new is no line."""
    lines = world.ask("select id, (sum(difference)::decimal(28, 2) * 100)::bigint from marts.restatements group by all")
    apart = dict(lines)
    for name in {*before, *apart}:
        found.note(name, apart.get(name, 0), after[name] - before[name])


def _workspace(root: Path) -> Path:
    (root / "config").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: worlds of money\n", encoding="utf-8")
    return root


def _live(root: Path, seed: int, count: int) -> Found:
    """Worlds in their first and their amended state, each under settings of its own."""
    rng, found = random.Random(seed), Found()
    worlds, world = MoneyWorlds(seed, count), MoneyWorld(_workspace(root))
    before: dict[str, int] = {}
    for is_amended in (False, True):
        if is_amended:
            worlds.amend()
        settings = Settings.drawn(rng)
        world.tables = {name: worlds.tables.get(name, []) for name in (*GIVEN, *(f"staging.{e}" for e in STAGED))}
        world.rules(settings.text())
        world.sync()
        oracle = Oracle(worlds.tables, settings)
        _compare(world, oracle, found)
        if is_amended:
            _compare_restatements(world, before, oracle.counted(), found)
        before = oracle.counted()
    return found


def _in_floats(deal: np.ndarray, weight: np.ndarray, cents: np.ndarray) -> np.ndarray:
    """The control: every credit rounded by itself."""
    return np.rint(cents[deal] * weight).astype(np.int64)


@pytest.mark.parametrize("seed", [SEED])
def test_r12_money_of_three_hundred_worlds_is_conserved_to_the_cent(tmp_path: Path, seed: int) -> None:
    found = _live(tmp_path, seed, 300)
    print(f"seed {seed}: {found.compared:,} figures of 300 worlds, {len(found.cents_apart)} worlds with a difference")
    assert found.cents_apart == {}


def test_r12_control_with_floats_loses_cents(tmp_path: Path) -> None:
    with (
        patch.object(scoring.attribution.credits, "split_amounts", _in_floats),
        patch.object(tasks.attribute.step, "_check_balance", lambda *_told: None),
    ):
        found = _live(tmp_path, SEED, 50)
    print(f"seed {SEED}, control with floats: {len(found.cents_apart)} of 50 worlds with a difference")
    assert len(found.cents_apart) >= 5


@pytest.mark.slow
def test_r12_money_of_ten_thousand_worlds_is_conserved_to_the_cent(tmp_path: Path) -> None:
    apart, compared = {}, 0
    for seed in range(SEED, SEED + 10):
        found = _live(tmp_path / str(seed), seed, 1_000)
        compared += found.compared
        apart |= {(seed, world): cents for world, cents in found.cents_apart.items()}
    print(f"seeds {SEED} to {SEED + 9}: {compared:,} figures of 10,000 worlds, {len(apart)} worlds with a difference")
    assert apart == {}
