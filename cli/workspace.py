"""A workspace: making it, how it stands, what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

from abmloop.settings import find_workspace
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_rows
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
    typer.echo(f"{folder}: {len(written)} files written. Next:")
    typer.echo(f"  1. put your lists into {folder}/inbox/<entity>/, for example inbox/companies/")
    typer.echo(f"  2. abmloop sync --local --workspace {folder}")


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """What the last runs did and what waits. 状态."""
    show_rows(status_rows(find_workspace(workspace)), as_json)


def doctor(
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    crm: Annotated[bool, typer.Option("--crm", help="Ask the CRM: credentials, account, fields, limits.")] = False,
) -> None:
    """Versions, locks, disk, configuration, quality, the oldest stuck row; with --crm the CRM. 诊断."""
    root = find_workspace(workspace)
    if crm:
        from tasks.outbound.examine import crm_rows
    rows = crm_rows(root) if crm else doctor_rows(root)
    show_rows(rows, as_json)
    if any(row["state"] == "bad" for row in rows):
        raise typer.Exit(2)
