"""The customer pool from the terminal, under `abmloop account`: pool, claim, release."""

from typing import Annotated

import typer

from abmloop.messages import say
from cli.lead import OwnerOption, ReasonOption, opened, said
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from tasks.route.customers import CustomerDesk
from tasks.summary import rows_of

CustomerArgument = Annotated[str, typer.Argument(help="Account id, code, row or exact name.")]
_POOL = "select * from marts.customer_pool order by state, coalesce(left_at, due_on), account_id"


def pool(workspace: WorkspaceOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """Customers in the customer pool, and those about to fall into it, as of the last sync. 客户公海."""
    with opened(workspace, language) as (now, _, told):
        rows = rows_of(now.con, _POOL)
    if as_json or rows:
        show_rows(rows, as_json, language=told)
    if not as_json:
        typer.echo(say("customer_pool_next" if rows else "customer_pool_empty", told))


def claim(
    account: CustomerArgument,
    owner: Annotated[str, typer.Option("--owner", help="Who takes it, by the owner's id.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Take a customer out of the customer pool. 领取客户."""
    with opened(workspace, language) as (now, policy, told):
        account_id = CustomerDesk(now, policy, said(workspace, reason, told)).claim(account, owner)
        typer.echo(say("customer_claimed", told, owner=owner, account=account_id))


def release(
    account: CustomerArgument,
    owner: OwnerOption = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Give a customer back to the customer pool. 退回客户公海."""
    with opened(workspace, language) as (now, policy, told):
        account_id = CustomerDesk(now, policy, said(workspace, reason, told)).release(account, owner)
        typer.echo(say("customer_released", told, account=account_id))
