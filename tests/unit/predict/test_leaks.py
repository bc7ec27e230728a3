"""The leak guard: every kind of leak is refused with its reason, strong columns known before the outcome are kept."""

from typing import Any

import numpy as np
import pytest

from scoring.predict.leaks import Rows, find_leaks, find_useless
from tests.unit.predict.worlds import column, draw, policy

ROWS = 2000
COLUMNS, CAME = draw(ROWS)
RANDOM = np.random.default_rng(3)
DAYS = np.sort(RANDOM.integers(0, 400, ROWS)).astype(float)


def rule_of(name: str, values: list[Any]) -> str | None:
    """The rule that refuses a column beside this outcome, if any does."""
    found = find_leaks([column(name, values)], Rows.of(CAME.astype(float), DAYS), policy().guard)
    return found[0].rule if found else None


def _as_day(number: float) -> str:
    return str(np.datetime64(int(number), "D"))


def _filled_when(rows: np.ndarray[Any, Any], text: str) -> list[str | None]:
    return [text if one else None for one in rows]


def test_g_copy_of_the_outcome_is_refused() -> None:
    assert rule_of("result2", ["A" if one else "B" for one in CAME]) == "power"


def test_a_reason_that_only_lost_leads_have_is_refused() -> None:
    lost = (CAME == 0) & (RANDOM.random(ROWS) < 0.7)
    assert rule_of("remarks", _filled_when(lost, "too expensive")) in ("blanks", "pure", "power")


def test_a_field_that_sales_fill_in_on_the_way_is_refused_by_its_blanks() -> None:
    filled = RANDOM.random(ROWS) < np.where(CAME == 1, 0.7, 0.35)
    values = [str(RANDOM.integers(1, 4)) + " staff" if one else None for one in filled]
    assert rule_of("team", values) == "blanks"


def test_dates_after_the_rows_own_time_are_refused_and_those_before_it_kept() -> None:
    assert (
        rule_of("signed", [_as_day(day + 30) if one else None for day, one in zip(DAYS, CAME, strict=True)]) == "later"
    )
    assert rule_of("seen first", [_as_day(day - 30) for day in DAYS]) is None


def test_an_amount_that_only_won_leads_have_is_refused() -> None:
    assert rule_of("volume", [str(500 + number % 90) if one else "0" for number, one in enumerate(CAME)]) in (
        "power",
        "pure",
    )


def test_one_value_that_leaves_no_doubt_is_refused_though_the_column_is_weak() -> None:
    pure = (CAME == 1) & (RANDOM.random(ROWS) < 0.2)
    values = ["Closed by partner" if one else str(RANDOM.choice(["x", "y"])) for one in pure]
    assert rule_of("note", values) in ("pure", "blanks")


@pytest.mark.parametrize(
    ("name", "texts"),
    [("Last Action", ["p", "q"]), ("最近动作", ["p", "q"]), ("step", ["Email Opened", "SMS Sent"])],
)
def test_names_and_values_that_speak_of_later_lower_the_limit_but_refuse_nothing_alone(
    name: str, texts: list[str]
) -> None:
    def told(strength: float) -> list[str]:
        return [texts[int(one)] for one in RANDOM.random(ROWS) < np.where(CAME == 1, 0.5 + strength, 0.5 - strength)]

    assert rule_of(name, told(0.17)) == "hinted"
    assert (
        rule_of(
            "region",
            [text.replace("Email ", "").replace("Opened", "N").replace("SMS Sent", "S") for text in told(0.17)],
        )
        is None
    )
    assert rule_of(name, told(0.0)) is None


def test_what_says_the_same_as_a_refused_column_is_refused_too() -> None:
    levels = np.array(["e", "f", "g", "h", "i", "j"])
    strong = levels[np.where(CAME == 1, RANDOM.integers(2, 6, ROWS), RANDOM.integers(0, 4, ROWS))]
    weak = np.where(RANDOM.random(ROWS) < 0.6, strong, RANDOM.choice(levels, ROWS))
    found = find_leaks(
        [column("one", strong.tolist()), column("two", weak.tolist())],
        Rows.of(CAME.astype(float), DAYS),
        policy().guard,
    )
    assert {one.column: one.rule for one in found} == {"one": "power", "two": "copy"}


@pytest.mark.parametrize("name", ["source", "minutes", "visits", "noise"])
def test_what_was_known_before_is_kept_however_strong(name: str) -> None:
    assert rule_of(name, COLUMNS[name]) is None


def test_a_field_that_came_with_a_better_year_is_no_leak() -> None:
    """Blanks in one half and outcomes in the other: drift, not knowledge of the outcome."""
    came = (RANDOM.random(ROWS) < np.where(np.arange(ROWS) < ROWS // 2, 0.05, 0.4)).astype(float)
    field = column("page", [None if at < ROWS // 2 else RANDOM.choice(["u", "v"]) for at in range(ROWS)])
    assert find_leaks([field], Rows.of(came, DAYS), policy().guard) == []


def test_ids_constants_and_blank_columns_are_dropped_with_their_reason() -> None:
    columns = [
        column("id", [f"x{number}" for number in range(100)]),
        column("number", [str(number) for number in range(100)]),
        column("same", ["A"] * 100),
        column("none", [None] * 100),
        column("size", [str(number % 40) for number in range(100)]),
    ]
    assert {one.column: one.rule for one in find_useless(columns)} == {
        "id": "own", "number": "own", "same": "constant", "none": "blank",
    }  # fmt: skip
