"""The judge of matches: learn from the workspace's own decisions, list versions, go back to an earlier one."""

import typer

from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_rows
from tasks.match_model import model_list, roll_back, train_model
from warehouse.ledger import Ledger


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    model = typer.Typer(no_args_is_help=True, help="The judge of matches and its versions. 匹配模型.")
    for name, command in (("train", train), ("list", versions), ("rollback", rollback)):
        model.command(name)(command)
    app.add_typer(model, name="model")


def train(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Learn from accepted and rejected matches; counts from the next sync on. 用复核结果再训练."""
    root = find_workspace(workspace)
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        show_rows([train_model(root, ledger)], as_json)
    if not as_json:
        typer.echo("In use from the next sync on; `abmloop model rollback` takes it back.")


def versions(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """The judges there are, and which is in use. 模型版本."""
    show_rows(model_list(find_workspace(workspace)), as_json)


def rollback(workspace: WorkspaceOption = None) -> None:
    """Use the version before the current one again. 回退到上一版本."""
    typer.echo(f"In use from the next sync on: {roll_back(find_workspace(workspace))}")
