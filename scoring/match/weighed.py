"""Pairs with what is compared and counted of them once, for all measures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cpdist

from scoring.match.features import Compared, compare
from scoring.match.pairs import Pairs
from scoring.match.rarity import Rarity, Shared, shared_units, worth_weighing
from scoring.match.sides import Column, Side

Numbers = Any  # a NumPy array of float32


@dataclass(frozen=True)
class Weighed:
    """The pairs, both sides whole, and what was compared and counted of them already."""

    pairs: Pairs
    compared: Compared
    given: Side
    bare_key: Column
    accounts: Side
    rarity: Rarity
    shared: Shared

    @cached_property
    def groups(self) -> np.ndarray:
        """Where the pairs of each contact begin; pairs stand in the order of contacts."""
        return np.flatnonzero(np.diff(self.pairs.given, prepend=-1))

    @cached_property
    def group_of(self) -> np.ndarray:
        """Number of the contact's group, pair by pair."""
        return np.cumsum(np.diff(self.pairs.given, prepend=-1) != 0) - 1

    @cached_property
    def same_stem_as_given(self) -> Numbers:
        return (self.compared.given.stem == self.compared.account.stem) & (self.compared.given_length > 0)

    @cached_property
    def same_core_as_given(self) -> Numbers:
        return (self.compared.given.core == self.compared.account.core) & (self.compared.given.core != "")

    @cached_property
    def core_ratio(self) -> Numbers:
        return scored(self.compared.given.core, self.compared.account.core, fuzz.ratio)

    @cached_property
    def key_ratio(self) -> Numbers:
        return scored(self.compared.bare_key, self.compared.account.key, fuzz.ratio)

    @cached_property
    def covered(self) -> Numbers:
        return self.compared.common / np.maximum(self.compared.given_length, 1)

    @cached_property
    def stem_common(self) -> np.ndarray:
        return np.asarray(
            cpdist(self.compared.bare_key, self.compared.account.stem, scorer=LCSseq.similarity), np.float32
        )

    def summed(self, flags: np.ndarray) -> Numbers:
        """Sum over the contact's pairs, pair by pair."""
        return np.add.reduceat(flags.astype(np.float32), self.groups)[self.group_of]

    def ahead(self, values: np.ndarray) -> Numbers:
        """How far each value lies above the best other one of its contact; the value itself where there is no other."""
        values = values.astype(np.float32)
        best = np.maximum.reduceat(values, self.groups)[self.group_of]
        is_best = values == best
        others = np.where(is_best, -np.inf, values)
        second = np.maximum.reduceat(others, self.groups)[self.group_of]
        several = self.summed(is_best) > 1
        rival = np.where(is_best & ~several, second, best)
        return np.where(np.isfinite(rival), values - rival, values)


def weigh(pairs: Pairs, given: Side, bare_key: Column, accounts: Side, rarity: Rarity | None = None) -> Weighed:
    """The pairs worth weighing, with all that the measures need."""
    rarity = rarity or Rarity.of(accounts)
    shared = shared_units(pairs, given, accounts, rarity)
    rows = worth_weighing(pairs, shared)
    pairs = pairs.taken(rows)
    compared = compare(pairs, given, bare_key, accounts)
    compared = replace(compared, slip_is_odd=rarity.are_odd(compared.slip_given))
    return Weighed(pairs, compared, given, bare_key, accounts, rarity, shared.taken(rows))


def scored(one: Column, other: Column, scorer: Callable[..., float], whole: float = 100) -> Numbers:
    """A RapidFuzz scorer over two columns, pair by pair, as a share of `whole`."""
    return np.asarray(cpdist(one, other, scorer=scorer), np.float32) / np.float32(whole)
