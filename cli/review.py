"""Working the match queue from the terminal (list, accept, choose, create, reject, undo), or as a sheet."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import in_words, show_rows
from tasks.match.decisions import record_review, undo_review
from tasks.match.model import model_list, roll_back, train_model
from tasks.match.review_queue import decided_list, review_list
from tasks.runs import make_person
from warehouse.database import connect_published
from warehouse.ledger import Ledger

# What fits a terminal; --json has all of it, `abmloop explain person` says why.
SHOWN = (
    "person_id", "company_name", "account_name", "account_city", "confidence", "method", "stake", "alike",
    "runner_up_name",
)  # fmt: skip
SHOWN_DECIDED = ("decision_id", "verdict", "company_name", "account_name", "actor", "decided_on", "is_in_use")

# The columns that hold codes of ours, and what these are named by.
_CODES = {"method": "match_method", "verdict": "review_word"}

PersonArgument = Annotated[str, typer.Argument(help="The person's id, from `abmloop review list`, or a contact's id.")]
PersonsArgument = Annotated[list[str], typer.Argument(help="The person's id, from `abmloop review list`; or several.")]
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
        ("export", export),
        ("import", import_),
        ("train", train),
        ("models", models),
        ("rollback", rollback),
    ):
        review.command(name)(command)
    app.add_typer(review, name="review")


def queue(
    workspace: WorkspaceOption = None,
    decided: Annotated[bool, typer.Option("--decided", help="What was decided so far, newest first.")] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
) -> None:
    """The least certain matches with the most at stake, first. 待复核列表."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        found = decided_list(con, ledger, limit) if decided else review_list(con, limit, ledger)
    names = SHOWN_DECIDED if decided else SHOWN
    told = language or settings.language
    if as_json or found:
        rows = found if as_json else in_words([{name: row[name] for name in names} for row in found], told, **_CODES)
        show_rows(rows, as_json, language=told)
    if not as_json:
        topic = "decided" if decided else "queue"
        code = f"match_{topic}_next" if found else f"match_{topic}_empty"
        typer.echo(say(code, told))


def _record(
    workspace: WorkspaceOption, persons: Sequence[str], verdict: str, account: str | None, told: tuple[str, str | None]
) -> None:
    """Write one verdict for each person; `told`: the reason, and the language to answer in."""
    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    reason, language = told[0], told[1] or settings.language
    by = make_person(root, actor)
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        for person in persons:
            decision = record_review(con, ledger, by, person, verdict, account, actor, reason)
            typer.echo(say("match_recorded", language, decision_id=decision, verdict=verdict, person=person))


def accept(
    persons: PersonsArgument,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """The proposed company is right; the name given is one of its names from now on. 接受."""
    _record(workspace, persons, "accept", None, (reason, language))


def choose(
    person: PersonArgument,
    account: Annotated[str, typer.Option("--account", help="The right company: id, code, row or exact name.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Another company is right. 另选."""
    _record(workspace, [person], "choose", account, (reason, language))


def create(
    persons: PersonsArgument,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """The company is not in the directory: it gets an account of its own until a list names it. 新建."""
    _record(workspace, persons, "create", None, (reason, language))


def reject(
    persons: PersonsArgument,
    account: Annotated[str | None, typer.Option("--account", help="Not the one proposed, but this one.")] = None,
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """The proposed company is wrong; it is not offered again. 拒绝."""
    _record(workspace, persons, "reject", account, (reason, language))


def undo(
    decision: Annotated[str, typer.Argument(help="The decision's id, from `abmloop review list --decided`.")],
    workspace: WorkspaceOption = None,
    reason: ReasonOption = "",
    language: LanguageOption = None,
) -> None:
    """Take a decision back. 撤销."""
    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    told = language or settings.language
    with Ledger.of(root, settings.ledger_url) as ledger:
        undone = undo_review(ledger, make_person(root, actor), decision, actor, reason)
    typer.echo(say("match_undone", told, undoing=undone, decision_id=decision))


def export(
    workspace: WorkspaceOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .xlsx or .csv; default: exports/review.xlsx.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    language: LanguageOption = None,
) -> None:
    """The queue as a sheet with a column for the decision. 导出待复核表."""
    from tasks.match.review_sheet import export_review

    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    told, path = language or settings.language, out or root / "exports" / "review.xlsx"
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        rows = export_review(con, ledger, path, told, limit)
        line = {"actor": actor, "action": "export review queue", "object": path.name, "detail": f"{rows} rows"}
        ledger.append("audit", [line], make_person(root, actor))
    typer.echo(say("review_exported", told, path=path, rows=rows))


def import_(
    file: Annotated[Path, typer.Argument(help="A sheet of `abmloop review export`, filled in.")],
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
) -> None:
    """Take the decisions of a filled-in sheet: all of them, or none and what is wrong where. 导入复核结果."""
    from tasks.match.review_sheet import import_review

    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    told = language or settings.language
    with connect_published(root) as con, Ledger.of(root, settings.ledger_url) as ledger:
        done = import_review(con, ledger, file, (make_person(root, actor), actor))
    typer.echo(say("review_imported", told, decisions=len(done.decisions), known=done.known, empty=done.empty))


def train(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Learn from accepted and rejected matches; counts from the next sync on. 用复核结果再训练."""
    root = find_workspace(workspace)
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        show_rows([train_model(root, ledger)], as_json)
    if not as_json:
        typer.echo(say("told_judge_in_use", load_settings(root).language))


def models(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """The judges of matches there are, and which is in use. 匹配模型版本."""
    root = find_workspace(workspace)
    show_rows(model_list(root), as_json, language=load_settings(root).language)


def rollback(workspace: WorkspaceOption = None) -> None:
    """Use the judge of matches before the current one again. 回退到上一版匹配模型."""
    root = find_workspace(workspace)
    typer.echo(say("told_judge_rolled_back", load_settings(root).language, version=roll_back(root)))
