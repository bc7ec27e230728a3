"""Overlapping lists with known truth become accounts: floors for the judgement, and no account with two codes."""

import pandas as pd
import pytest

from benchmarks.directory_bench import measure, slices
from benchmarks.directory_world import write_directory_world

SEED, COMPANIES = 2, 1_000
PRECISION, RECALL = 0.985, 0.94  # a little below what was measured on this world: to notice a step that got worse


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, dict[str, float]]:
    """The rows of a small world with account and entity, and the figures."""
    root = tmp_path_factory.mktemp("directory") / "workspace"
    write_directory_world(root, COMPANIES, SEED)
    return measure(root)


def test_pairs_of_rows_of_one_company_come_together(measured: tuple[pd.DataFrame, dict[str, float]]) -> None:
    assert measured[1]["recall"] >= RECALL, measured[1]


def test_pairs_of_rows_that_come_together_are_one_company(measured: tuple[pd.DataFrame, dict[str, float]]) -> None:
    assert measured[1]["precision"] >= PRECISION, measured[1]


def test_no_account_has_two_codes(measured: tuple[pd.DataFrame, dict[str, float]]) -> None:
    assert measured[1]["two_codes"] == 0


def test_branches_and_near_names_are_no_duplicates(measured: tuple[pd.DataFrame, dict[str, float]]) -> None:
    told = slices(measured[0], "kind")
    assert told.loc[["branch", "near", "sister"], "precision"].min() >= 0.95, told.to_string()
