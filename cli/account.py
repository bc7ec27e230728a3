"""Decisions on companies from the terminal: merge, split, pin, succeed, keep, target, undo; show, review, holder."""

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.customers import claim, pool, release
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from tasks.account_decisions import (
    Decided,
    Desk,
    keep_account,
    merge_accounts,
    pin_field,
    place_of,
    rows_of_account,
    split_account,
    standing_of,
    succeed_account,
    target_account,
    undo_decision,
)
from tasks.find_account import find_account
from tasks.route.registration import check_registration, registration_lines
from tasks.runs import make_person
from tasks.summary import rows_of
from warehouse.database import connect_published
from warehouse.ledger import Ledger

AccountArgument = Annotated[str, typer.Argument(help="Account id, code, row or exact name.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
_DAYS = ["%Y-%m-%d"]
_REVIEW = "select * from marts.account_review order by deals desc, since desc, account_id, other_account_id, evidence"


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    account = typer.Typer(
        no_args_is_help=True, help="Decisions on companies; who holds them. 企业合并、拆分、报备查重."
    )
    for command in (
        merge,
        split,
        pin,
        succeed,
        keep,
        target,
        untarget,
        undo,
        show,
        review,
        holder,
        pool,
        claim,
        release,
    ):
        account.command()(command)
    app.add_typer(account, name="account")


@contextmanager
def _desk(workspace: Path | None, reason: str = "", language: str | None = None) -> Iterator[Desk]:
    root = find_workspace(workspace)
    settings = load_settings(root)
    actor = getpass.getuser()
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        yield Desk(con, ledger, make_person(root, actor), actor, reason, language or settings.language)


def _decide(
    workspace: Path | None, reason: str, language: str | None, as_json: bool, act: Callable[[Desk], Decided]
) -> None:
    """Take the decision and tell what it will do."""
    with _desk(workspace, reason, language) as desk:
        decided = act(desk)
    if as_json:
        effect = {"decision_id": decided.decision_id, **decided.effect}
        typer.echo(json.dumps(effect, ensure_ascii=False, default=str, indent=1))
    else:
        typer.echo("\n".join(decided.lines))


def merge(
    one: AccountArgument,
    other: AccountArgument,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two accounts are one company. 合并."""
    _decide(workspace, reason, language, as_json, lambda desk: merge_accounts(desk, one, other))


def split(
    account: AccountArgument,
    rows: Annotated[list[str], typer.Option("--rows", help="A row that leaves (see `account show`); repeat for more.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Some rows are another company. 拆分."""
    _decide(workspace, reason, language, as_json, lambda desk: split_account(desk, account, rows))


def pin(
    account: AccountArgument,
    field: Annotated[str, typer.Argument(help="For example employees.")],
    value: Annotated[str, typer.Argument(help="For example 120.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """A field has this value, whatever the lists say. 锁定字段."""
    _decide(workspace, reason, language, as_json, lambda desk: pin_field(desk, account, field, value))


def succeed(
    old: AccountArgument,
    new: AccountArgument,
    on: Annotated[datetime, typer.Option("--on", formats=_DAYS, help="From that day on.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """One legal person carries on for another (个转企); they stay two accounts. 承继."""
    _decide(workspace, reason, language, as_json, lambda desk: succeed_account(desk, old, new, on.date()))


def keep(
    account: AccountArgument,
    other: Annotated[str | None, typer.Argument(help="Only the doubt towards this account.")] = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """It was looked at and stays as it is: no longer for review. 维持现状."""
    _decide(workspace, reason, language, as_json, lambda desk: keep_account(desk, account, other))


def target(
    account: AccountArgument,
    tier: Annotated[str, typer.Option("--tier", help="For example 1.")],
    owner: Annotated[str | None, typer.Option("--owner", help="Owner id of who looks after it.")] = None,
    from_: Annotated[datetime | None, typer.Option("--from", formats=_DAYS, help="First day; default: today.")] = None,
    to: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Last day; default: without end.")] = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an account on the target list. 列入目标客户."""
    days = {"valid_from": from_, "valid_to": to}
    entry = {"tier": tier, "owner_id": owner, **{name: at and at.date().isoformat() for name, at in days.items()}}
    _decide(workspace, reason, language, as_json, lambda desk: target_account(desk, account, entry))


def untarget(
    account: AccountArgument,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an account off the target list, whatever rules and files say. 移出目标客户."""
    _decide(workspace, reason, language, as_json, lambda desk: target_account(desk, account, None))


def undo(
    decision: Annotated[str, typer.Argument(help="The decision's id.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a decision back. 撤销."""
    _decide(workspace, reason, language, as_json, lambda desk: undo_decision(desk, decision))


def show(
    account: AccountArgument,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """An account's rows, the decisions on it, and its doubts: what to know before deciding. 查看."""
    with _desk(workspace, language=language) as desk:
        found = find_account(desk.con, account)
        about = rows_of(
            desk.con, "select account_id, name, uscc from resolved.accounts where account_id = $id", id=found.account_id
        )[0]
        rows = rows_of_account(desk.con, found.account_id)
        decisions = standing_of(desk, [row["row_id"] for row in rows])
        doubts = rows_of(desk.con, f"from ({_REVIEW}) where account_id = $id", id=found.account_id)
        spoken = desk.language
    if as_json:
        answer = {**about, "former_id": found.former_id, "rows": rows, "decisions": decisions, "doubts": doubts}
        typer.echo(json.dumps(answer, ensure_ascii=False, default=str, indent=1))
        return
    if found.former_id:
        typer.echo(say("account_followed", spoken, former=found.former_id, account_id=found.account_id))
    typer.echo(say("show_account", spoken, **about))
    typer.echo(say("show_rows", spoken))
    for row in rows:
        shown = {"row": row["row_id"], "method": row["method"], "evidence": row["evidence"] or ""}
        typer.echo(say("show_row", spoken, uscc=row["code"] or "-", file=place_of(row), **shown))
    _show_each("show_decision", decisions, spoken)
    _show_each("show_doubt", doubts, spoken)
    typer.echo(say("show_next", spoken, account_id=found.account_id))


def _show_each(message: str, rows: list[dict[str, Any]], language: str) -> None:
    if rows:
        typer.echo(say(f"{message}s", language))
    for row in rows:
        typer.echo(say(message, language, **{name: "" if value is None else value for name, value in row.items()}))


def review(
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
) -> None:
    """The directory's doubts, those with most deals at stake first. 名录待复核."""
    with _desk(workspace, language=language) as desk:
        rows = rows_of(desk.con, f"{_REVIEW} limit $limit", limit=limit)
        spoken = desk.language
    if as_json or rows:
        show_rows(rows, as_json, language=spoken)
    if not as_json:
        typer.echo(say("review_next" if rows else "review_nothing", spoken))


def holder(
    company: Annotated[str, typer.Argument(help="A name as you would type it, a code, or an account id.")],
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who holds this company or its group, is it followed, may another team take it. 报备查重."""
    with _desk(workspace, language=language) as desk:
        checked = check_registration(desk.con, company)
        spoken = desk.language
    if as_json:
        typer.echo(json.dumps(checked.as_json(), ensure_ascii=False, default=str, indent=1))
    else:
        typer.echo("\n".join(registration_lines(checked, spoken)))
