"""What if deals were shared by another model or window: what moves, by campaign; nothing is written."""

import json
from typing import Annotated, Any

import typer

from abmloop.errors import BadUsage
from abmloop.messages import say
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.show import show_rows
from cli.whatif_options import MOST_SHOWN, OutOption, RulesOption, SetOption, changes_given


def attribution(
    model: Annotated[
        str | None, typer.Option(help="linear, w_shaped, markov, … or a custom one; default: today's.")
    ] = None,
    lookback_days: Annotated[float | None, typer.Option(help="Days before the anchor; 0 = without end.")] = None,
    people: Annotated[str | None, typer.Option(help="all_people, deal_contacts or primary_contact.")] = None,
    set_: SetOption = None,
    rules: RulesOption = None,
    basis: Annotated[str, typer.Option(help="pipeline, signed, invoiced or cash.")] = "pipeline",
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each campaign would have earned by another model, window or circle of people. 归因假设分析."""
    from scoring.policies.attribution import AttributionPolicy
    from tasks.table_files import refuse_other_endings, write_table
    from tasks.whatif.attribution import BASES, whatif_attribution
    from tasks.whatif.history import open_history, other_rules

    if basis not in BASES:
        raise BadUsage(f"--basis {basis}: there are {', '.join(BASES)}")
    if out is not None:
        refuse_other_endings(out)
    root = find_workspace(workspace)
    spoken = language or load_settings(root).language
    changes = changes_given(set_)
    changes |= {"lookback_days": str(lookback_days)} if lookback_days is not None else {}
    changes |= {"people": people} if people is not None else {}
    with open_history(root) as history:
        policy = other_rules(history, AttributionPolicy, None, rules, changes)
        answer = whatif_attribution(history, policy, model)
    if out is not None:
        write_table(answer.campaigns, out)
    if as_json:
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False, default=str))
        return
    told = (_setting(answer.before, answer.after), _setting(answer.after, answer.before))
    typer.echo(say("whatif_attribution_settings", spoken, deals=answer.deals, before=told[0], after=told[1]))
    rows = answer.of_basis(basis)
    moved = [row for row in rows if row["difference"]]
    total = f"{sum((row['after'] for row in rows), start=0):,}"
    named = {"basis": basis, "moved": len(moved), "campaigns": len(rows), "total": total}
    typer.echo(say("whatif_attribution_moved", spoken, **named))
    show_rows([_short(row) for row in moved[:MOST_SHOWN]])
    if len(moved) > MOST_SHOWN and out is None:
        typer.echo(say("whatif_more", spoken, rows=f"{len(moved) - MOST_SHOWN:,}"))
    typer.echo(say("whatif_attribution_unwritten", spoken))


def _setting(setting: dict[str, Any], other: dict[str, Any]) -> str:
    """The model, the window and the people, and whatever else differs between the two."""
    always = ("model", "lookback_days", "people")
    return ", ".join(f"{name} {value}" for name, value in setting.items() if name in always or value != other[name])


def _short(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: f"{row[name]:,}" for name in ("before", "after", "difference")}
    return {"campaign": row["campaign"], **amounts}
