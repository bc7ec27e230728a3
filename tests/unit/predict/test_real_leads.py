"""Real leads: leaks refused unprompted, newer leads ordered and honestly told, no signal said where there is none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.predict_bench import AT_CREATION, LEAKS
from scoring.predict.columns import blank_words
from scoring.predict.measures import auc, calibration_error, log_loss
from scoring.predict.train import Asked, train
from tasks.predict.tables import default_policy
from tests.unit.predict.worlds import policy

pytestmark = pytest.mark.shared_data


def read(path: Path) -> pa.Table:
    """All cells as text."""
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pa.table({name: pa.array(rows[name].tolist(), pa.string()) for name in rows})


def test_leaks_of_real_leads_are_refused_unprompted_and_nothing_known_at_creation(shared_data: Path) -> None:
    leads = read(shared_data / "leads" / "x_education_oldest70.csv")
    model = train(leads, Asked("Converted"), policy(blocks=1))
    refused = {one["column"] for one in model.card["refused"]}
    assert refused >= LEAKS and not refused & set(AT_CREATION)
    assert model.card["order"] == {"by": "found_id", "column": "Lead Number"}


def test_newer_real_leads_are_ordered_and_honestly_told(shared_data: Path) -> None:
    leads = read(shared_data / "leads" / "x_education_oldest70.csv")
    cut = int(0.8 * leads.num_rows)
    asked = Asked("Converted", id_column="Lead Number", columns=AT_CREATION)
    model = train(leads.slice(0, cut), asked, default_policy())
    newer = leads.slice(cut)
    said = model.say(model.read(newer, blank_words(policy().blanks)))
    became = np.array(newer["Converted"].to_pylist(), float)
    assert auc(became, said.probability) >= 0.83
    assert log_loss(became, said.probability) <= 0.485
    assert calibration_error(became, said.probability) <= 0.045  # of 1,294 rows; chance alone makes .03
    assert auc(became, said.points) >= auc(became, said.probability) - 0.03


def test_no_signal_is_said_of_invented_opportunities(shared_data: Path) -> None:
    pipeline = read(shared_data / "maven" / "sales_pipeline.csv")
    model = train(pipeline, Asked("deal_stage", time="engage_date", id_column="opportunity_id"), policy())
    assert model.state == "no_signal" and abs(model.card["figures"]["auc"] - 0.5) <= 0.036
    assert {one["column"] for one in model.card["refused"]} >= {"close_date", "close_value"}
    assert model.card["still_open"] == ["Engaging", "Prospecting"]
