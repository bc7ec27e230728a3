"""Learning from any table, and scoring any table, without a workspace."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from abmloop.errors import BadUsage
from abmloop.messages import LANGUAGES, said, say
from abmloop.policy import parse_policy
from scoring.policies.predict import PredictPolicy
from scoring.policies.sources import SourcesPolicy
from scoring.predict.columns import blank_words
from scoring.predict.measures import stability_index
from scoring.predict.model import PredictModel, load_model, save_model
from scoring.predict.reasons import top_reasons
from scoring.predict.train import Asked, count_between, train
from tasks.land.any_table import TABLE
from tasks.land.faults import Refused
from tasks.land.plans import job_for
from tasks.land.sandbox import Sandbox
from tasks.outbound.csv_out import is_formula
from tasks.policies import DEFAULTS
from tasks.predict.telling import tell_model

ANOTHER_POPULATION = 0.25  # PSI from which on rows are taken for another population than those learnt from


def default_policy() -> PredictPolicy:
    """The rules that ship."""
    return parse_policy((DEFAULTS / PredictPolicy.file_name).read_text(encoding="utf-8"), PredictPolicy)


def read_any(path: Path) -> pa.Table:
    """All columns of a CSV, XLSX or Parquet file as text. Raises BadUsage where it is not there or not readable."""
    if not path.is_file():
        raise BadUsage(said("file_none", path=path))
    rules = parse_policy((DEFAULTS / SourcesPolicy.file_name).read_text(encoding="utf-8"), SourcesPolicy)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        try:
            sandbox.any_table(job_for(rules, path.name, (str(path.resolve()), folder), ()))
        except Refused as refusal:
            raise BadUsage(said("file_problem", file=path.name, problem=refusal.message)) from refusal
        return pq.read_table(Path(folder) / TABLE)


def train_table(path: Path, asked: Asked, out: Path) -> PredictModel:
    """Learn from a table and write the model with its report in both languages.

    Raises BadUsage for a file, column or folder that will not do.
    """
    return write_model(train(read_any(path), asked, default_policy()), out)


def write_model(model: PredictModel, out: Path) -> PredictModel:
    """Write a model with its report in both languages."""
    save_model(model, out)
    for language in LANGUAGES:
        (out / f"report.{language}.md").write_text(tell_model(model, language), encoding="utf-8")
    return model


def score_table(
    path: Path, folder: Path, out: Path, language: str = "en", id_column: str | None = None
) -> dict[str, Any]:
    """Score every row of a table: id, probability, points, reasons; in the order of the file.

    Without an id column, in the model or given, a row's number stands for it. Gives a summary: rows, mean probability,
    the model's state, and the columns in which these rows differ much from those learnt from. Raises BadUsage.
    """
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise BadUsage(said("predict_out_ending", out=out))
    model = load_model(folder)
    raw = read_any(path)
    columns = model.read(raw, blank_words(default_policy().blanks))
    told = model.say(columns) if columns else model.say_nothing(raw.num_rows)
    if model.state == "ready":
        reasons = top_reasons(columns, told.added, language)
    else:
        reasons = [say("predict.no_reason", language)] * raw.num_rows
    scores = pa.table(
        {
            "id": _ids(raw, id_column or model.card["id"]),
            "probability": np.round(told.probability, 6),
            "points": told.points,
            "reasons": pa.array(reasons, pa.string()),
        }
    )
    _write(scores, out)
    return {
        "rows": raw.num_rows,
        "mean_probability": round(float(told.probability.mean()), 4) if raw.num_rows else 0.0,
        "state": model.state,
        "drifted": [name for name, index in drift(model, columns, told.probability) if index > ANOTHER_POPULATION],
        "out": str(out),
    }


def drift(model: PredictModel, columns: list[Any], said: np.ndarray[Any, Any]) -> list[tuple[str, float]]:
    """(column, PSI) against the rows learnt from, and last the probabilities under the name `probability`."""
    if model.state != "ready":
        return []
    profile = model.card["profile"]
    found = [
        (bins.column, _index(profile["inputs"][bins.column], np.bincount(place, minlength=bins.count)))
        for bins, place in zip(model.scorecard.bins, model.places(columns), strict=True)
    ]
    return [*found, ("probability", _index(profile["outputs"], np.array(count_between(profile["edges"], said))))]


def _index(before: list[int], after: np.ndarray[Any, Any]) -> float:
    return round(stability_index(np.array(before, float), after.astype(float)), 4)


def _ids(raw: pa.Table, name: str | None) -> pa.Array:
    if name is not None and name in raw.column_names:
        return raw[name].combine_chunks()
    if name is not None:
        raise BadUsage(said("predict.no_such_id", name=name, known=", ".join(raw.column_names)))
    return pa.array([str(number) for number in range(1, raw.num_rows + 1)])


def _write(scores: pa.Table, out: Path) -> None:
    """CSV whose cells no spreadsheet runs as a formula, or Parquet."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".parquet":
        pq.write_table(scores, out)
        return
    for place, name in enumerate(("id", "probability", "points", "reasons")):
        if pa.types.is_string(scores[name].type):
            texts = [text if text is None or not is_formula(text) else f"'{text}" for text in scores[name].to_pylist()]
            scores = scores.set_column(place, name, pa.array(texts, pa.string()))
    pa_csv.write_csv(scores, out, write_options=pa_csv.WriteOptions(quoting_style="needed"))
