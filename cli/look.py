"""Looking: explain, sql, report, inspect, mappings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.policy import parse_policy
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from cli.spoken import reader
from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities
from tasks.policies import read_config
from tasks.summary import rows_of
from warehouse.database import connect_published

Explain = Callable[..., Any]
Facts = Callable[[duckdb.DuckDBPyConnection, str], dict[str, Any]]


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    for command in (explain, sql, report, inspect, mappings):
        app.command()(command)


def _explainers() -> dict[str, Explain]:
    from tasks.explain.account import explain_account
    from tasks.explain.campaign import explain_campaign
    from tasks.explain.deal import explain_deal
    from tasks.explain.lead import explain_lead
    from tasks.explain.person import explain_person

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
    why_not: Annotated[
        str | None, typer.Option(help="Why not that stage; of a lead also a sales person or a pool.")
    ] = None,
) -> None:
    """Why: each value, score, match, owner, credit and what it came from (--json: as data). 解释."""
    explainers = _explainers()
    if kind not in explainers:
        raise BadUsage(said("usage_explain_kind", kind=kind, known=", ".join(explainers)))
    if why_not is not None and kind not in ("account", "lead"):
        raise BadUsage(said("usage_explain_why_not", kind=kind))
    root = find_workspace(workspace)
    spoken = language or load_settings(root).language
    with connect_published(root) as con:
        if as_json:
            typer.echo(json.dumps(_facts(kind)(con, key), ensure_ascii=False, default=str, indent=1))
            return
        asked = {} if why_not is None else {"why_not": why_not}
        answer = explainers[kind](con, key, spoken, **asked)
    typer.echo(answer if isinstance(answer, str) else "\n".join(answer))


def _facts(kind: str) -> Facts:
    """What is stored, for scripts."""
    from tasks.explain.account_facts import account_facts
    from tasks.explain.campaign_facts import campaign_facts
    from tasks.explain.deal_facts import deal_facts
    from tasks.explain.lead_facts import lead_facts
    from tasks.explain.person_facts import person_facts

    known: dict[str, Facts] = {
        "account": account_facts,
        "person": person_facts,
        "lead": lead_facts,
        "deal": deal_facts,
        "campaign": campaign_facts,
    }
    return known[kind]


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
            raise BadUsage(said("usage_sql", problem=error)) from error
    if out is None:
        show_rows(rows, as_json)
    else:
        typer.echo(say("told_rows_written", reader(), rows=f"{len(rows):,}", path=out))


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

    root = find_workspace(workspace)
    language = load_settings(root).language
    for path in write_report(root):
        typer.echo(say("told_written", language, path=path))


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
        raise BadUsage(said("usage_inspect_no_file", path=file))
    if entity is not None and entity not in entities():
        raise BadUsage(said("usage_inspect_no_entity", entity=entity, known=", ".join(entities())))
    policy, settled, inbox = _sources(workspace)
    name = f"{entity}/{file.name}" if entity else name_in_inbox(file, policy, inbox)
    spoken = language or settled
    found = inspect_file(file, name, policy, spoken) if name else inspect_any(file, policy, spoken)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for line in inspection_lines(found, spoken):
        typer.echo(line)


def mappings(
    name: Annotated[str | None, typer.Argument(help="Of this one also the headers it knows.")] = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
) -> None:
    """The exports of other tools that are known by their header: drop them as they are into inbox/exports. 现成映射."""
    from tasks.land.mapping_lines import mapping_lines

    for line in mapping_lines(name, language or _sources(workspace)[1]):
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
