"""Sales' side of a lead from the terminal: list, show, claim, release, accept, reject, transfer."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from scoring.policies.routing import RoutingPolicy
from tasks.policies import workspace_policy
from tasks.route.desk import Done, LeadDesk
from tasks.route.listing import Wanted, list_leads, show_lead
from tasks.route.state import Now, Said
from tasks.runs import make_person
from warehouse.database import connect_published
from warehouse.ledger import Ledger

# What fits a terminal; --json has all of it.
SHOWN = (
    "lead_id",
    "company",
    "stage",
    "grid",
    "owner",
    "pool",
    "since",
    "due_at",
    "is_overdue",
    "reclaim_at",
    "reason",
)

LeadArgument = Annotated[str, typer.Argument(help="The lead's id, its person's, or a contact's id in its source.")]
LeadsArgument = Annotated[list[str], typer.Argument(help="The lead's id, its person's, or a contact's; or several.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]
OwnerOption = Annotated[
    str | None, typer.Option("--owner", help="Who says so, by the owner's id; refused unless they have the lead.")
]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    lead = typer.Typer(no_args_is_help=True, help="Leads and who has them. 线索领取与流转.")
    lead.command("list")(list_)
    for command in (show, claim, release, accept, reject, transfer):
        lead.command(command.__name__)(command)
    app.add_typer(lead, name="lead")


def list_(
    workspace: WorkspaceOption = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only those this owner has.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Only those that wait in this pool.")] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="mql, sal or sql.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those with something overdue.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leads that sales may work on, as they stand now; the most overdue first. 线索列表."""
    with opened(workspace, language) as (now, policy, told):
        rows = list_leads(now, policy, Wanted(owner, pool, stage, overdue, limit), told)
    if as_json or rows:
        show_rows(rows if as_json else [{name: row[name] for name in SHOWN} for row in rows], as_json, language=told)
    if not as_json:
        typer.echo(say("lead_list_next" if rows else "lead_list_empty", told))


def show(lead: LeadArgument, workspace: WorkspaceOption = None, language: LanguageOption = None) -> None:
    """One lead: who has it and why, by when, who had it before, what was done and told. 线索详情."""
    with opened(workspace, language) as (now, policy, told):
        typer.echo(show_lead(now, policy, lead, told))


def claim(
    leads: LeadsArgument,
    owner: Annotated[str, typer.Option("--owner", help="Who takes it, by the owner's id.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Take a lead out of a pool; who claims has accepted. 领取."""
    _act(workspace, language, reason, leads, lambda desk, lead: desk.claim(lead, owner))


def release(
    leads: LeadsArgument,
    owner: OwnerOption = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Give a lead back to its pool. 退回公海."""
    _act(workspace, language, reason, leads, lambda desk, lead: desk.release(lead, owner))


def accept(
    leads: LeadsArgument,
    owner: OwnerOption = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """The owner takes the lead on: MQL becomes SAL. 接受."""
    _act(workspace, language, reason, leads, lambda desk, lead: desk.accept(lead, owner))


def reject(
    leads: LeadsArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; marketing learns from it.")],
    stage: Annotated[str, typer.Option("--stage", help="recycled (back to nurture) or disqualified.")] = "recycled",
    owner: OwnerOption = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
) -> None:
    """The lead is not for sales. 拒绝."""
    _act(workspace, language, reason, leads, lambda desk, lead: desk.reject(lead, owner, stage))


def transfer(
    leads: LeadsArgument,
    to: Annotated[str, typer.Option("--to", help="Who gets it, by the owner's id.")],
    owner: OwnerOption = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Hand a lead over to a colleague. 转交."""
    _act(workspace, language, reason, leads, lambda desk, lead: desk.transfer(lead, to, owner))


def _act(
    workspace: WorkspaceOption,
    language: str | None,
    reason: str,
    leads: list[str],
    deed: Callable[[LeadDesk, str], Done],
) -> None:
    """Do it with each lead, and say what was done."""
    with opened(workspace, language) as (now, policy, told):
        desk = LeadDesk(now, policy, said(workspace, reason, told))
        for lead in leads:
            typer.echo(deed(desk, lead).told(told))


def said(workspace: WorkspaceOption, reason: str, language: str) -> Said:
    """The person at the terminal, and why."""
    actor = getpass.getuser()
    return Said(make_person(find_workspace(workspace), actor), actor, reason, language)


@contextmanager
def opened(workspace: WorkspaceOption, language: str | None) -> Iterator[tuple[Now, RoutingPolicy, str]]:
    """The leads as they stand now, the rules of routing, and the language to answer in."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        yield (
            Now(con, ledger, at, settings.timezone),
            workspace_policy(root, RoutingPolicy),
            language or settings.language,
        )
