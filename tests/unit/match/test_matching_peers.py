"""The comparison with public matchers gives each its best threshold, and survives the ones that fail."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.matching_peers import quality, sampled
from benchmarks.peers import NotInstalledError, environment, run_measured


def _scored(*rows: tuple[str, bool, float | None, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["slice", "has_account", "confidence", "is_right"]).astype({"confidence": float})


def test_threshold_is_the_one_of_the_best_f1():
    best = quality(
        _scored(
            ("cn", True, 0.9, True),
            ("cn", True, 0.8, True),
            ("neg_trap", False, 0.7, False),
            ("neg_trap", False, 0.3, False),
            ("cn", True, 0.6, True),
            ("cn", True, None, False),
        )
    )
    # At .6: 3 of 4 accepted are right, 3 of 4 accounts found; one trap of two is above.
    assert (best.f1, best.threshold, best.recall_at_99, best.traps_accepted) == (0.75, 0.6, 0.5, 0.5)


def test_what_shares_a_confidence_is_accepted_together():
    tied = _scored(("cn", True, 0.9, True), ("neg_trap", False, 0.9, False))
    assert quality(tied).recall_at_99 == 0
    assert quality(tied).traps_accepted == 1
    assert quality(tied[::-1]) == quality(tied)


def test_precision_may_be_reached_again_below_where_it_was_lost():
    rows = [("neg_real", False, 0.95, False), *[("cn", True, 0.9, True)] * 99]
    assert quality(_scored(*rows)).recall_at_99 == 1


def test_a_matcher_that_found_nothing_scores_nothing():
    best = quality(_scored(("cn", True, None, False)))
    assert (best.f1, best.recall_at_99, best.traps_accepted) == (0, 0, 0)


def test_a_sample_is_the_same_each_time(tmp_path: Path):
    pd.DataFrame({"cid": [f"c{number:03}" for number in range(100)]}).to_parquet(tmp_path / "contacts.parquet")
    (tmp_path / "scratch").mkdir()
    first = pd.read_parquet(sampled(tmp_path, 10, tmp_path / "scratch"))
    assert first.equals(pd.read_parquet(sampled(tmp_path, 10, tmp_path / "scratch")))
    assert len(first) == 10


def test_a_peer_that_fails_tells_its_last_words():
    assert (
        run_measured([sys.executable, "-c", "raise ValueError('no such name')"], 60).error == "ValueError: no such name"
    )


def test_a_peer_that_does_not_end_is_ended():
    assert run_measured([sys.executable, "-c", "import time; time.sleep(60)"], 0.3).error == "not done in 0 s"


def test_cpu_and_memory_are_those_of_the_peer():
    cost = run_measured(
        [sys.executable, "-c", "held = bytearray(200_000_000); sum(range(10_000_000)); print('done')"], 60
    )
    assert cost.printed.strip() == "done"
    assert cost.error == ""
    assert cost.cpu_s > 0.05
    assert cost.peak_mb > 150


def test_an_environment_without_its_packages_is_refused(tmp_path: Path):
    with pytest.raises(NotInstalledError):
        environment(tmp_path / "peer", [str(tmp_path / "no-such-package.whl")])
