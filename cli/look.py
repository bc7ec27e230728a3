"""Looking: explain, sql, report, quarantine, inspect."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from abmloop.errors import BadUsage
from abmloop.policy import parse_policy
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities
from tasks.policies import read_config
from tasks.summary import refused_rows, rows_of
from warehouse.database import connect_published, connect_to_look

Explain = Callable[[duckdb.DuckDBPyConnection, str, str], Any]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    for command in (explain, sql, report, inspect):
        app.command()(command)
    quarantine = typer.Typer(no_args_is_help=True, help="What was refused, and why. 拒收的数据.")
    quarantine.command("list")(quarantine_list)
    quarantine.command("show")(quarantine_show)
    app.add_typer(quarantine, name="quarantine")


def _explainers() -> dict[str, Explain]:
    from tasks.explain_account import explain_account
    from tasks.explain_deal import explain_campaign, explain_deal
    from tasks.explain_lead import explain_lead
    from tasks.explain_person import explain_person

    return {
        "account": explain_account,
        "person": explain_person,
        "lead": explain_lead,
        "deal": explain_deal,
        "campaign": explain_campaign,
    }


def explain(
    kind: Annotated[str, typer.Argument(help="account, person, lead, deal or campaign")],
    key: Annotated[str, typer.Argument(help="Its id; for an account also its code or name.")],
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why: each value, score, match, owner and credit with what it came from (accounts also as JSON). 解释."""
    explainers = _explainers()
    if kind not in explainers:
        raise BadUsage(f"explain {kind}: there is no such kind; it is one of {', '.join(explainers)}")
    if as_json and kind != "account":
        raise BadUsage(f"explain {kind}: --json is there for accounts only; `abmloop sql QUERY --json` has the tables")
    root = find_workspace(workspace)
    spoken = language or load_settings(root).language
    with connect_published(root) as con:
        if as_json:
            from tasks.account_facts import account_facts

            typer.echo(json.dumps(account_facts(con, key, spoken), ensure_ascii=False, default=str, indent=1))
            return
        answer = explainers[kind](con, key, spoken)
    typer.echo(answer if isinstance(answer, str) else "\n".join(answer))


def sql(
    query: Annotated[str, typer.Argument(help='For example "select * from marts.campaign_roi limit 5".')],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write CSV or Parquet instead of printing.")] = None,
) -> None:
    """Ask the published file in SQL; `select * from marts.dictionary` tells what there is. SQL 查询."""
    with connect_published(find_workspace(workspace)) as con:
        try:
            rows = rows_of(con, query) if out is None else _write(con, query, out)
        except duckdb.Error as error:
            raise BadUsage(f'sql: {error}\nWhat there is: abmloop sql "select * from marts.dictionary"') from error
    if out is None:
        show_rows(rows, as_json)
    else:
        typer.echo(f"{len(rows):,} rows written: {out}")


def _write(con: duckdb.DuckDBPyConnection, query: str, out: Path) -> list[dict[str, Any]]:
    import pyarrow.csv as arrow_csv
    import pyarrow.parquet as arrow_parquet

    table = con.sql(query).to_arrow_table()
    if out.suffix == ".parquet":
        arrow_parquet.write_table(table, out)
    else:
        arrow_csv.write_csv(table, out)
    return [{}] * int(table.num_rows)


def report(workspace: WorkspaceOption = None) -> None:
    """Write the report of the published figures: one HTML file per language, nothing fetched. 报告."""
    from tasks.report import report as write_report

    for path in write_report(find_workspace(workspace)):
        typer.echo(f"Written: {path}")


def inspect(
    file: Annotated[Path, typer.Argument(help="Any list.")],
    entity: Annotated[str | None, typer.Option(help="What its rows are; default: by its folder, else guessed.")] = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a file is, how each header was understood, what would be refused; nothing is loaded. 检查文件."""
    from tasks.land.inspecting import inspect_any, inspect_file, name_in_inbox
    from tasks.land.telling import inspection_lines

    if not file.is_file():
        raise BadUsage(f"inspect: {file} is no file")
    if entity is not None and entity not in entities():
        raise BadUsage(f"inspect: there is no entity {entity}; there are {', '.join(entities())}")
    policy, said, inbox = _sources(workspace)
    name = f"{entity}/{file.name}" if entity else name_in_inbox(file, policy, inbox)
    spoken = language or said
    found = inspect_file(file, name, policy, spoken) if name else inspect_any(file, policy, spoken)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for line in inspection_lines(found, spoken):
        typer.echo(line)


def _sources(workspace: Path | None) -> tuple[SourcesPolicy, str, Path | None]:
    """The workspace's sources, language and inbox; the defaults where there is no workspace."""
    try:
        root = find_workspace(workspace)
    except BadUsage:
        if workspace is not None:
            raise
        return SourcesPolicy(), "en", None
    text = read_config(root).get(SourcesPolicy.file_name, "{}")
    return parse_policy(text, SourcesPolicy), load_settings(root).language, root / "inbox"


def _refusals(workspace: Path | None) -> duckdb.DuckDBPyConnection:
    """Where the last run's refusals stand: in the published file, or in the warehouse if the run did not get so far."""
    from tasks.doctor import status_rows

    root = find_workspace(workspace)
    last = status_rows(root)[:1]
    return connect_to_look(root) if last and last[0]["state"] != "done" else connect_published(root)


def quarantine_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """How many rows each rule refused, by entity and column. 拒收汇总."""
    with _refusals(workspace) as con:
        show_rows(refused_rows(con), as_json)


def quarantine_show(
    rule: Annotated[str, typer.Argument(help="A rule of `quarantine list`, or a file's name.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(help="At most so many rows.")] = 20,
) -> None:
    """The refused rows of a rule or file, with what to do. 拒收明细."""
    with _refusals(workspace) as con:
        rows = rows_of(
            con,
            """
            select file_name, sheet, line, column_name, value, rule, message, hint
            from quality.quarantine where rule = $asked or file_name like '%' || $asked || '%'
            order by file_name, sheet, line limit $limit
            """,
            asked=rule,
            limit=limit,
        )
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
    place = f"{row['file_name']}{sheet}, line {row['line']}  [{row['rule']}]"
    return "\n  ".join(filter(None, [place, f"{asked}{said} {row['hint'] or ''}".rstrip(), value])) + "\n"
