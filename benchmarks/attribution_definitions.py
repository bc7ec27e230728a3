"""What other packages mean by the name of a model, written anew: it explains how they differ from the exact value.

Understood from their public source (mta 0.0.9, marketing-attribution-models 2.1.1), not copied.
"""

from __future__ import annotations

import numpy as np

from scoring.attribution.columns import Floats
from scoring.attribution.markov import markov_removal_effects
from scoring.attribution.paths import Paths, shapley_shares


def markov_of_mta(paths: Paths) -> Floats:
    """(channels,): removal effects where only walks that were recorded as a converting path count, not the whole chain.

    P(conversion) is the sum, over the rows that converted, of the product of the transition shares along the row: walks
    that nobody took are left out, a path that stands on two rows is counted twice, and its number of conversions does
    not matter. Without a channel: the same sum over the rows that do not hold it, with the transition shares unchanged.
    """
    count, start = len(paths.conversions), len(paths.channels)
    ends, won = start + 1, start + 2
    weight = paths.conversions + paths.nulls
    first = np.concatenate([[True], paths.path[1:] != paths.path[:-1]])
    last = np.concatenate([first[1:], [True]])
    before = np.where(first, start, np.concatenate([[start], paths.channel[:-1]]))
    size = won + 1
    moves = np.bincount(before * size + paths.channel, weights=weight[paths.path], minlength=size * size)
    at_end = paths.channel[last] * size
    moves += np.bincount(at_end + won, weights=paths.conversions[paths.path[last]], minlength=size * size)
    moves += np.bincount(at_end + ends, weights=paths.nulls[paths.path[last]], minlength=size * size)
    table = moves.reshape(size, size)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-300)
    with np.errstate(divide="ignore"):
        step = np.log(share[before, paths.channel]) + np.where(last, np.log(share[paths.channel, won]), 0.0)
    chance = np.where(paths.conversions > 0, np.exp(np.bincount(paths.path, weights=step, minlength=count)), 0.0)
    held = np.unique(paths.path.astype(np.int64) * start + paths.channel)
    return np.bincount(held % start, weights=chance[held // start], minlength=start) / chance.sum()


def markov_of_mam(paths: Paths) -> Floats:
    """(channels,): the exact removal effects, spread over each converting path's own steps and added up again.

    Its removal effects themselves are the exact ones; what it shows as a channel's attribution is this sum.
    """
    effects = markov_removal_effects(paths, 1).conversions
    step = effects[paths.channel]
    whole = np.bincount(paths.path, weights=step, minlength=len(paths.conversions))
    part = step / np.where(whole > 0, whole, 1.0)[paths.path] * paths.conversions[paths.path]
    return np.bincount(paths.channel, weights=part, minlength=len(paths.channels)).astype(np.float64)


def linear_of_mta(paths: Paths) -> Floats:
    """(channels,): each conversion shared equally by the path's distinct channels, however often it holds them."""
    return shapley_shares(paths, paths.conversions)


# (package, model) → what it means by it, where that is something else than the exact value.
OWN = {("mta", "rules"): linear_of_mta, ("mta", "markov 1"): markov_of_mta, ("MAM", "markov 1"): markov_of_mam}
