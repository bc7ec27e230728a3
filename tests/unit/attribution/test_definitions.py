"""What other packages mean by Markov: the same as by walking every recorded path by hand."""

import numpy as np
import pytest

from benchmarks.attribution_definitions import OWN, markov_of_mam, markov_of_mta
from scoring.attribution.markov import markov_removal_effects
from scoring.attribution.paths import Paths


def _paths() -> Paths:
    """A > B twice (once it converted, once not), B > A > A converted, B did not."""
    steps = [[0, 1], [1, 0, 0], [1]]
    return Paths(
        np.repeat(np.arange(3), [2, 3, 1]), np.concatenate(steps), np.array([1.0, 1, 0]), np.array([9.0, 9, 0]),
        np.array([1.0, 0, 1]), ["A", "B"],
    )  # fmt: skip


def test_mta_counts_only_walks_that_stand_in_the_file() -> None:
    """From start: A 2 of 4, B 2 of 4. From A: B 2, A 1, won 1 of 4. From B: A 1, won 1, lost 2 of 4."""
    a_b, b_a_a = 1 / 2 * 2 / 4 * 1 / 4, 1 / 2 * 1 / 4 * 1 / 4 * 1 / 4
    both = a_b + b_a_a
    assert markov_of_mta(_paths()) == pytest.approx([both / both, both / both])
    without = Paths(
        np.array([0, 0, 1]), np.array([0, 1, 1]), np.ones(2), np.ones(2), np.zeros(2), ["A", "B"]
    )  # A > B and B converted: start A 1 of 2, B 1 of 2; A to B always; B won always
    assert markov_of_mta(without) == pytest.approx([1 / 2, 1.0])


def test_mam_spreads_the_exact_effects_over_each_path() -> None:
    effect = markov_removal_effects(_paths(), 1).conversions
    one, other = effect[0] / effect.sum(), 2 * effect[0] / (2 * effect[0] + effect[1])
    assert markov_of_mam(_paths()) == pytest.approx([one + other, 2 - one - other])


def test_distinct_channels_share_equally() -> None:
    assert OWN["mta", "rules"](_paths()) == pytest.approx([1, 1])
