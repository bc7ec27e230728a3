"""The CRM from the command line: what would be sent, sending it, and the letters that came back."""

from typing import Annotated

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.settings import find_workspace, load_settings
from cli.options import AsOfOption, JsonOption, WorkspaceOption
from cli.show import in_words, show_rows
from tasks.outbound.push.held import tell_held
from tasks.outbound.push.letters import crm_instance, list_letters, retry_letters
from tasks.outbound.push.step import deliver, plan_push, push_plan_lines
from tasks.outbound.push.stuck import find_stuck, stuck_said
from tasks.runs import make_person, open_run
from warehouse.ledger import Ledger


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    app.command()(push)
    letters = typer.Typer(no_args_is_help=True, help="What the CRM refused or the gate holds. 退回与暂缓.")
    letters.command("list")(letters_list)
    letters.command("retry")(letters_retry)
    app.add_typer(letters, name="letters")


def push(
    plan: Annotated[bool, typer.Option("--plan", help="Print what would be sent; write nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Send it.")] = False,
    workspace: WorkspaceOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the CRM what changed since it last acknowledged, or show it first. 推送 CRM."""
    if plan == apply:
        raise BadUsage(said("usage_push_one_of"))
    root = find_workspace(workspace)
    with open_run(root, as_of.date() if as_of else None, push="apply" if apply else "plan") as run:
        if apply:
            typer.echo(str(deliver(run)))
            with Ledger.of(root, load_settings(root).ledger_url) as ledger:
                if stuck := find_stuck(ledger, crm_instance(root)):
                    typer.echo(stuck_said(stuck).told(run.language))
        elif as_json:
            show_rows(list(plan_push(run).rows()), as_json)
        else:
            for line in push_plan_lines(run):
                typer.echo(line)


def letters_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Records that the CRM refused or the gate holds, with the reason. 退回列表."""
    root = find_workspace(workspace)
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        found = list_letters(ledger, crm_instance(root))
        stuck = find_stuck(ledger, crm_instance(root))
    language = load_settings(root).language
    rows = [dict(vars(letter)) for letter in found]
    if not as_json:
        told = [
            {**row, "reason": tell_held(row["reason"], language)} if row["state"] == "held" else row for row in rows
        ]
        rows = in_words(told, language, state="state")
    show_rows(rows, as_json, language=language)
    if stuck and not as_json:
        typer.echo(stuck_said(stuck).told(language))


def letters_retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Which; default: all dead letters.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Try dead letters again with the next push. 重新投递."""
    root = find_workspace(workspace)
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        number = retry_letters(ledger, crm_instance(root), ids, make_person(root, "cli"))
    typer.echo(say("told_letters_retried", load_settings(root).language, number=number))
