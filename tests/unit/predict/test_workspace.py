"""The workspace's own scores: ripe outcomes only, versions promoted by rule or person, roll-back, drift told."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person, Run
from scoring.policies.predict import Promotion
from scoring.predict.model import PredictModel, save_model
from scoring.predict.train import Asked, train
from tasks.predict import step as predicting
from tasks.predict.history import open_rows, table_for
from tasks.predict.telling import POINTS_OF, fact_namer, tell_chance
from tasks.predict.versions import follows_rule, in_use, model_folder, model_list, new_name, promote, roll_back
from tests.unit.predict.worlds import policy
from warehouse.ledger import Ledger
from warehouse.models import all_models

AS_OF = date(2026, 6, 30)
START = datetime(2025, 1, 1)
BY = Person("person:li", AS_OF)
ABOUT = ("li", "better on our fairs")


def mqls(rows: int = 1200, seed: int = 3) -> pa.Table:
    """MQLs of a year and a half; a channel and the points of a group tell whether sales takes them up."""
    random = np.random.default_rng(seed)
    channel = random.integers(0, 3, rows)
    points = random.gamma(2, 10, rows)
    came = random.random(rows) < 1 / (1 + np.exp(-(-2.0 + 1.4 * (channel == 1) + 0.06 * points)))
    at = [START + timedelta(hours=10 * number) for number in range(rows)]
    took = [one + timedelta(days=20) if yes else None for one, yes in zip(at, came, strict=True)]
    return pa.table(
        {
            "lead_id": [f"L{number}" for number in range(rows)],
            "cycle": [1] * rows,
            "person_id": [f"P{number}" for number in range(rows)],
            "party_id": [f"A{number}" for number in range(rows)],
            "mql_at": pa.array(at, pa.timestamp("us")),
            "sql_at": pa.array(took, pa.timestamp("us")),
            "won_at": pa.nulls(rows, pa.timestamp("us")),
            "ended_at": pa.nulls(rows, pa.timestamp("us")),
            "stage": ["sql" if yes else "mql" for yes in came],
            "first_channel": np.array(["fair", "webinar", "mail"])[channel].tolist(),
            "seniority": random.choice(["manager", "director"], rows).tolist(),
            "points of web": points,
        }
    )


def learnt(rows: pa.Table) -> PredictModel:
    table = table_for(rows, "sql", 90, AS_OF)
    return train(table, Asked("sql", time="mql_at", id_column="party_id", came="1", ripe_days=90), policy())


def test_only_ripe_outcomes_are_learnt_from_also_where_they_came_already() -> None:
    rows = mqls(4).set_column(
        4, "mql_at", pa.array([datetime(2026, 1, 1), datetime(2026, 6, 1), datetime(2026, 1, 1), datetime(2026, 1, 2)])
    )
    reached = [datetime(2026, 2, 1), datetime(2026, 6, 2), datetime(2025, 12, 31), datetime(2026, 6, 1)]
    table = table_for(rows.set_column(5, "sql_at", pa.array(reached, pa.timestamp("us"))), "sql", 90, AS_OF)
    assert table["sql"].to_pylist() == ["1", None, "0"]  # in time; not ripe; there before, left out; too late
    assert not {"lead_id", "stage", "sql_at", "won_at", "ended_at"} & set(table.column_names)


def test_open_leads_are_scored_with_reasons_by_the_version_in_use() -> None:
    model, rows = learnt(mqls()), mqls(50, seed=9)
    assert model.state == "ready"
    waiting = open_rows(rows, "sql")
    assert set(waiting["stage"].to_pylist()) == {"mql"}
    said = predicting._predictions(waiting, "sql", ("sql-1", model), "zh", policy())
    assert said["lead_id"].to_pylist() == waiting["lead_id"].to_pylist()
    assert any("首次触点渠道 = webinar" in text for text in said["reasons"].to_pylist())
    assert "channel of the first touch = " in tell_chance({**said.to_pylist()[0], "probability": 0.4}, "en")
    by_channel = dict(zip(waiting["first_channel"].to_pylist(), said["probability"].to_pylist(), strict=True))
    assert all(0 < one < 1 for one in by_channel.values())
    assert predicting._predictions(waiting.slice(0, 0), "sql", ("sql-1", model), "zh", policy()).num_rows == 0


def test_another_population_is_told() -> None:
    model = learnt(mqls())
    run = Run("", "r", AS_OF, datetime(2026, 6, 30), 0, "")
    late = mqls(1200).slice(900)
    same = late.set_column(4, "mql_at", pa.array([datetime(2026, 6, 1)] * 300, pa.timestamp("us")))
    other = same.set_column(9, "first_channel", pa.array(["webinar"] * 300))
    for rows, expected in ((same, set()), (other, {"first_channel"}), (other.slice(0, 20), set())):
        told = predicting._drift(rows, "sql", ("sql-1", model), run, policy()).to_pylist()
        beyond = {row["column_name"] for row in told if row["is_beyond"]} - {"probability"}
        assert beyond == expected


def made(state: str = "ready", gain: float = 0.05, error: float = 0.02) -> PredictModel:
    figures = {"base_log_loss": 0.6, "log_loss": 0.6 - gain, "calibration_error": error, "auc": 0.7}
    return PredictModel(
        {
            "format": "abmloop-predict-model",
            "version": 1,
            "state": state,
            "figures": figures,
            "period": None,
            "rows": 300,
        }
    )


@pytest.mark.parametrize(
    ("new", "current", "expected"),
    [
        (made(), None, True),
        (made(), made(gain=0.04), True),
        (made(), made(gain=0.0495), False),
        (made(error=0.2), None, False),
        (made(state="no_signal"), None, False),
        (made(gain=0.001), None, False),
    ],
)
def test_the_written_rule_promotes_what_is_calibrated_and_better(
    new: PredictModel, current: PredictModel | None, expected: bool
) -> None:
    assert follows_rule(new, current, Promotion()) is expected


def test_versions_are_promoted_and_rolled_back_by_name_in_the_ledger(workspace: Path) -> None:
    for number in range(3):
        name = new_name(workspace, "sql")
        assert name == f"sql-{number + 1}"
        save_model(made("no_signal" if number == 2 else "ready"), model_folder(workspace, name))
    with Ledger.of(workspace) as ledger:
        for name in ("sql-1", "sql-2"):
            assert promote(workspace, ledger, BY, name, ABOUT) == "sql"
        assert in_use(ledger.read("decisions")) == {"sql": "sql-2"}
        assert [(row["model"], row["is_in_use"]) for row in model_list(workspace, ledger)] == [
            ("sql-1", False), ("sql-2", True), ("sql-3", False),
        ]  # fmt: skip
        assert roll_back(workspace, ledger, BY, "sql", ABOUT) == "sql-1"
        assert in_use(ledger.read("decisions")) == {"sql": "sql-1"}
        assert roll_back(workspace, ledger, BY, "sql-2", ABOUT) == "sql-2"
        assert roll_back(workspace, ledger, BY, "sql-1", ABOUT) == "sql-1"
        row = ledger.read("decisions").to_pylist()[-1]
        assert (row["actor"], row["reason"], json.loads(row["payload"])) == (
            "li",
            "better on our fairs",
            {"name": "sql-1"},
        )
        with pytest.raises(BadUsage, match="cannot be used"):
            promote(workspace, ledger, BY, "sql-3", ABOUT)
        with pytest.raises(BadUsage, match="no version sql-9"):
            promote(workspace, ledger, BY, "sql-9", ABOUT)
        with pytest.raises(BadUsage, match="no version of won"):
            roll_back(workspace, ledger, BY, "won", ABOUT)


def test_too_little_history_is_said_and_not_an_error() -> None:
    assert learnt(mqls(120)).state == "too_little"
    nothing: Any = mqls(30).set_column(4, "mql_at", pa.array([datetime(2026, 6, 29)] * 30, pa.timestamp("us")))
    assert learnt(nothing).state == "too_little"


def test_every_fact_of_an_mql_has_a_name_in_both_languages() -> None:
    about = {"lead_id", "cycle", "person_id", "party_id", "mql_at", "sql_at", "won_at", "ended_at", "stage"}
    for language in ("en", "zh"):
        name = fact_namer(language)
        assert all(name(fact) for fact in (*(set(all_models()["scored.mqls"].columns) - about), f"{POINTS_OF}web"))
