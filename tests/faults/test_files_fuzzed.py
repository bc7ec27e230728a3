"""Broken files, small: the first of the ten thousand that `python -m benchmarks.fuzz_files` lands, with its control."""

import pytest

from benchmarks.fuzz_files import SEED, fuzz, lenient_losses
from benchmarks.fuzz_seeds import Seed, seeds


@pytest.fixture(scope="module")
def good() -> list[Seed]:
    return seeds()


def test_r07_broken_files_end_in_rows_or_in_a_named_refusal() -> None:
    result = fuzz(range(200), SEED)
    assert result.shown == [] and sum(result.ends.values()) == 200
    assert result.ends["read"] > 20, "most were refused: nothing was proven about rows"


def test_r07_a_lenient_reader_loses_rows_of_such_files() -> None:
    assert lenient_losses(SEED, 20)[1] > 0


def test_r07_the_seeds_are_forty_and_the_same_each_time(good: list[Seed]) -> None:
    assert len(good) == len({seed.name for seed in good}) == 40 and good == seeds()
