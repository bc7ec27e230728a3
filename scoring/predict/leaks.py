"""The leak guard: columns known only after the outcome, found by time, by blanks and by what they alone tell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoring.policies.predict import Guard
from scoring.predict.columns import Column
from scoring.predict.measures import Z95, auc, auc_error, auc_within

Numbers = Any  # a NumPy array
_FOLDS, _PRIOR_ROWS = 5, 10
_QUANTILES = 20
_BLOCKS, _BLOCK_ROWS = 8, 150
_COMMON_SHARE = 0.05  # a number as frequent as that is looked at as a value of its own
_LEAST_LEVELS = 5  # lists of fewer values are equal by chance
_OWN_SHARE = 0.5  # more different values than that share of the rows: an id, or free text
_LATER_DAYS = 1.0  # days are told without their hours
_LEAST_LATER = 10


@dataclass(frozen=True)
class Refusal:
    """Why a column is not used: `rule` (message `predict.refused.<rule>`), its figures, and whether it is a leak."""

    column: str
    rule: str
    is_leak: bool
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """What is known of the rows, oldest first: outcome (0, 1), stretch of time, day (NaN where unknown)."""

    outcome: Numbers
    block: Numbers
    day: Numbers

    @classmethod
    def of(cls, outcome: Numbers, day: Numbers | None) -> "Rows":
        """The rows, cut into stretches of equal count."""
        count = len(outcome)
        blocks = max(1, min(_BLOCKS, count // _BLOCK_ROWS))
        days = np.full(count, np.nan) if day is None else day
        return cls(outcome, np.arange(count) * blocks // max(count, 1), days)

    @property
    def usual(self) -> Numbers:
        """The share that became in each row's stretch of time."""
        came = np.bincount(self.block, self.outcome)
        return (came / np.bincount(self.block))[self.block]


def find_useless(columns: Sequence[Column]) -> list[Refusal]:
    """Columns that say nothing of other rows: blank, the same everywhere, or each row its own (an id, free text)."""
    found = []
    for column in columns:
        filled = int((~column.is_blank).sum())
        if not filled:
            found.append(Refusal(column.name, "blank", is_leak=False))
        elif column.distinct == 1 and filled == len(column.is_blank):
            found.append(Refusal(column.name, "constant", is_leak=False))
        elif _is_own(column, filled):
            share = column.distinct / filled
            found.append(Refusal(column.name, "own", is_leak=False, figures={"share": share}))
    return found


def _is_own(column: Column, filled: int) -> bool:
    """Values of which most stand once; whole numbers that never repeat are numbers given out one by one."""
    if column.kind == "value":
        return column.distinct > _OWN_SHARE * filled and column.distinct > _QUANTILES
    if column.kind == "day":
        return False
    numbers = column.numbers[~column.is_blank]
    return column.distinct == filled > _QUANTILES and bool((numbers == np.round(numbers)).all())


def find_leaks(columns: Sequence[Column], rows: Rows, guard: Guard) -> list[Refusal]:
    """Columns that look as if they were known only after the outcome, each with the first reason that holds.

    By time: days after the row's own. By single-column power: the AUC of the column alone, cross-fitted, or a value
    that leaves no doubt. By blanks: whether the cell is filled tells the outcome. A name or values that speak of what
    happened later lower the limits, and refuse nothing by themselves. Last: what says the same as a refused column.
    All are measured within stretches of time, at the lower end of the 95 % interval.
    """
    found = {column.name: reason for column in columns if (reason := _first_reason(column, rows, guard))}
    refused = [column for column in columns if column.name in found]
    for column in columns:
        if column.name not in found and (twin := _twin(column, refused, guard)):
            found[column.name] = Refusal(column.name, "copy", is_leak=True, figures={"other": twin})
    return [found[column.name] for column in columns if column.name in found]


def _first_reason(column: Column, rows: Rows, guard: Guard) -> Refusal | None:
    later = _later(column, rows, guard)
    if later:
        return later
    hint = _name_hint(column.name, guard) or _value_hint(column, guard)
    level = _levels(column)
    score = _cross_fitted(level, rows.outcome)
    power, low = _auc_with_low(rows, score)
    limit = guard.number_auc if column.kind == "number" and column.distinct > 2 else guard.value_auc
    figures: dict[str, Any] = {"auc": power, "hint": hint or ""}
    if low >= limit:
        return Refusal(column.name, "power", is_leak=True, figures={**figures, "limit": limit})
    pure = _pure(column, level, rows, guard)
    if pure:
        return Refusal(column.name, "pure", is_leak=True, figures={**figures, **pure})
    blanks = _blank_reason(column, rows, guard, hint)
    if blanks:
        return blanks
    if hint and low >= guard.hinted_auc:
        return Refusal(column.name, "hinted", is_leak=True, figures={**figures, "limit": guard.hinted_auc})
    return None


def _later(column: Column, rows: Rows, guard: Guard) -> Refusal | None:
    if column.kind != "day":
        return None
    later = np.nan_to_num(column.numbers - rows.day, nan=0.0) > _LATER_DAYS
    share = float(later.sum()) / max(int((~column.is_blank).sum()), 1)
    if later.sum() < _LEAST_LATER or share < guard.later_share:
        return None
    return Refusal(column.name, "later", is_leak=True, figures={"share": share})


def _blank_reason(column: Column, rows: Rows, guard: Guard, hint: str | None) -> Refusal | None:
    blank = column.is_blank
    if not blank.any() or blank.all():
        return None
    power, low = _auc_with_low(rows, np.where(blank, 0.0, 1.0))
    if low < (guard.hinted_blank_auc if hint else guard.blank_auc):
        return None
    shares = {"blank": float(rows.outcome[blank].mean()), "filled": float(rows.outcome[~blank].mean())}
    return Refusal(column.name, "blanks", is_leak=True, figures={"auc": power, **shares})


def _auc_with_low(rows: Rows, score: Numbers) -> tuple[float, float]:
    """(the AUC within stretches of time, either way up, the lower end of its 95 % interval)."""
    power = auc_within(rows.outcome, score, rows.block)
    power = max(power, 1 - power)
    came = int(rows.outcome.sum())
    return power, power - Z95 * auc_error(power, came, len(rows.outcome) - came)


def _levels(column: Column) -> Numbers:
    """The number of each cell's value, 0 where blank; numbers in groups of equal count."""
    if column.kind == "value":
        return column.codes + 1
    blank = column.is_blank
    if blank.all():
        return np.zeros(len(blank), np.int64)
    edges = np.unique(np.quantile(column.numbers[~blank], np.linspace(0, 1, _QUANTILES + 1)[1:-1], method="lower"))
    return np.where(blank, 0, 1 + np.searchsorted(edges, np.nan_to_num(column.numbers), side="left"))


def _cross_fitted(level: Numbers, outcome: Numbers) -> Numbers:
    """The share that became among the other rows of the same value, held by the share of all."""
    fold = np.arange(len(level)) % _FOLDS
    size, base = int(level.max()) + 1, float(outcome.mean())
    score = np.empty(len(level))
    for number in range(_FOLDS):
        here = fold == number
        rows = np.bincount(level[~here], minlength=size)
        came = np.bincount(level[~here], outcome[~here], minlength=size)
        score[here] = ((came + _PRIOR_ROWS * base) / (rows + _PRIOR_ROWS))[level[here]]
    return score


def _pure(column: Column, level: Numbers, rows: Rows, guard: Guard) -> dict[str, Any] | None:
    """The value that leaves no doubt, if there is one: its rows and their share, against the usual of their time."""
    groups = [(_shown_level(column, int(number)), level == number) for number in _common(level, guard.pure_rows)]
    if column.kind != "value":
        groups = [group for group in groups if group[1] is not None and group[0] == ""]
        groups += [(f"{value:g}", column.numbers == value) for value in _common_numbers(column)]
    if column.is_blank.any():
        groups.append(("*", ~column.is_blank))
    for shown, here in groups:
        count = int(here.sum())
        if count < guard.pure_rows:
            continue
        came = float(rows.outcome[here].mean())
        usual = float(np.clip(rows.usual[here].mean(), 1e-4, 1 - 1e-4))
        sure = max(came, 1 - came)
        low = _wilson_low(sure, count)
        expected = usual if came > 0.5 else 1 - usual
        odds = (low / (1 - low)) / (expected / (1 - expected))
        kind = rows.outcome == (1.0 if came > 0.5 else 0.0)
        caught = float((here & kind).sum()) / max(int(kind.sum()), 1)
        if sure >= guard.pure_share and caught >= guard.pure_caught and odds >= guard.pure_odds:
            return {"value": shown, "rows": count, "share": came}
    return None


def _common(level: Numbers, least: int) -> Numbers:
    return np.flatnonzero(np.bincount(level) >= least)


def _shown_level(column: Column, number: int) -> str:
    """The value as written; empty for blank."""
    return column.levels[number - 1] if number and column.kind == "value" else "" if not number else "number"


def _common_numbers(column: Column) -> list[float]:
    values, counts = np.unique(column.numbers[~column.is_blank], return_counts=True)
    return [float(value) for value in values[counts >= _COMMON_SHARE * len(column.is_blank)]]


def _wilson_low(share: float, count: int) -> float:
    """Lower end of the 95 % interval of a share (Wilson 1927)."""
    z2 = Z95 * Z95
    middle = share + z2 / (2 * count)
    spread = Z95 * np.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    return float((middle - spread) / (1 + z2 / count))


def _name_hint(name: str, guard: Guard) -> str | None:
    """The word in a column's name that speaks of what came later."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
    for hint in guard.name_hints:
        if hint in words or (not hint.isascii() and hint in name):
            return hint
    return None


def _value_hint(column: Column, guard: Guard) -> str | None:
    """The commonest of a column's values that speaks of what happened to the lead, if most of them do."""
    if column.kind != "value" or not len(column.levels):
        return None
    rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    latin = "|".join(re.escape(hint) for hint in guard.value_hints if hint.isascii())
    other = "|".join(re.escape(hint) for hint in guard.value_hints if not hint.isascii())
    pattern = re.compile(rf"\b(?:{latin or '$^'})\b|{other or '$^'}")
    told = np.array([bool(pattern.search(level.lower())) for level in column.levels])
    if not told.any() or rows[told].sum() < guard.hinted_values_share * rows.sum():
        return None
    return column.levels[int(np.flatnonzero(told)[0])]


def _twin(column: Column, refused: Sequence[Column], guard: Guard) -> str | None:
    """The refused column that says the same in most rows."""
    if column.kind != "value" or len(column.levels) < _LEAST_LEVELS:
        return None
    for other in refused:
        if other.kind != "value" or len(other.levels) < _LEAST_LEVELS:
            continue
        number = {key: place for place, key in enumerate(other.keys)}
        mine = np.array([*(number.get(key, -2) for key in column.keys), -3])[column.codes]
        both = ~column.is_blank & ~other.is_blank
        if both.any() and (mine == other.codes)[both].mean() >= guard.same_share:
            return other.name
    return None


__all__ = ["Refusal", "Rows", "auc", "find_leaks", "find_useless"]
