"""What if: the past under other rules; nothing is written."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from abmloop.messages import say
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import in_words
from cli.whatif_attribution import attribution
from cli.whatif_frame import (
    ConfigOption,
    FromOption,
    OutOption,
    RulesOption,
    SetOption,
    ToOption,
    changes_given,
    show_both,
    show_first,
    the_past,
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
    from tasks.table_files import write_table
    from tasks.whatif.history import other_rules
    from tasks.whatif.scoring import Rules, whatif_scoring

    with the_past(workspace, language, out) as (history, spoken):
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
    show_both(answer.before.to_json(), answer.after.to_json(), spoken)
    typer.echo(say("whatif_scoring_changed", spoken, **answer.counts()))
    kinds = {"change": "whatif_change", "stage_before": "stage", "stage_after": "stage", "outcome": "outcome"}
    show_first(in_words([_short(row) for row in answer.changes.to_pylist()], spoken, **kinds), spoken, out)
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
    from tasks.table_files import write_table
    from tasks.whatif.history import other_rules
    from tasks.whatif.routing import whatif_routing

    with the_past(workspace, language, out) as (history, spoken):
        policy = other_rules(history, RoutingPolicy, config, rules, changes_given(set_))
        answer = whatif_routing(history, policy, since and since.date(), until and until.date())
    if out is not None:
        write_table(answer.changes, out)
    if as_json:
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False, default=str))
        return
    typer.echo(say("whatif_routing_period", spoken, since=answer.since, until=answer.until, leads=answer.leads))
    show_both(answer.before.to_json(), answer.after.to_json(), spoken)
    show_first(answer.owners.to_pylist(), spoken, None)
    typer.echo(say("whatif_routing_changed", spoken, leads=answer.changes.num_rows))
    show_first(answer.changes.to_pylist(), spoken, out)
    typer.echo(say("whatif_routing_bias", spoken))
    typer.echo(say("whatif_written", spoken, out=out) if out else say("whatif_routing_nothing_written", spoken))


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A changed lead in one line."""
    days = {name: row[name].date() if row[name] else None for name in ("mql_at_before", "mql_at_after")}
    shown = ("lead_id", "account", "fit_grade", "change", "stage_before", "stage_after", "outcome")
    return {**{name: row[name] for name in shown[:4]}, **days, **{name: row[name] for name in shown[4:]}}
