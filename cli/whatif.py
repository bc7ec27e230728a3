"""What if: the past under other rules; nothing is written."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from cli.whatif_attribution import attribution
from cli.whatif_options import (
    MOST_SHOWN,
    ConfigOption,
    FromOption,
    OutOption,
    RulesOption,
    SetOption,
    ToOption,
    changes_given,
)


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    group = typer.Typer(no_args_is_help=True, help="What if other rules had held; nothing is written. 假设分析.")
    group.command()(scoring)
    group.command()(routing)
    group.command()(attribution)
    app.add_typer(group, name="whatif")


def scoring(
    set_: SetOption = None,
    config: ConfigOption = None,
    rules: RulesOption = None,
    icp: Annotated[
        Path | None, typer.Option("--icp", help="Another ideal customer profile, a file like icp.yaml. 其他画像")
    ] = None,
    since: FromOption = None,
    until: ToOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which leads would be MQL, when, and how precision, recall and sales' load would move. 评分假设分析."""
    from scoring.policies.icp import IcpPolicy
    from scoring.policies.scoring import ScoringPolicy
    from scoring.policies.tags import TagsPolicy
    from tasks.table_files import refuse_other_endings, write_table
    from tasks.whatif.history import open_history, other_rules
    from tasks.whatif.scoring import Rules, whatif_scoring

    if out is not None:
        refuse_other_endings(out)
    root = find_workspace(workspace)
    spoken = language or load_settings(root).language
    with open_history(root) as history:
        tried = Rules(
            other_rules(history, ScoringPolicy, config, rules, changes_given(set_)),
            other_rules(history, IcpPolicy, config, icp, {}),
            other_rules(history, TagsPolicy, config, None, {}),
        )
        answer = whatif_scoring(history, tried, since and since.date(), until and until.date())
    if out is not None:
        write_table(answer.changes, out)
    if as_json:
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False, default=str))
        return
    typer.echo(say("whatif_scoring_period", spoken, since=answer.since, until=answer.until, leads=answer.leads))
    before, after = answer.before.to_json(), answer.after.to_json()
    rows = [
        {"": say(f"whatif_{name}", spoken), "before": _told(before[name]), "after": _told(after[name])}
        for name in before
    ]
    show_rows(rows)
    typer.echo(say("whatif_scoring_changed", spoken, **answer.counts()))
    show_rows([_short(row) for row in answer.changes.slice(0, MOST_SHOWN).to_pylist()])
    left = answer.changes.num_rows - MOST_SHOWN
    if left > 0 and out is None:
        typer.echo(say("whatif_more", spoken, rows=f"{left:,}"))
    typer.echo(say("whatif_scoring_bias", spoken))
    typer.echo(say("whatif_written", spoken, out=out) if out else say("whatif_nothing_written", spoken))


def routing(
    set_: SetOption = None,
    config: ConfigOption = None,
    rules: RulesOption = None,
    since: FromOption = None,
    until: ToOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who would have had which lead; load and fairness, what is late, what is taken back. 分配假设分析."""
    from scoring.policies.routing import RoutingPolicy
    from tasks.table_files import refuse_other_endings, write_table
    from tasks.whatif.history import open_history, other_rules
    from tasks.whatif.routing import whatif_routing

    if out is not None:
        refuse_other_endings(out)
    root = find_workspace(workspace)
    spoken = language or load_settings(root).language
    with open_history(root) as history:
        policy = other_rules(history, RoutingPolicy, config, rules, changes_given(set_))
        answer = whatif_routing(history, policy, since and since.date(), until and until.date(), spoken)
    if out is not None:
        write_table(answer.changes, out)
    if as_json:
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False, default=str))
        return
    typer.echo(say("whatif_routing_period", spoken, since=answer.since, until=answer.until, leads=answer.leads))
    before, after = answer.before.to_json(), answer.after.to_json()
    show_rows(
        [
            {"": say(f"whatif_{name}", spoken), "before": _told(before[name]), "after": _told(after[name])}
            for name in before
        ]
    )
    show_rows(answer.owners.slice(0, MOST_SHOWN).to_pylist())
    typer.echo(say("whatif_routing_changed", spoken, leads=answer.changes.num_rows))
    show_rows(answer.changes.slice(0, MOST_SHOWN).to_pylist())
    typer.echo(say("whatif_routing_bias", spoken))
    typer.echo(say("whatif_written", spoken, out=out) if out else say("whatif_routing_nothing_written", spoken))


def _told(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}" if value > 1 else f"{value:.3f}"


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A changed lead in one line."""
    days = {name: row[name].date() if row[name] else None for name in ("mql_at_before", "mql_at_after")}
    shown = ("lead_id", "account", "fit_grade", "change", "stage_before", "stage_after", "outcome")
    return {**{name: row[name] for name in shown[:4]}, **days, **{name: row[name] for name in shown[4:]}}
