"""What if deals were shared by another model or window: what moves, by campaign; nothing is written."""

import json
from typing import Annotated, Any

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from cli.options import JsonOption, LanguageOption, WorkspaceOption
from cli.whatif_frame import OutOption, RulesOption, SetOption, changes_given, show_first, the_past


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
    from tasks.table_files import write_table
    from tasks.whatif.attribution import BASES, whatif_attribution
    from tasks.whatif.history import other_rules

    if basis not in BASES:
        raise BadUsage(said("usage_basis", asked=basis, known=", ".join(BASES)))
    changes = changes_given(set_)
    changes |= {"lookback_days": str(lookback_days)} if lookback_days is not None else {}
    changes |= {"people": people} if people is not None else {}
    with the_past(workspace, language, out) as (history, spoken):
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
    typer.echo(say("whatif_attribution_moved" if answer.is_summed else "whatif_attribution_influence", spoken, **named))
    show_first([_short(row) for row in moved], spoken, out)
    typer.echo(say("whatif_attribution_unwritten", spoken))


def _setting(setting: dict[str, Any], other: dict[str, Any]) -> str:
    """The model, the window and the people, and whatever else differs between the two."""
    always = ("model", "lookback_days", "people")
    return ", ".join(f"{name} {value}" for name, value in setting.items() if name in always or value != other[name])


def _short(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: f"{row[name]:,}" for name in ("before", "after", "difference")}
    return {"campaign": row["campaign"], **amounts}
