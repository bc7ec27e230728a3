"""What was refused: by rule, file or source, open and healed; as files to correct and drop again."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.policy import parse_policy
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_refused_files, show_rows
from scoring.policies.sources import SourcesPolicy
from tasks.policies import read_config
from tasks.quality.refusals import GROUPS, STATES, Asked, count_refusals, show_refusals
from tasks.runs import make_person
from warehouse.database import connect_published, connect_to_look
from warehouse.ledger import Ledger

RuleOption = Annotated[str | None, typer.Option("--rule", help="Only this rule.")]
FileOption = Annotated[str | None, typer.Option("--file", help="Only this file, by its name or path in the inbox.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Only this source.")]
EntityOption = Annotated[str | None, typer.Option("--entity", help="Only rows of this kind.")]
StateOption = Annotated[str, typer.Option("--state", help="open, healed or all.")]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    quarantine = typer.Typer(no_args_is_help=True, help="What was refused, and why. 拒收的数据.")
    for name, command in (("list", list_), ("show", show), ("export", export)):
        quarantine.command(name)(command)
    app.add_typer(quarantine, name="quarantine")


def _refusals(root: Path) -> duckdb.DuckDBPyConnection:
    """Where the last run's refusals stand: in the published file, or in the warehouse if the run did not get so far."""
    from tasks.doctor import status_rows

    last = status_rows(root)[:1]
    return connect_to_look(root) if last and last[0]["state"] != "done" else connect_published(root)


def _known(value: str, known: tuple[str, ...], option: str) -> str:
    if value not in known:
        raise BadUsage(said("usage_quarantine_option", option=option, value=value, known=", ".join(known)))
    return value


def list_(
    workspace: WorkspaceOption = None,
    by: Annotated[str, typer.Option("--by", help="rule, file or source.")] = "rule",
    state: StateOption = "open",
    file: FileOption = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """How many rows were refused, by rule, file or source; those still open and those healed. 拒收汇总."""
    asked = Asked(file=file, source=source, state=_known(state, STATES, "state"))
    root = find_workspace(workspace)
    language = load_settings(root).language
    with _refusals(root) as con:
        show_rows(count_refusals(con, asked, _known(by, GROUPS, "by")), as_json, language=language)
        if not as_json:
            show_refused_files(con, language)


def show(
    name: Annotated[str | None, typer.Argument(help="A rule, a file's name, a line, or a row's number (Q…).")] = None,
    workspace: WorkspaceOption = None,
    state: StateOption = "open",
    file: FileOption = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(help="At most so many rows.")] = 20,
) -> None:
    """The refused rows of a rule, file or line, with what to do. 拒收明细."""
    asked = Asked(file=file, source=source, state=_known(state, STATES, "state"))
    with _refusals(find_workspace(workspace)) as con:
        rows = show_refusals(con, asked, name, limit)
    if as_json or not rows:
        show_rows(rows, as_json)
    for row in [] if as_json else rows:
        typer.echo(_refusal(row))


def _refusal(row: dict[str, Any]) -> str:
    """A refused row as a paragraph: its values are too long for a table's column."""
    sheet = f" ({row['sheet']})" if row["sheet"] else ""
    asked = f"{row['column_name']}: " if row["column_name"] else ""
    said = str(row["message"]).removeprefix(f"line {row['line']}: ").removeprefix(asked)
    value = "".join(char if char.isprintable() else " " for char in str(row["value"] or ""))
    place = f"{row['file_name']}{sheet}, line {row['line']}  [{row['rule']}]  {row['refused_id']}"
    healed = f"→ {row['healed_by']}, {row['healed_on']} ({row['how']})" if row["healed_by"] else ""
    return "\n  ".join(filter(None, [place, f"{asked}{said} {row['hint'] or ''}".rstrip(), value, healed])) + "\n"


def export(
    workspace: WorkspaceOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="The folder; default: exports/refused.")] = None,
    form: Annotated[str, typer.Option("--format", help="xlsx or csv.")] = "xlsx",
    rule: RuleOption = None,
    file: FileOption = None,
    source: SourceOption = None,
    entity: EntityOption = None,
) -> None:
    """The open refused rows as received, with the reason beside: correct them and drop them again. 导出拒收数据."""
    from tasks.quality.exporting import FORMATS, export_refused

    root = find_workspace(workspace)
    settings, actor = load_settings(root), getpass.getuser()
    policy = parse_policy(read_config(root).get(SourcesPolicy.file_name, "{}"), SourcesPolicy)
    asked = Asked(rule=rule, file=file, source=source, entity=entity)
    with connect_to_look(root) as con:
        written = export_refused(
            con, policy, asked, out or root / "exports" / "refused", _known(form, FORMATS, "format")
        )
    with Ledger.of(root, settings.ledger_url) as ledger:
        by = make_person(root, actor)
        ledger.append(
            "audit",
            [
                {"actor": actor, "action": "export refused rows", "object": each.inbox, "detail": f"{each.rows} rows"}
                for each in written
            ],
            by,
        )
    for each in written:
        typer.echo(f"{each.path}: {each.rows:,} → inbox/{each.inbox}")
    typer.echo(say("quality.export_next" if written else "quality.export_nothing", settings.language))
