"""The loop's judgements on plain files, no workspace needed: match, score, attribute, attribute-paths."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from cli.options import AsOfOption, JsonOption
from cli.spoken import reader


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    app.command()(match)
    app.command()(score)
    app.command()(attribute)
    app.command("attribute-paths")(attribute_paths)


def _show(summary: dict[str, Any], out: Path, as_json: bool) -> None:
    """The summary of what was done, then where it is."""
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, default=str))
        return
    for name, value in summary.items():
        if name == "out":
            continue
        text = f"{value:,}" if isinstance(value, int) else value
        typer.echo(f"  {name.replace('_', ' '):<24} {text}")
    typer.echo(say("told_written", reader(), path=out))


def match(
    accounts: Annotated[Path, typer.Argument(help="Companies: CSV, XLSX or Parquet.")],
    contacts: Annotated[Path, typer.Argument(help="People with the company they gave.")],
    out: Annotated[Path, typer.Option("--out", help="CSV or Parquet to write.")],
    promise: Annotated[
        float | None, typer.Option(help="Share of the decided matches that are right. 承诺准确率")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of another judge, as `abmloop review train` makes.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find each contact's company: decided, for review, or none, with evidence. 匹配联系人与企业."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tasks.match.files import STAGES, match_files

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as progress:
        bar = progress.add_task("", total=len(STAGES))
        summary = match_files(
            accounts,
            contacts,
            out,
            promise,
            model,
            lambda stage: progress.update(bar, description=stage, completed=STAGES.index(stage)),
        )
    _show(summary, out, as_json)


def score(
    leads: Annotated[Path, typer.Argument(help="People with their company: CSV, XLSX, Parquet or JSON.")],
    out: Annotated[Path, typer.Option("--out", help="CSV, XLSX or Parquet to write.")],
    config: Annotated[Path | None, typer.Option("--config", help="Folder with your rules; default: ours. 规则")] = None,
    touches: Annotated[Path | None, typer.Option("--touches", help="What the people did. 行为记录")] = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a file of leads: fit, engagement, grid, MQL or what forbids it, with reasons. 线索评分."""
    from tasks.score.files import score_files

    _show(score_files(leads, out, config, touches, as_of and as_of.date()), out, as_json)


def attribute(
    touches: Annotated[Path, typer.Argument(help="touch_id, account_id, campaign_id, channel, occurred_at.")],
    deals: Annotated[Path, typer.Argument(help="deal_id, account_id, amount, created_at, closed_at, status.")],
    model: Annotated[
        str, typer.Option(help="linear, w_shaped, time_decay, …; with --totals several: linear,w_shaped.")
    ],
    out: Annotated[Path, typer.Option("--out", help="CSV or Parquet to write.")],
    anchor: Annotated[str, typer.Option(help="Where the window ends: created or closed.")] = "closed",
    lookback_days: Annotated[
        str, typer.Option(help="Days before the anchor; 0 = without end; with --totals several: 90,180.")
    ] = "180",
    repeats: Annotated[str, typer.Option(help="every_touch, one_per_campaign_person_day, …")] = "every_touch",
    until: Annotated[
        str, typer.Option(help="closed; opened: touches after the deal was opened do not count.")
    ] = "closed",
    half_life_days: Annotated[float, typer.Option(help="time_decay: a touch so many days back weighs half.")] = 7,
    totals: Annotated[str | None, typer.Option(help="Only totals, by campaign or channel, before cents.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Share deals among their touches by one model, exact to the cent; or totals by several models at once. 归因."""
    from tasks.attribute.files import attribute_files
    from tasks.attribute.totals import attribute_totals

    days = _numbers(lookback_days)
    if totals is not None:
        models = [name.strip() for name in model.split(",")]
        found = attribute_totals(touches, deals, models, days, totals, anchor, repeats, out, until, half_life_days)
        _show(found, out, as_json)
        return
    if len(days) > 1:
        raise BadUsage(said("usage_several_windows"))
    found = attribute_files(touches, deals, model, anchor, days[0], repeats, out, until, half_life_days)
    _show(found, out, as_json)


def _numbers(text: str) -> list[float]:
    """The numbers of `90,180`. Raises BadUsage for anything else."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadUsage(said("usage_lookback_days", given=text)) from None


def attribute_paths(
    paths: Annotated[Path, typer.Argument(help="path, total_conversions, total_conversion_value, total_null.")],
    model: Annotated[str, typer.Option(help="linear, markov, shapley, …")],
    out: Annotated[Path, typer.Option("--out", help="CSV or Parquet to write.")],
    order: Annotated[int, typer.Option(help="Order of the Markov chain, 1 to 4.")] = 1,
    without_null: Annotated[bool, typer.Option("--without-null", help="Leave out what did not convert.")] = False,
    max_steps: Annotated[int | None, typer.Option(help="At most so many states before the end.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Share conversions among the channels of a path file. 路径归因."""
    from tasks.attribute.paths import attribute_paths as share

    _show(share(paths, model, order, without_null, max_steps, out), out, as_json)
