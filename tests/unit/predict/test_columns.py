"""Reading any table's columns: what is blank, what is a number, a day, a value; what the outcome is; the order."""

import numpy as np
import pyarrow as pa
import pytest

from abmloop.errors import BadUsage
from scoring.predict.columns import blank_words
from scoring.predict.outcome import read_order, read_outcome
from tests.unit.predict.worlds import column, policy, table


def test_every_writing_of_nothing_is_blank_and_counted() -> None:
    found = column("city", ["Oslo", "Select", " select ", "空", "N/A", "-", "未知", "请选择", None, "", "oslo"])
    assert found.is_blank.tolist() == [False, *[True] * 9, False]
    assert dict(found.markers) == {"Select": 1, "select": 1, "空": 1, "N/A": 1, "-": 1, "未知": 1, "请选择": 1}
    assert found.keys == ("oslo",) and found.distinct == 1


def test_numbers_in_the_writings_of_people_are_numbers_and_zero_is_none_of_the_blanks() -> None:
    found = column("amount", ["1,200", "￥300", " 0 ", "12%", "１５", "-3.5", None])
    assert found.kind == "number"
    assert found.numbers[:6].tolist() == [1200.0, 300.0, 0.0, 12.0, 15.0, -3.5] and np.isnan(found.numbers[6])


@pytest.mark.parametrize(
    "texts", [["2026-03-25", "2026/3/26"], ["3/25/2026", "3/26/2026"], ["25.03.2026", "26.03.2026"]]
)
def test_days_are_read_in_the_order_in_which_they_can_be_days(texts: list[str]) -> None:
    found = column("created", texts)
    assert found.kind == "day" and np.diff(found.numbers).tolist() == [1.0]


@pytest.mark.parametrize(
    ("writings", "expected"),
    [
        (["1", "0", None], [1, 0, np.nan]),
        (["Yes", "no", "YES"], [1, 0, 1]),
        (["是", "否", ""], [1, 0, np.nan]),
        (["Won", "Lost", "Prospecting"], [1, 0, np.nan]),
        (["赢单", "输单", "跟进中"], [1, 0, np.nan]),
        (["won", "still talking", "won"], [1, 0, 1]),
    ],
)
def test_an_outcome_is_two_values_of_any_writing_and_the_rest_is_open(
    writings: list[str | None], expected: list[float]
) -> None:
    found = read_outcome("y", pa.chunked_array([pa.array(writings, pa.string())]), policy().outcomes)
    assert np.array_equal(found.values, expected, equal_nan=True)


def test_two_unknown_words_are_asked_about_and_taken_as_named() -> None:
    cells = pa.chunked_array([pa.array(["blue", "green", "blue"])])
    with pytest.raises(BadUsage, match="--positive blue"):
        read_outcome("y", cells, policy().outcomes)
    assert read_outcome("y", cells, policy().outcomes, "Green").values.tolist() == [0, 1, 0]


def test_the_order_is_time_else_running_ids_else_chance_whatever_the_order_of_the_file() -> None:
    blanks = blank_words(())
    rows = {"no": ["3", "2", "1"], "text": ["a", "b", "c"]}
    raw = table(rows)
    columns = [column(name, values) for name, values in rows.items()]
    running = read_order(columns, raw, None, None, blanks)
    assert (running.by, running.column, running.place.tolist()) == ("found_id", "no", [2, 1, 0])
    by_chance = read_order([columns[1]], raw.select(["text"]), None, None, blanks)
    turned = read_order([columns[1]], raw.select(["text"]).take(pa.array([2, 0, 1])), None, None, blanks)
    assert by_chance.by == "chance"
    texts = np.array(rows["text"])
    assert texts[by_chance.place].tolist() == texts[[2, 0, 1]][turned.place].tolist()
