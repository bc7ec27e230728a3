"""Working the match queue from the terminal: list, accept, choose, create, reject, undo."""

import getpass
from typing import Annotated

import typer

from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_rows
from tasks.match_decisions import record_review, review_list, undo_review
from tasks.runs import make_person
from warehouse.database import connect_published
from warehouse.ledger import Ledger

# What fits a terminal; --json has all of it, `abmloop explain person` says why.
SHOWN = ("person_id", "company_name", "account_name", "account_city", "confidence", "method", "stake", "runner_up_name")

PersonArgument = Annotated[str, typer.Argument(help="The person's id, from `abmloop review list`.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    review = typer.Typer(no_args_is_help=True, help="The queue of doubtful matches. 匹配复核.")
    for name, command in (
        ("list", queue),
        ("accept", accept),
        ("choose", choose),
        ("create", create),
        ("reject", reject),
        ("undo", undo),
    ):
        review.command(name)(command)
    app.add_typer(review, name="review")


def queue(
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
) -> None:
    """The least certain matches with the most at stake, first. 待复核列表."""
    with connect_published(find_workspace(workspace)) as con:
        found = review_list(con, limit)
    show_rows(found if as_json else [{name: row[name] for name in SHOWN} for row in found], as_json)


def _record(workspace: WorkspaceOption, person: str, verdict: str, account: str | None, reason: str) -> None:
    root = find_workspace(workspace)
    actor = getpass.getuser()
    with connect_published(root) as con, Ledger.of(root, load_settings(root).ledger_url) as ledger:
        by = make_person(root, actor)
        decision = record_review(con, ledger, by, person, verdict, account, actor=actor, reason=reason)
    typer.echo(
        f"{decision}: {verdict} {person}. The next sync goes by it; `abmloop review undo {decision}` takes it back."
    )


def accept(person: PersonArgument, workspace: WorkspaceOption = None, reason: ReasonOption = "") -> None:
    """The proposed company is right. 接受."""
    _record(workspace, person, "accept", None, reason)


def choose(
    person: PersonArgument,
    account: Annotated[str, typer.Option("--account", help="The right company's id.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
) -> None:
    """Another company is right. 另选."""
    _record(workspace, person, "choose", account, reason)


def create(person: PersonArgument, workspace: WorkspaceOption = None, reason: ReasonOption = "") -> None:
    """The company is not in the directory. 新建."""
    _record(workspace, person, "create", None, reason)


def reject(person: PersonArgument, workspace: WorkspaceOption = None, reason: ReasonOption = "") -> None:
    """The proposed company is wrong. 拒绝."""
    _record(workspace, person, "reject", None, reason)


def undo(
    decision: Annotated[str, typer.Argument(help="The decision's id.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
) -> None:
    """Take a decision back. 撤销."""
    root = find_workspace(workspace)
    actor = getpass.getuser()
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        undone = undo_review(ledger, make_person(root, actor), decision, actor=actor, reason=reason)
    typer.echo(f"{undone}: {decision} no longer counts, from the next sync on")
