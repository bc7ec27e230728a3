"""Running scores against a plain sum over the log."""

import numpy as np
import pytest

from scoring.engagement import Log, RunningScores, first_day_below


def _log(rows: list[tuple[int, int, float, str, float]]) -> Log:
    """Rows of (subject, day, points, way of fading, its number)."""
    ways = {way: np.array([number if name == way else np.nan for *_, name, number in rows]) for way in ("h", "p", "w")}
    subject, day = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    return Log(subject, day, np.array([row[2] for row in rows]), ways["h"], ways["p"], ways["w"])


def _faded(row: tuple[int, int, float, str, float], day: int) -> float:
    _, then, points, way, number = row
    age = day - then
    if way == "h":
        return points * 0.5 ** (age / number)
    if way == "p":
        return points * max(0.0, 1 - number / 100 * age / 30)
    return points if way == "" or age < number else 0.0


def _random_rows(seed: int) -> list[tuple[int, int, float, str, float]]:
    draw = np.random.default_rng(seed)
    ways = [("h", 30.0), ("h", 7.0), ("p", 20.0), ("p", 33.0), ("w", 10.0), ("w", 90.0), ("", np.nan)]
    rows = [
        (int(subject), int(day), float(points), *ways[int(way)])
        for subject, day, points, way in zip(
            draw.integers(0, 5, 200),
            draw.integers(20_000, 20_400, 200),
            draw.integers(-30, 50, 200),
            draw.integers(0, len(ways), 200),
            strict=True,
        )
    ]
    return sorted(rows, key=lambda row: row[:2])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_running_score_is_the_faded_sum_of_the_lines_so_far(seed: int) -> None:
    rows = _random_rows(seed)
    scores = RunningScores(_log(rows))
    lines = np.arange(len(rows))
    for later in (0, 1, 9, 10, 30, 151, 400):
        days = np.array([row[1] for row in rows]) + later
        expected = [
            sum(_faded(row, days[n]) for row in rows[: n + 1] if row[0] == rows[n][0]) for n in range(len(rows))
        ]
        assert scores.at(lines, days) == pytest.approx(expected, abs=1e-3)


def test_ten_years_of_short_half_lives_keep_their_precision() -> None:
    rows = [(0, 20_000 + day, 10.0, "h", 7.0) for day in range(0, 3650, 5)]
    scores = RunningScores(_log(rows))
    last = np.array([len(rows) - 1])
    expected = sum(_faded(row, rows[-1][1]) for row in rows)
    assert scores.at(last, np.array([rows[-1][1]]))[0] == pytest.approx(expected, abs=1e-3)


def test_before_any_line_the_score_is_nothing() -> None:
    scores = RunningScores(_log([(0, 20_000, 10.0, "h", 7.0)]))
    assert scores.at(np.array([-1]), np.array([20_005])).tolist() == [0.0]


def test_first_day_below_is_the_first_one() -> None:
    rows = [(0, 20_000, 40.0, "h", 30.0)]
    scores = RunningScores(_log(rows))
    none = np.array([-1])
    day = first_day_below(scores, np.array([0]), np.array([20_300]), none, np.array([10.0]))[0]
    assert scores.at(np.array([0]), np.array([day]))[0] < 10.0
    assert scores.at(np.array([0]), np.array([day - 1]))[0] >= 10.0
