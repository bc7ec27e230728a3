"""Quality from the terminal: what is held and why, letting it go on, taking that back."""

import getpass
from typing import Annotated

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_rows
from tasks.quality.holds import accept_holds, holds_list, undo_acceptance
from tasks.quality.telling import tell_difference, tell_hold
from tasks.runs import make_person
from warehouse.database import connect_to_look
from warehouse.ledger import Ledger


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    quality = typer.Typer(no_args_is_help=True, help="What holds the publish, and letting it go on. 数据质量.")
    for name, command in (("holds", holds), ("accept", accept), ("undo", undo), ("pages", pages)):
        quality.command(name)(command)
    app.add_typer(quality, name="quality")


def holds(
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    with_all: Annotated[bool, typer.Option("--all", help="Also what was only told, or is settled.")] = False,
) -> None:
    """What differs so much from the last snapshot that a person must look. 暂停发布的差异."""
    root = find_workspace(workspace)
    language = load_settings(root).language
    with connect_to_look(root) as con:
        found = holds_list(con, with_all=with_all)
    if as_json:
        show_rows(found, as_json)
        return
    shown = ("hold_id", "state", "file_name", "entity", "landed_on")
    told = [{**row, "state": say(f"quality.state.{row['state']}", language)} for row in found]
    rows = [{**{name: row[name] for name in shown}, "what": tell_difference(row, language)} for row in told]
    show_rows(rows, language=language)


def accept(
    hold: Annotated[list[str], typer.Argument(help="Ids of `quality holds`, or a file's name for all of its.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is right as it is; kept with the decision.")],
    workspace: WorkspaceOption = None,
) -> None:
    """It is right as it is: the next sync goes on with it. 接受差异."""
    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    with connect_to_look(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        about = (actor, reason)
        decision, accepted = accept_holds(con, ledger, make_person(root, actor), hold, about)
    for row in accepted:
        typer.echo(tell_hold(row, settings.language))
    typer.echo(say("quality.accepted", settings.language, decision=decision))


def undo(
    decision: Annotated[str, typer.Argument(help="The decision's id.")],
    workspace: WorkspaceOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
) -> None:
    """Take an acceptance back. 撤销."""
    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    with Ledger.of(root, settings.ledger_url) as ledger:
        undone = undo_acceptance(ledger, make_person(root, actor), decision, (actor, reason))
    typer.echo(say("quality.undone", settings.language, undone=undone, decision=decision))


def pages(workspace: WorkspaceOption = None) -> None:
    """Write the pages of the last run anew: quality/index.html. 质量页面."""
    from tasks.report.quality import quality_pages

    for path in quality_pages(find_workspace(workspace)):
        typer.echo(path)
