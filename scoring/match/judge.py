"""The decision: rules turn features into a confidence, ranks find the best account and what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.match import features
from scoring.match.features import Compared
from scoring.policies.match import Guard, MatchPolicy

NO_RULE = -1


@dataclass(frozen=True)
class Judged:
    """Per pair: its rule (row in the policy, or NO_RULE), its confidence, whether it is never taken without asking, and
    the features it has, by name."""

    rule: np.ndarray
    confidence: np.ndarray
    guarded: np.ndarray
    flags: dict[str, np.ndarray]


@dataclass(frozen=True)
class Ranked:
    """Pairs in order of contact and merit: position in the pairs, rank from 0, how many stand equal first; `is_tied`:
    the next of the contact stands equal."""

    order: np.ndarray
    rank: np.ndarray
    equal: np.ndarray
    tie_break: np.ndarray
    is_tied: np.ndarray


def judge_pairs(pairs: Compared, chance: np.ndarray, policy: MatchPolicy) -> Judged:
    """The first rule that fits says by what a pair was found, and how sure it is at least; `chance` is the model's.

    Contradictions hold a pair down, whatever the model says.
    """
    flags = {name: np.asarray(getattr(features, name)(pairs), bool) for name in _used(policy)}
    size = len(pairs.ratio)
    rule, least = np.full(size, NO_RULE), np.zeros(size)
    for number, one in enumerate(policy.rules):
        fits = rule == NO_RULE
        for name in one.all_of:
            fits = fits & flags[name]
        for name in one.none_of:
            fits = fits & ~flags[name]
        rule[fits], least[fits] = number, one.at_least
    confidence = np.maximum(np.round(chance, 3), least)
    for cap in policy.caps:
        confidence = np.where(_holds(cap, flags), np.minimum(confidence, cap.at_most), confidence)
    guarded = np.logical_or.reduce([np.zeros(size, bool), *(_holds(guard, flags) for guard in policy.guards)])
    return Judged(rule, confidence, guarded, flags)


def _holds(limit: Guard, flags: dict[str, np.ndarray]) -> Any:
    held = flags[limit.when]
    for name in limit.unless:
        held = held & ~flags[name]
    return held


def _used(policy: MatchPolicy) -> list[str]:
    named = {name for rule in policy.rules for name in (*rule.all_of, *rule.none_of)}
    limits = {name for limit in (*policy.caps, *policy.guards) for name in (limit.when, *limit.unless)}
    return sorted(named | set(policy.told) | limits)


def rank_pairs(
    given: np.ndarray, judged: Judged, twins: Callable[[np.ndarray], Any], ties: dict[str, np.ndarray]
) -> Ranked:
    """Best first within each contact: confidence, then rule, then the ties' columns in their order (less is better).

    `twins` gives rows of the pairs a number that accounts which are one company written twice share: those do not count
    as rivals. `equal` is the number of
    distinct companies with the first's confidence and rule; `tie_break` names the column that set the first before the
    second, "" where they did not stand equal.
    """
    order = np.lexsort((*reversed(list(ties.values())), judged.rule, -judged.confidence, given))
    rows = given[order]
    first = np.searchsorted(rows, rows)
    rank = np.arange(len(rows)) - first
    confidence, rule = judged.confidence[order], judged.rule[order]
    stands_equal = (confidence == confidence[first]) & (rule == rule[first])
    equal = _distinct_per_group(first, stands_equal, lambda places: twins(order[places]))
    is_tied = np.zeros(len(order), bool)
    is_tied[:-1] = (rows[1:] == rows[:-1]) & (confidence[1:] == confidence[:-1]) & (rule[1:] == rule[:-1])
    return Ranked(order, rank, equal, _tie_breaks(order, first, stands_equal, ties), is_tied)


def _distinct_per_group(first: np.ndarray, counted: np.ndarray, values: Callable[[np.ndarray], Any]) -> Any:
    """For each row the number of distinct values of the counted rows of its group, the first of which is counted."""
    sizes = np.ones(len(first), np.int64)
    together = np.flatnonzero(counted & (np.bincount(first, counted, len(first))[first] > 1))
    if len(together):
        numbers = values(together)
        both = np.unique(first[together] * (numbers.max() + 1) + numbers)
        starts, counts = np.unique(both // (numbers.max() + 1), return_counts=True)
        sizes[starts] = counts
    return sizes[first]


def _tie_breaks(order: np.ndarray, first: np.ndarray, stands_equal: np.ndarray, ties: dict[str, np.ndarray]) -> Any:
    """Name of the first column in which the best and the second differ, for every row of a tied group."""
    second = np.minimum(first + 1, len(first) - 1)
    is_tied = (first[second] == first) & stands_equal[second] & (second != first)
    names = np.full(len(first), "", object)
    for name, column in reversed(list(ties.items())):
        differs = column[order[first]] != column[order[second]]
        names = np.where(is_tied & differs, name, names)
    return names
