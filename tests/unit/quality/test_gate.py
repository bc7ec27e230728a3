"""What a suite has passed is not asked again; what it has not seen always is."""

import pandas as pd
import pytest

from warehouse.quality import gate
from warehouse.quality.gate import Answer, ask, figure_hashes, read_suite

LIMITS = {"quarantine_hold_share": 0.05}
ROW_BY_ROW = {
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_between",
    "expect_column_values_to_not_be_null",
}


def frame(*differences: float, share: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "subject": f"s{number}",
                "duplicate_keys": 0,
                "broken_rows": 0,
                "difference": found,
                "refused_share": share,
                "amounts_lost": 0,
            }
            for number, found in enumerate(differences)
        ]
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the library was asked about, question by question, by a process that knows of no answer."""
    rows: list[int] = []
    whole = gate._asked

    def counting(door: str, metrics: pd.DataFrame, parameters: dict[str, float]) -> list[Answer]:
        rows.append(len(metrics))
        return whole(door, metrics, parameters)

    monkeypatch.setattr(gate, "_PASSED", set())
    monkeypatch.setattr(gate, "_asked", counting)
    return rows


def test_figures_that_passed_are_passed_again_without_the_library_and_in_the_same_words(asked: list[int]) -> None:
    first = ask("published", frame(0.0, 0.0), LIMITS)
    known = figure_hashes("published", frame(0.0), LIMITS)
    gate._PASSED.clear()
    assert ask("published", frame(0.0, 0.0, 0.0), LIMITS, passed=known) == first
    assert asked == [2]


def test_only_new_figures_are_asked_about_and_break_the_gate(asked: list[int]) -> None:
    ask("published", frame(0.0), LIMITS)
    broken = [answer for answer in ask("published", frame(0.0, 0.5), LIMITS) if not answer.success]
    assert [(answer.code, answer.failing) for answer in broken] == [("difference", (("s1", "0.5"),))]
    assert [answer.success for answer in ask("published", frame(0.0, 0.5), LIMITS)].count(False) == 1
    assert asked == [1, 1, 1], "what broke it is asked about every time"


def test_under_another_limit_everything_is_asked_anew(asked: list[int]) -> None:
    assert all(answer.success for answer in ask("published", frame(0.0, share=0.04), LIMITS))
    stricter = ask("published", frame(0.0, share=0.04), {"quarantine_hold_share": 0.01})
    assert [answer.code for answer in stricter if not answer.success] == ["refused_share"]
    assert asked == [1, 1]


@pytest.mark.parametrize("door", ["landed", "published"])
def test_every_expectation_judges_a_row_by_its_own_figures(door: str) -> None:
    assert {each["type"] for each in read_suite(door)["expectations"]} <= ROW_BY_ROW
