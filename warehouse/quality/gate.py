"""Asking a Great Expectations suite about a small metrics frame: one row per file, table or rule.

The heavy counting is done in SQL; the suite judges the counts. So a gate costs the same whatever the number of rows.
Every expectation of our suites judges a row by its own figures. So figures that a suite has passed once pass it for
good, and a day that brings no new ones neither asks nor imports the library: that takes longer than a small sync.
"""

import functools
import hashlib
import importlib
import json
import logging
import os
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abmloop.errors import AbmError
from abmloop.messages import said

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent
INDEX = "subject"


@dataclass(frozen=True)
class Answer:
    """What one expectation found. `failing`: the subjects (file, table, rule) that broke it, with the value found.

    `code` names what must hold, for the message catalogue.
    """

    door: str
    code: str
    column: str
    expected: str
    success: bool
    failing: tuple[tuple[str, str], ...]


@functools.cache
def _library() -> tuple[Any, float]:
    """Great Expectations and the seconds its import took: it takes longer than any question we ask."""
    started = time.perf_counter()
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations

    # Its news about temporary folders are none to a user.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    return great_expectations, time.perf_counter() - started


def import_seconds() -> float:
    """How long the library's import took in this process (it is imported if it was not yet)."""
    return _library()[1]


def import_in_background() -> None:
    """Begin the import while other work goes on; the gate waits for it if it must."""
    # What both sides import and whose modules import each other comes first: two threads inside such a circle are each
    # handed the other's half-made module.
    importlib.import_module("sqlalchemy.orm")
    threading.Thread(target=_library, name="great-expectations", daemon=True).start()


def read_suite(door: str) -> dict[str, Any]:
    """The suite's JSON."""
    return dict(json.loads((FOLDER / f"{door}.json").read_text(encoding="utf-8")))


# What this process has asked already, in whatever workspace: an answer depends on nothing but what is hashed.
_PASSED: set[str] = set()


def figure_hashes(door: str, metrics: "pd.DataFrame", parameters: dict[str, Any] | None = None) -> list[str]:
    """Per row of the frame a hash of its figures, of the suite and its parameters, and of the library's version."""
    asked = (read_suite(door), parameters or {}, version("great_expectations"))
    start = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    figures = metrics.drop(columns=INDEX).sort_index(axis="columns")
    hashes = []
    for row in figures.itertuples(index=False):
        whole = start.copy()
        whole.update(repr([*zip(figures.columns, map(str, row), strict=True)]).encode())
        hashes.append(whole.hexdigest()[:32])
    return hashes


def ask(
    door: str, metrics: "pd.DataFrame", parameters: dict[str, Any] | None = None, passed: Collection[str] = ()
) -> list[Answer]:
    """Ask the suite of a door about a metrics frame (index column `subject`); one answer per expectation.

    Rows with figures that the suite is known to pass (`passed`, see `figure_hashes`) are not asked about again.
    An expectation that cannot be computed (a column missing) raises AbmError: it is a defect, never a pass.
    """
    hashes = figure_hashes(door, metrics, parameters)
    is_new = [each not in _PASSED and each not in passed for each in hashes]
    if not any(is_new):
        return [_passing(door, each, metrics, parameters or {}) for each in read_suite(door)["expectations"]]
    answers = _asked(door, metrics[is_new], parameters or {})
    if all(answer.success for answer in answers):
        _PASSED.update(hashes)
    return answers


def _asked(door: str, metrics: "pd.DataFrame", parameters: dict[str, Any]) -> list[Answer]:
    library, _ = _library()
    declared = read_suite(door)
    context = library.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = library.ExpectationSuite(name=door, expectations=declared["expectations"])
    batch = (
        context.data_sources.add_pandas(door)
        .add_dataframe_asset("metrics")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": metrics})
    )
    result = batch.validate(
        suite,
        expectation_parameters=parameters,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [INDEX],
            "return_unexpected_index_query": False,
        },
    )
    return [_answer(door, found) for found in result.results]


def _passing(door: str, declared: dict[str, Any], metrics: "pd.DataFrame", parameters: dict[str, Any]) -> Answer:
    """The answer of an expectation that no row breaks."""
    column = str(declared["kwargs"]["column"])
    if column not in metrics.columns:
        raise AbmError(said("gate_no_column", door=door, type=declared["type"], column=column))
    given = {
        key: parameters[value["$PARAMETER"]] if isinstance(value, dict) else value
        for key, value in declared["kwargs"].items()
        if key != "column"
    }
    return Answer(
        door=door,
        code=str(declared["meta"]["code"]),
        column=column,
        expected=_expected(given),
        success=True,
        failing=(),
    )


def _expected(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(arguments.items()))


def _figure(value: Any) -> str:
    return str(round(value, 4) if isinstance(value, float) else value)


def _answer(door: str, found: Any) -> Answer:
    configuration = found.expectation_config
    if found.exception_info and found.exception_info.get("raised_exception"):
        problem = found.exception_info["exception_message"]
        raise AbmError(said("gate_no_answer", door=door, type=configuration.type, problem=problem))
    arguments = dict(configuration.kwargs)
    arguments.pop("batch_id", None)
    column = str(arguments.pop("column", ""))
    failing = tuple(
        (str(row[INDEX]), _figure(row.get(column))) for row in found.result.get("unexpected_index_list") or []
    )
    return Answer(
        door=door,
        code=str(configuration.meta["code"]),
        column=column,
        expected=_expected(arguments),
        success=bool(found.success),
        failing=failing,
    )
