"""Predictive scores: learn from any table or from the workspace's history, score tables, versions and their use."""

import csv
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows

if TYPE_CHECKING:
    from scoring.predict.model import PredictModel

ModelOption = Annotated[Path, typer.Option("--model", help="Folder of a model, as `abmloop model train` writes it.")]
OutOption = Annotated[Path, typer.Option("--out", help="CSV or Parquet to write.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
_LEFT_OUT = ("lifts", "bins", "weights", "profile")  # of the card, in JSON for scripts


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    model = typer.Typer(no_args_is_help=True, help="Predictive scores on any table, and their versions. 预测评分.")
    for name, command in (
        ("train", train),
        ("score", score),
        ("list", versions),
        ("promote", promote),
        ("rollback", rollback),
    ):
        model.command(name)(command)
    app.add_typer(model, name="model")


def train(
    table: Annotated[
        Path | None,
        typer.Argument(help="Rows with a known outcome: CSV, XLSX or Parquet; without: the workspace's history."),
    ] = None,
    target: Annotated[str, typer.Option(help="The column to be predicted; without a table: sql or won.")] = "sql",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the model and its report.")] = None,
    time: Annotated[str | None, typer.Option(help="The column that says when a row came: a date, or a number.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Whose row it is; stands beside the scores.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Only these, with commas between; used even if refused."),
    ] = None,
    allow_leaks: Annotated[bool, typer.Option("--allow-leaks", help="Use what the leak guard refuses.")] = False,
    positive: Annotated[str | None, typer.Option(help="The writing of the target that means that it came.")] = None,
    ripe_days: Annotated[float, typer.Option(help="So many days an outcome may take; needs --time.")] = 0,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn to predict an outcome from what was known before it, and say how good that is. 训练预测模型."""
    from scoring.predict.train import Asked
    from tasks.predict.tables import train_table

    if table is None:
        given = {"out": out, "time": time, "id": id_column, "columns": columns, "positive": positive}
        for option in (name for name, value in given.items() if value is not None):
            raise BadUsage(said("predict.only_tables", option=option))
        _train_workspace(workspace, target, language, as_json)
        return
    if out is None:
        raise BadUsage(said("predict.out_wanted"))
    asked = Asked(target, time, id_column, named_columns(columns), allow_leaks, positive, ripe_days)
    model = train_table(table, asked, out)
    _tell(model, language or "en", as_json)
    if not as_json:
        code = "predict.trained" if model.state == "ready" else "predict.trained_nothing"
        typer.echo(say(code, language or "en", out=out))


def named_columns(text: str | None) -> tuple[str, ...] | None:
    """The columns of `a,b`; one whose name has a comma stands in quotes."""
    if text is None:
        return None
    return tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True)) if name.strip())


def _train_workspace(workspace: Path | None, target: str, language: str | None, as_json: bool) -> None:
    from tasks.predict.learning import train_workspace
    from tasks.runs import make_person
    from warehouse.ledger import Ledger

    root = find_workspace(workspace)
    settings = load_settings(root)
    told = language or settings.language
    with Ledger.of(root, settings.ledger_url) as ledger:
        by = make_person(root, getpass.getuser())
        name, model, is_promoted = train_workspace(root, ledger, by, target, told)
    _tell(model, told, as_json)
    if not as_json and model.state == "ready":
        typer.echo(say("predict.kept" if is_promoted else "predict.kept_unused", told, name=name, target=target))


def _tell(model: "PredictModel", language: str, as_json: bool) -> None:
    from tasks.predict.telling import tell_model

    if as_json:
        told = {name: value for name, value in model.card.items() if name not in _LEFT_OUT}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(tell_model(model, language))


def score(
    table: Annotated[Path, typer.Argument(help="Rows to score: CSV, XLSX or Parquet.")],
    model: ModelOption,
    out: OutOption,
    id_column: Annotated[str | None, typer.Option("--id", help="Another id column than the model's.")] = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Probability, points and reasons for every row of a table. 用模型评分."""
    from tasks.predict.tables import score_table

    told = language or "en"
    done = score_table(table, model, out, told, id_column)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
        return
    if done["drifted"]:
        typer.echo(say("predict.drifted", told, columns=", ".join(done["drifted"])))
    code = "predict.scored" if done["state"] == "ready" else "predict.scored_no_signal"
    typer.echo(say(code, told, rows=f"{done['rows']:,}", mean=f"{done['mean_probability']:.1%}", out=out))


def versions(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """The workspace's versions with their figures, and which are in use. 模型版本."""
    from tasks.predict.versions import model_list
    from warehouse.ledger import Ledger

    root = find_workspace(workspace)
    settings = load_settings(root)
    with Ledger.of(root, settings.ledger_url) as ledger:
        show_rows(model_list(root, ledger), as_json, language=settings.language)


def promote(
    name: Annotated[str, typer.Argument(help="A version of `abmloop model list`, such as sql-2.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Use this version from the next sync on, a newer or an earlier one. 启用某一版本."""
    _use(name, workspace, reason, language, is_back=False)


def rollback(
    version: Annotated[str, typer.Argument(help="A version's name, or sql or won for the one in use before.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Use an earlier version again, by its name or the one before the present one. 回退到上一版本或指定版本."""
    _use(version, workspace, reason, language, is_back=True)


def _use(asked: str, workspace: Path | None, reason: str, language: str | None, *, is_back: bool) -> None:
    from tasks.predict import versions as kept
    from tasks.runs import make_person
    from warehouse.ledger import Ledger

    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    told = language or settings.language
    about = (actor, reason)
    with Ledger.of(root, settings.ledger_url) as ledger:
        by = make_person(root, actor)
        if is_back:
            asked = kept.roll_back(root, ledger, by, asked, about)
        else:
            kept.promote(root, ledger, by, asked, about)
    typer.echo(say("predict.promoted", told, name=asked))
