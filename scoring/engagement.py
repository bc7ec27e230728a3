"""A subject's engagement at any line of its log: what it had earned by then, faded to a given day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PLACES = 10_000  # points are kept to four decimals, as in scored.event_points
DAYS_PER_MONTH = 30


@dataclass(frozen=True)
class Log:
    """Score lines in the order of subject, time and event id; one array element per line.

    `subject` numbers from 0, rising; `day` in days since 1970, rising within a subject; `points` capped; the three ways
    of fading are NaN where a line does not use them.
    """

    subject: Ints
    day: Ints
    points: Floats
    half_life_days: Floats
    percent_per_month: Floats
    window_days: Floats


class RunningScores:
    """Answers: the score of a line's subject, counting its lines up to and with that one, on that day or later."""

    def __init__(self, log: Log) -> None:
        self._log = log
        size = len(log.subject)
        starts = np.flatnonzero(np.r_[True, log.subject[1:] != log.subject[:-1]]) if size else np.zeros(0, np.int64)
        self._start: Ints = np.repeat(starts, np.diff(np.r_[starts, size])) if size else np.zeros(0, np.int64)
        self._halving = [(life, self._faded_sums(life)) for life in _kinds(log.half_life_days)]
        self._first_day = int(log.day.min()) if size else 0
        self._span = int(log.day.max()) - self._first_day + 2 if size else 1
        self._key: Ints = log.subject * self._span + (log.day - self._first_day)

    def day(self, lines: Ints) -> Ints:
        """The day of each line."""
        return np.asarray(self._log.day[lines])

    def at(self, lines: Ints, days: Ints) -> Floats:
        """The score at each (line, day), to four decimals. A line of -1 means before any: 0 points."""
        known = lines >= 0
        score = np.zeros(len(lines))
        score[known] = self._at(lines[known], days[known])
        return np.asarray(np.round(score, 4))

    def _at(self, lines: Ints, days: Ints) -> Floats:
        log, score = self._log, np.zeros(len(lines))
        for life, sums in self._halving:
            score += sums[lines] * np.exp2(-(days - log.day[self._start[lines]]) / life)
        for percent in _kinds(log.percent_per_month):
            score += self._linear(lines, days, percent)
        for window in _kinds(log.window_days):
            score += self._in_window(lines, days, log.window_days == window, int(window))
        steady = np.isnan(log.half_life_days) & np.isnan(log.percent_per_month) & np.isnan(log.window_days)
        if steady.any():
            score += self._in_window(lines, days, steady, None)
        return score

    def _faded_sums(self, life: float) -> Floats:
        """Running sums per subject of points × 2^(days since its first line / half-life): fading is a division."""
        log = self._log
        grown = np.exp2((log.day - log.day[self._start]) / life) * log.points
        own = np.where(log.half_life_days == life, grown, 0.0)
        return np.asarray(pd.Series(own).groupby(log.subject).cumsum(), dtype=np.float64)

    def _first_since(self, lines: Ints, days: Ints, length: int | None) -> Ints:
        """The first line of the subject that is less than `length` days old on that day."""
        if length is None:
            return np.asarray(self._start[lines])
        from_day = np.clip(days - length + 1 - self._first_day, 0, self._span - 1)
        found = np.searchsorted(self._key, self._log.subject[lines] * self._span + from_day)
        return np.asarray(np.minimum(np.maximum(found, self._start[lines]), lines + 1))

    def _in_window(self, lines: Ints, days: Ints, mask: Flags, length: int | None) -> Floats:
        """Points of the last `length` days that do not fade within them; whole numbers, so differences are exact."""
        sums = np.r_[0, np.cumsum(np.where(mask, np.rint(self._log.points * PLACES), 0).astype(np.int64))]
        return np.asarray((sums[lines + 1] - sums[self._first_since(lines, days, length)]) / PLACES)

    def _linear(self, lines: Ints, days: Ints, percent: float) -> Floats:
        """Points that lose a fixed share of their first value a month, until nothing is left."""
        log = self._log
        whole = np.where(log.percent_per_month == percent, np.rint(log.points * PLACES), 0).astype(np.int64)
        since = log.day - self._first_day
        first = self._first_since(lines, days, int(np.ceil(100 / percent * DAYS_PER_MONTH)))
        sums, dated = np.r_[0, np.cumsum(whole)], np.r_[0, np.cumsum(whole * since)]
        points = sums[lines + 1] - sums[first]
        ages = (days - self._first_day) * points - (dated[lines + 1] - dated[first])
        return np.asarray((points - percent / 100 * ages / DAYS_PER_MONTH) / PLACES)


def _kinds(column: Floats) -> list[float]:
    return [float(value) for value in np.unique(column[~np.isnan(column)])]


def first_day_below(scores: RunningScores, lines: Ints, until: Ints, spent: Ints, bars: Floats) -> Ints:
    """The first day from each line's own to `until` on which its score, less that of line `spent`, is below its bar.

    The caller knows that it is below on `until`. Found by halving, which takes the score as falling in between: so it
    is, unless negative points fade more slowly than the others.
    """
    low, high = scores.day(lines) - 1, until.copy()
    while (high - low > 1).any():
        middle = (low + high) // 2
        below = scores.at(lines, middle) - scores.at(spent, middle) < bars
        low, high = np.where(below, low, middle), np.where(below, middle, high)
        low = np.minimum(low, high - 1)
    return np.asarray(high)
