"""Seeded worlds of deals: steady, growing, shrinking, with quarters' ends, with stages, and with hardly any history."""

from __future__ import annotations

import numpy as np

from scoring.forecast.spells import NEVER, Spells

FIRST = int(np.datetime64("2024-01-01").astype(np.int64))
DAYS = 3 * 365
KINDS = ("steady", "growing", "shrinking", "quarters", "stages", "changing", "young")


def world(kind: str, seed: int, a_day: float = 4.0) -> Spells:
    """Three years of deals of that kind, all outcomes known (the years before the first day are not recorded)."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    rate = {"growing": lambda day: np.exp(day / 500), "shrinking": lambda day: np.exp(-day / 700)}.get(
        kind, lambda day: np.ones(len(day))
    )
    expected = a_day * rate(np.arange(DAYS, dtype=np.float64))
    born = np.repeat(np.arange(DAYS), random.poisson(expected / expected.mean() * a_day))
    if kind == "young":
        born = born[born > DAYS - 150]
    good = random.random(len(born))
    chance = np.where((kind == "changing") & (born > DAYS // 2), 0.25, 0.4) * (0.5 + good)
    length = random.gamma(2.0, 30.0, len(born)).astype(np.int64) + 1
    length = np.where(random.random(len(born)) < 0.12, 10_000, length)  # forgotten
    outcome = np.where(random.random(len(born)) < chance, 1, -1)
    ends = born + length
    if kind == "quarters":
        ends = _pulled_to_quarter_ends(random, ends)
    amount = np.round(np.exp(random.normal(10, 0.8, len(born))), 2)
    stages = _two_stages if kind == "stages" else _one_stage
    return stages(FIRST + born, FIRST + ends, outcome, amount, good)


def _pulled_to_quarter_ends(random: np.random.Generator, ends: np.ndarray) -> np.ndarray:
    """Two thirds of what would be decided in the two months before it waits for the quarter's last month."""
    day = (FIRST + ends).astype("datetime64[D]")
    month = day.astype("datetime64[M]").astype(np.int64)
    place = month % 3
    waits = (place < 2) & (random.random(len(ends)) < 2 / 3)
    last = (month + 2 - place).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - FIRST
    return np.where(waits, last + random.integers(0, 30, len(ends)), ends)


def _one_stage(born: np.ndarray, ends: np.ndarray, outcome: np.ndarray, amount: np.ndarray, good: np.ndarray) -> Spells:
    end, happened = _cut(ends, outcome)
    number = np.arange(len(born))
    zero = number * 0
    return Spells(number, born, born, born, end, end, happened, zero + NEVER, zero, zero, amount, amount)


def _two_stages(
    born: np.ndarray, ends: np.ndarray, outcome: np.ndarray, amount: np.ndarray, good: np.ndarray
) -> Spells:
    """Good deals go on to a second stage half-way; teams differ too."""
    second = good > 0.5
    middle = born + (np.minimum(ends, born + 200) - born) // 2
    number = np.arange(len(born))
    end, happened = _cut(ends, outcome)
    team = (good * 97).astype(np.int64) % 3
    first_end, first_outcome = np.where(second, middle, end), np.where(second, 0, happened)

    def both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.concatenate([one, other[second]])

    begins, stop = both(born, middle), both(first_end, end)
    zero = begins * 0
    return Spells(
        both(number, number), both(born, born), begins, begins, stop, stop, both(first_outcome, happened), zero + NEVER,
        both(number * 0, number * 0 + 1), both(team, team), both(amount, amount),
        both(amount, amount),
    )  # fmt: skip


def _cut(ends: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nothing ends after the world does."""
    over = ends >= FIRST + DAYS
    return np.where(over, NEVER, ends), np.where(over, 0, outcome)


def month_starts(count: int, ahead: int) -> list[int]:
    """The first days of the last `count` months that have `ahead` days of the world after them."""
    last = np.datetime64(FIRST + DAYS - ahead, "D").astype("datetime64[M]")
    return [int(month.astype("datetime64[D]").astype(np.int64)) for month in last - np.arange(count)[::-1]]
