"""Asking a Great Expectations suite about a small metrics frame: one row per file, table or rule.

The heavy counting is done in SQL; the suite judges the counts. So a gate costs the same whatever the number of rows.
"""

import functools
import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abmloop.errors import AbmError

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
    threading.Thread(target=_library, name="great-expectations", daemon=True).start()


def read_suite(door: str) -> dict[str, Any]:
    """The suite's JSON."""
    return dict(json.loads((FOLDER / f"{door}.json").read_text(encoding="utf-8")))


def ask(door: str, metrics: "pd.DataFrame", parameters: dict[str, Any] | None = None) -> list[Answer]:
    """Ask the suite of a door about a metrics frame (index column `subject`); one answer per expectation.

    An expectation that cannot be computed (a column missing) raises AbmError: it is a defect, never a pass.
    """
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
        expectation_parameters=parameters or {},
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [INDEX],
            "return_unexpected_index_query": False,
        },
    )
    return [_answer(door, found) for found in result.results]


def _figure(value: Any) -> str:
    return str(round(value, 4) if isinstance(value, float) else value)


def _answer(door: str, found: Any) -> Answer:
    configuration = found.expectation_config
    if found.exception_info and found.exception_info.get("raised_exception"):
        raise AbmError(f"{door}: {configuration.type} could not be asked: {found.exception_info['exception_message']}")
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
        expected=", ".join(f"{key} {value}" for key, value in sorted(arguments.items())),
        success=bool(found.success),
        failing=failing,
    )
