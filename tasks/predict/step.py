"""The step `predict`: the probability of every open lead, beside its rule score, by the versions in use."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.run import Run, StepCounts
from scoring.policies.predict import Drift, PredictPolicy, TargetName
from scoring.predict.columns import blank_words
from scoring.predict.model import PredictModel, load_model
from scoring.predict.reasons import tell_reasons, top_columns
from tasks.policies import load_policy
from tasks.predict.history import OPEN_STAGES, TIME, as_text, open_rows, read_mqls
from tasks.predict.tables import drift
from tasks.predict.telling import fact_namer
from tasks.predict.versions import in_use, model_folder
from warehouse.steps import Work, step
from warehouse.tables import declared_tables

VIEWS = ("scored.mqls", "scored.mql_points")
_PREDICTIONS, _DRIFT = "scored.predictions", "scored.prediction_drift"


def predict(run: Run) -> StepCounts:
    """Say of every open MQL how likely it is to become an SQL and to be won; without a version in use, nothing.

    What is said follows from what was known when the lead became an MQL, and from the version in use alone.
    """
    policy = load_policy(run, PredictPolicy)
    with step(run, "predict") as work:
        work.build(*VIEWS)
        models = _models(work)
        mqls = read_mqls(work.con) if models else None
        predictions, drifts = [], []
        for target in OPEN_STAGES:
            if target not in models or mqls is None:
                continue
            rows = open_rows(mqls, target)
            predictions.append(_predictions(rows, target, models[target], run.language, policy))
            drifts.append(_drift(mqls, target, models[target], run, policy))
            work.count(**{f"leads_with_{target}_chance": rows.num_rows})
        work.replace(_PREDICTIONS, _together(_PREDICTIONS, predictions))
        work.replace(_DRIFT, _together(_DRIFT, drifts))
    return work.counts


def _models(work: Work) -> dict[TargetName, tuple[str, PredictModel]]:
    """Target → (name, model) of the versions in use; one whose folder is gone is counted, and predicts nothing."""
    found: dict[TargetName, tuple[str, PredictModel]] = {}
    used = in_use(work.ledger.read("decisions", work.run))
    for target in OPEN_STAGES:
        if target not in used:
            continue
        folder = model_folder(work.run.root, used[target])
        if folder.is_dir():
            found[target] = (used[target], load_model(folder))
        else:
            work.count(models_gone=1)
    return found


def _predictions(
    rows: pa.Table, target: TargetName, used: tuple[str, PredictModel], language: str, policy: PredictPolicy
) -> pa.Table:
    name, model = used
    columns = model.read(as_text(rows), blank_words(policy.blanks))
    said = model.say(columns)
    moved = top_columns(columns, said.added)
    return pa.table(
        {
            "lead_id": rows["lead_id"],
            "cycle": rows["cycle"],
            "target": pa.array([target] * rows.num_rows, pa.string()),
            "model": pa.array([name] * rows.num_rows, pa.string()),
            "mql_at": rows["mql_at"],
            "probability": np.round(said.probability, 6),
            "points": said.points,
            "reasons": pa.array([tell_reasons(one, language, fact_namer(language)) for one in moved], pa.string()),
            "moved": pa.array([json.dumps(one, ensure_ascii=False) for one in moved], pa.string()),
        }
    )


def _drift(
    mqls: pa.Table, target: TargetName, used: tuple[str, PredictModel], run: Run, policy: PredictPolicy
) -> pa.Table:
    """The newest MQLs against those learnt from; nothing where there are too few."""
    name, model = used
    rule: Drift = policy.drift
    since = pa.scalar(run.as_of - timedelta(days=rule.days))
    newest = mqls.filter(pc.greater_equal(pc.cast(mqls[TIME], pa.date32()), since))
    found: list[tuple[str, float]] = []
    if newest.num_rows >= rule.least_rows:
        columns = model.read(as_text(newest), blank_words(policy.blanks))
        found = drift(model, columns, model.probability(columns))
    rows: list[dict[str, Any]] = [
        {
            "target": target, "model": name, "column_name": column, "stability_index": index,
            "rows": newest.num_rows, "is_beyond": index > rule.most_index,
        }
        for column, index in found
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, _schema(_DRIFT))


def _together(name: str, parts: list[pa.Table]) -> pa.Table:
    schema = _schema(name)
    return pa.concat_tables([part.cast(schema) for part in parts]) if parts else schema.empty_table()


def _schema(name: str) -> pa.Schema:
    kinds = {"varchar": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}
    columns = declared_tables()[name].columns
    return pa.schema([(column, kinds.get(kind, pa.timestamp("us"))) for column, (kind, _) in columns.items()])
