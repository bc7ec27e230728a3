"""A workspace: making it, how it stands, what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import in_words, show_rows
from cli.spoken import spoken
from tasks.doctor import doctor_rows, status_rows
from tasks.workspace import make_workspace


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    for command in (init, status, doctor):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make the workspace in.")],
    language: Annotated[str, typer.Option(help="en or zh")] = "en",
) -> None:
    """Make a workspace: settings with comments, default rules, an inbox. 新建工作区."""
    written = make_workspace(folder, language)
    typer.echo(say("told_workspace_made", language, folder=folder, files=len(written)))


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """What the last runs did and what waits. 状态."""
    root = find_workspace(workspace)
    language = load_settings(root).language
    rows = status_rows(root)
    show_rows(rows if as_json else in_words(rows, language, state="state"), as_json, language=language)


def doctor(
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    crm: Annotated[bool, typer.Option("--crm", help="Ask the CRM: credentials, account, fields, limits.")] = False,
) -> None:
    """Versions, locks, disk, configuration, quality, the oldest stuck row; with --crm the CRM. 诊断."""
    root = find_workspace(workspace)
    if crm:
        from tasks.outbound.push.examine import crm_rows
    rows = crm_rows(root) if crm else doctor_rows(root)
    # Asked of settings that may be what is wrong.
    language = spoken(["--workspace", str(root)])
    told = rows if as_json else in_words(rows, language, asked="doctor", state="state")
    show_rows(told, as_json, language=language)
    if any(row["state"] == "bad" for row in rows):
        raise typer.Exit(2)
