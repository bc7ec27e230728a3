"""Markov of order 1 to 4 on random paths against dense chains written out state by state."""

import itertools
from collections import defaultdict

import numpy as np
import pytest

from scoring.attribution.markov import markov_removal_effects
from scoring.attribution.paths import Paths

State = tuple[int, ...]
START: State = ()


def _world(random: np.random.Generator) -> list[tuple[list[int], float, float, float]]:
    """Paths with conversions, their value and nulls; loops and repeated paths among them."""
    return [
        (
            random.integers(0, 3, int(random.integers(1, 7))).tolist(),
            won := float(random.integers(0, 3)),
            won * float(random.integers(1, 50)),
            float(random.integers(0, 3)),
        )
        for _ in range(int(random.integers(2, 9)))
    ]


def _columns(world: list[tuple[list[int], float, float, float]]) -> Paths:
    steps, won, value, nulls = zip(*world, strict=True)
    lengths = [len(path) for path in steps]
    return Paths(
        np.repeat(np.arange(len(world)), lengths), np.concatenate([np.array(path) for path in steps]),
        np.array(won), np.array(value), np.array(nulls), ["A", "B", "C"],
    )  # fmt: skip


def _states(path: list[int], order: int) -> list[State]:
    """k-grams in order; a path shorter than k is one shorter state."""
    if len(path) <= order:
        return [tuple(path)]
    return [tuple(path[place : place + order]) for place in range(len(path) - order + 1)]


def _worth(
    world: list[tuple[list[int], float, float, float]], order: int, without: int | None = None
) -> tuple[float, float]:
    """Probability of conversion and expected value from the start, without any state that holds the channel."""
    moves: dict[State, dict[State, float]] = defaultdict(lambda: defaultdict(float))
    left: dict[State, float] = defaultdict(float)
    won: dict[State, float] = defaultdict(float)
    value: dict[State, float] = defaultdict(float)
    for path, conversions, worth, nulls in world:
        states = [START, *_states(path, order)]
        for one, other in itertools.pairwise(states):
            moves[one][other] += conversions + nulls
            left[one] += conversions + nulls
        left[states[-1]] += conversions + nulls
        won[states[-1]] += conversions
        value[states[-1]] += worth
    names = sorted({state for state in left if without is None or without not in state})
    place = {state: number for number, state in enumerate(names)}
    chain = np.eye(len(names))
    gain = np.zeros((len(names), 2))
    for state in names:
        for other, count in moves[state].items():
            if other in place and left[state]:
                chain[place[state], place[other]] -= count / left[state]
        if left[state]:
            gain[place[state]] = won[state] / left[state], value[state] / left[state]
    found = np.linalg.solve(chain, gain)[place[START]]
    return float(found[0]), float(found[1])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(12))
def test_removal_effects_are_those_of_the_chain_written_out(seed: int, order: int) -> None:
    world = _world(np.random.default_rng(seed))
    if not sum(row[1] for row in world):
        world.append(([0, 1], 1.0, 5.0, 0.0))
    whole, worth = _worth(world, order)
    present = sorted({channel for path, won, _, nulls in world for channel in path if won + nulls})
    effects = markov_removal_effects(_columns(world), order)
    assert effects.p_conversion == pytest.approx(whole, abs=1e-9)
    for channel in present:
        without, value = _worth(world, order, channel)
        assert effects.conversions[channel] == pytest.approx(1 - without / whole, abs=1e-9)
        assert effects.value[channel] == pytest.approx(1 - value / worth, abs=1e-9)
