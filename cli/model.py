"""Predictive scores on any table: learn, score."""

import json
from pathlib import Path
from typing import Annotated

import typer

from abmloop.messages import say
from cli.options import JsonOption, LanguageOption

ModelOption = Annotated[Path, typer.Option("--model", help="Folder of a model, as `abmloop model train` writes it.")]
OutOption = Annotated[Path, typer.Option("--out", help="CSV or Parquet to write.")]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    model = typer.Typer(no_args_is_help=True, help="Predictive scores on any table, and their versions. 预测评分.")
    for name, command in (("train", train), ("score", score)):
        model.command(name)(command)
    app.add_typer(model, name="model")


def train(
    table: Annotated[Path, typer.Argument(help="Rows with a known outcome: CSV, XLSX or Parquet.")],
    target: Annotated[str, typer.Option(help="The column to be predicted: two values of any writing.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the model and its report.")],
    time: Annotated[str | None, typer.Option(help="The column that says when a row came: a date, or a number.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Whose row it is; stands beside the scores.")] = None,
    columns: Annotated[str | None, typer.Option(help="Only these, with commas between; used even if refused.")] = None,
    allow_leaks: Annotated[bool, typer.Option("--allow-leaks", help="Use what the leak guard refuses.")] = False,
    positive: Annotated[str | None, typer.Option(help="The writing of the target that means that it came.")] = None,
    ripe_days: Annotated[float, typer.Option(help="So many days an outcome may take; needs --time.")] = 0,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn to predict an outcome from what was known before it, and say how good that is. 训练预测模型."""
    from scoring.predict.train import Asked
    from tasks.predict.tables import train_table
    from tasks.predict.telling import tell_model

    named = None if columns is None else tuple(name.strip() for name in columns.split(",") if name.strip())
    asked = Asked(target, time, id_column, named, allow_leaks, positive, ripe_days)
    model = train_table(table, asked, out)
    if as_json:
        told = {
            name: value for name, value in model.card.items() if name not in ("lifts", "bins", "weights", "profile")
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(tell_model(model, language or "en"))
    typer.echo(
        say("predict.trained" if model.state == "ready" else "predict.trained_nothing", language or "en", out=out)
    )


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
