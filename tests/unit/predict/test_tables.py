"""Files in, model and scores out: dirty tables, models of text and no pickle, same bytes, refusals that help."""

import json
from pathlib import Path

import openpyxl
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from abmloop.errors import BadPolicy, BadUsage
from cli.main import app
from cli.model import named_columns
from scoring.predict.model import load_model
from scoring.predict.train import Asked
from tasks.predict.tables import read_any, score_table, train_table
from tests.unit.predict.worlds import draw, table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of leads, half of them to be scored, and the model of the other half."""
    found = tmp_path_factory.mktemp("predict")
    columns, _ = draw(1200)
    columns["lead"][700] = "=cmd()"
    raw = table(columns)
    pa_csv.write_csv(raw.slice(0, 700), found / "old.csv")
    pa_csv.write_csv(raw.slice(700), found / "new.csv")
    return found


def test_a_table_is_learnt_from_and_another_scored_in_its_own_order(folder: Path) -> None:
    said = CliRunner().invoke(
        app,
        ["model", "train", str(folder / "old.csv"), "--target", "came", "--time", "created", "--id", "lead",
         "--out", str(folder / "model")],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert all(word in said.output for word in ("AUC", "log loss", "ECE", "Calibration", "Lift by decile", "Scorecard"))
    done = CliRunner().invoke(
        app,
        [
            "model",
            "score",
            str(folder / "new.csv"),
            "--model",
            str(folder / "model"),
            "--out",
            str(folder / "s.csv"),
            "--json",
        ],
    )
    assert json.loads(done.output)["rows"] == 500
    scores = pa_csv.read_csv(folder / "s.csv").to_pydict()
    assert list(scores) == ["id", "probability", "points", "reasons"]
    assert scores["id"][0] == "'=cmd()" and scores["id"][1:3] == read_any(folder / "new.csv")["lead"].to_pylist()[1:3]
    assert all(0 < one < 1 for one in scores["probability"]) and all(isinstance(one, int) for one in scores["points"])


def test_a_model_is_text_the_same_bytes_again_and_no_pickle(folder: Path) -> None:
    asked = Asked("came", time="created", id_column="lead")
    for name in ("one", "two"):
        train_table(folder / "old.csv", asked, folder / name)
    files = sorted(path.name for path in (folder / "one").iterdir())
    assert files == ["card.json", "report.en.md", "report.zh.md", "trees.txt"]
    for name in files:
        assert (folder / "one" / name).read_text(encoding="utf-8") == (folder / "two" / name).read_text(
            encoding="utf-8"
        )
    card = json.loads((folder / "one" / "card.json").read_text(encoding="utf-8"))
    assert card["version"] == 1 and card["period"][0] < card["period"][1] and card["figures"]["auc"] > 0.6


def test_a_column_whose_name_has_a_comma_is_named_in_quotes() -> None:
    assert named_columns('City, "Source, last",  Visits') == ("City", "Source, last", "Visits")
    assert named_columns(None) is None


def test_trees_of_another_card_are_refused(folder: Path) -> None:
    train_table(folder / "old.csv", Asked("came", time="created"), folder / "mixed")
    trees = folder / "mixed" / "trees.txt"
    trees.write_text(trees.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(BadPolicy, match="not the one"):
        load_model(folder / "mixed")
    with pytest.raises(BadPolicy, match="no predictive model is there"):
        load_model(folder / "nowhere")


def test_workbooks_with_a_title_and_parquet_are_read_like_the_csv(folder: Path) -> None:
    plain = read_any(folder / "old.csv")
    pq.write_table(plain, folder / "old.parquet")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["线索导出"])
    sheet.append(plain.column_names)
    for row in plain.slice(0, 50).to_pylist():
        sheet.append(list(row.values()))
    book.create_sheet("说明").append(["only a note", "here"])
    book.save(folder / "old.xlsx")
    assert read_any(folder / "old.parquet").equals(plain)
    cells = [[text or None for text in column] for column in plain.slice(0, 50).to_pydict().values()]
    assert list(read_any(folder / "old.xlsx").to_pydict().values()) == cells


def test_what_is_no_table_or_no_place_is_refused(folder: Path) -> None:
    (folder / "empty.csv").write_text("", encoding="utf-8")
    for path in (folder / "empty.csv", folder / "absent.csv"):
        with pytest.raises(BadUsage, match=path.name):
            read_any(path)
    with pytest.raises(BadUsage, match="other things than a model"):
        train_table(folder / "old.csv", Asked("came", time="created"), folder)
    with pytest.raises(BadUsage, match=r"\.csv or \.parquet"):
        score_table(folder / "new.csv", folder / "one", folder / "scores.xlsx")
