"""A predictive score in use: a sync stores its chances with their reasons, people read them, drift is watched."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from abmloop.run import Person
from cli.main import app
from scoring.predict.train import Asked, train
from tasks.loop import PARTS, run_steps
from tasks.policies import DEFAULTS
from tasks.predict.tables import default_policy, write_model
from tasks.predict.telling import fact_namer
from tasks.predict.versions import model_folder, promote
from tasks.report.quality import quality_pages
from tasks.runs import open_run
from tests.e2e.worlds import AS_OF, ask
from tests.unit.predict.worlds import table
from warehouse.database import connect_to_look
from warehouse.ledger import Ledger

CHANNELS = ("event", "webinar", "website", "email", "ad", "direct", "sms", "wechat")
ALL_OF_THE_SMALL_WORLD = "drift: {days: 3650, least_rows: 20"


def history(rows: int = 700) -> dict[str, list[str | None]]:
    """MQLs of another year: webinars and many touches became SQLs, mails did not."""
    random = np.random.default_rng(2)
    channel, touches = random.integers(0, len(CHANNELS), rows), random.poisson(4, rows)
    odds = -2.0 + 2.0 * (channel == 1) - 1.5 * (channel == 3) + 0.35 * touches
    came = random.random(rows) < 1 / (1 + np.exp(-odds))
    return {
        "mql_at": [str(np.datetime64("2024-01-01") + day) for day in range(rows)],
        "first_channel": [CHANNELS[one] for one in channel],
        "touches": [str(one) for one in touches],
        "sql": [str(int(one)) for one in came],
    }


def score_again(root: Path) -> None:
    """What a sync does from the scores on."""
    with open_run(root, AS_OF) as run:
        run_steps(run, only=PARTS["score-leads"])


def command(root: Path, *words: str) -> str:
    """What a command says; it succeeds."""
    said = CliRunner().invoke(app, [*words, "--workspace", str(root)])
    assert said.exit_code == 0, said.output
    return said.output


@pytest.fixture(scope="module")
def predicted(synced: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synced world, with a model learnt elsewhere in use."""
    root = Path(shutil.copytree(synced, tmp_path_factory.mktemp("predicted") / "workspace"))
    rules = (DEFAULTS / "predict.yaml").read_text(encoding="utf-8")
    (root / "config" / "predict.yaml").write_text(
        rules.replace("drift: {days: 90, least_rows: 100", ALL_OF_THE_SMALL_WORLD), encoding="utf-8"
    )
    model = train(table(history()), Asked("sql", time="mql_at"), default_policy())
    write_model(model, model_folder(root, "sql-1"))
    with Ledger.of(root) as ledger:  # on the day of the run: what is decided later, a run of that day does not know
        promote(root, ledger, Person("person:li", AS_OF), "sql-1", ("li", "learnt from last year"))
    score_again(root)
    return root


def test_a_promoted_model_gives_every_open_lead_its_chance_and_the_reasons(predicted: Path, synced: Path) -> None:
    chances = ask(predicted, "select lead_id, model, probability, reasons from scored.predictions order by lead_id")
    waiting = ask(predicted, "select lead_id from scored.lead_stages where is_current and stage in ('mql', 'sal')")
    assert {row[0] for row in chances} <= {row[0] for row in waiting} and len(chances) > 3
    assert {row[1] for row in chances} == {"sql-1"} and all(0 < row[2] < 1 for row in chances)
    assert any(fact_namer("en")("first_channel") in row[3] for row in chances)
    assert ask(synced, "select * from scored.predictions") == []


def test_the_chance_stands_where_sales_and_marketing_look(predicted: Path) -> None:
    with connect_to_look(predicted) as con:  # what is meant for the CRM is not published
        shown = con.execute("select abm_key, sql_probability, probability_reason from marts.crm_leads").fetchall()
    stored = {row[0]: row[1:] for row in ask(predicted, "select lead_id, probability, reasons from scored.predictions")}
    found = {row[0]: row[1:] for row in shown if row[1] is not None}
    assert found and all(stored[lead] == told for lead, told in found.items())
    rows = json.loads(command(predicted, "lead", "list", "--limit", "100", "--json"))
    listed = {row["lead_id"]: row["sql_probability"] for row in rows if row["sql_probability"] is not None}
    assert listed and all(stored[lead][0] == chance for lead, chance in listed.items())
    best = ask(
        predicted,
        """
        select account_id, max(probability) from scored.predictions join scored.leads using (lead_id)
        where account_id is not null group by all order by all
        """,
    )
    accounts = "select account_id, sql_probability from marts.account_360 where sql_probability is not null order by 1"
    assert ask(predicted, accounts) == best != []


def test_explain_lead_tells_the_chance_in_both_languages(predicted: Path) -> None:
    ((lead, probability),) = ask(
        predicted, "select lead_id, probability from scored.predictions order by probability desc, lead_id limit 1"
    )
    english = command(predicted, "explain", "lead", lead, "--language", "en")
    assert f"Chance to become an SQL: {probability:.0%} (sql-1)" in english and "raises it: " in english
    chinese = command(predicted, "explain", "lead", lead, "--language", "zh")
    assert f"成为 SQL 的概率：{probability:.0%}（sql-1）" in chinese and "推高：" in chinese


def test_drift_of_inputs_and_outputs_stands_in_the_quality_pages(predicted: Path) -> None:
    drift = ask(predicted, "select column_name, is_beyond from scored.prediction_drift order by column_name")
    assert [row[0] for row in drift] == ["first_channel", "probability", "touches"]
    quality_pages(predicted)
    for language, told in (("en", "another population: train again"), ("zh", "群体已变化：请重新训练")):
        page = (predicted / "quality" / f"{AS_OF}.{language}.html").read_text(encoding="utf-8")
        assert told in page and fact_namer(language)("first_channel") in page


def test_too_little_history_of_its_own_is_said_and_changes_nothing(predicted: Path) -> None:
    said = command(predicted, "model", "train", "--target", "sql", "--language", "en")
    assert "Too little history" in said and "The rules stand" in said
    listed = command(predicted, "model", "list")
    assert "sql-1" in listed and "too_little" in listed
