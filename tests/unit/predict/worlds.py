"""Invented leads whose outcome follows from what was known before it, with leaks of every kind to add."""

from typing import Any

import numpy as np
import pyarrow as pa

from abmloop.policy import parse_policy
from scoring.policies.predict import PredictPolicy
from scoring.predict.columns import Column, blank_words, read_column
from tasks.policies import DEFAULTS

Numbers = Any
SOURCES = np.array(["Webinar", "Search", "Referral", "Trade Show", "Ads"])
LIFT = np.array([0.0, 0.4, 1.6, -0.3, -1.2])


def policy(**history: Any) -> PredictPolicy:
    """The rules that ship with fewer and quicker trees, history changed."""
    rules = parse_policy((DEFAULTS / PredictPolicy.file_name).read_text(encoding="utf-8"), PredictPolicy)
    learning = rules.learning.model_copy(update={"trees": 60, "rate": 0.1})
    return rules.model_copy(update={"history": rules.history.model_copy(update=history), "learning": learning})


def draw(rows: int = 1600, seed: int = 7, signal: float = 1.0) -> tuple[dict[str, list[Any]], Numbers]:
    """(columns, outcome) of leads in the order in which they came; `signal` 0 makes the outcome chance."""
    random = np.random.default_rng(seed)
    source = random.integers(0, len(SOURCES), rows)
    minutes = np.round(random.gamma(1.2, 12, rows), 1)
    visits = random.poisson(3, rows).astype(float)
    no_visits = random.random(rows) < 0.15
    odds = -1.2 + signal * (LIFT[source] + 0.06 * (minutes - 14) - 0.9 * no_visits)
    came = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    day = np.datetime64("2025-01-01") + np.sort(random.integers(0, 400, rows))
    columns = {
        "lead": [f"L{number:06}" for number in random.permutation(rows)],
        "created": [str(one) for one in day],
        "source": SOURCES[source].tolist(),
        "minutes": [f"{one:g}" for one in minutes],
        "visits": [None if none else f"{one:g}" for none, one in zip(no_visits, visits, strict=True)],
        "noise": random.choice(["a", "b", "c"], rows).tolist(),
        "came": ["是" if one else "否" for one in came],
    }
    return columns, came


def table(columns: dict[str, list[Any]]) -> pa.Table:
    """As read from a file: all text."""
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def column(name: str, values: list[Any]) -> Column:
    """One column as the predictive score reads it."""
    cells = pa.chunked_array([pa.array([None if one is None else str(one) for one in values], pa.string())])
    return read_column(name, cells, blank_words(policy().blanks))
