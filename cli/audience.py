"""Lists that leave the house: ad audiences, call lists, mail lists, each through the gate; shown first, then made."""

from collections.abc import Callable
from typing import Annotated

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.run import Run
from abmloop.settings import find_workspace, load_settings
from cli.options import AsOfOption, JsonOption, WorkspaceOption
from cli.show import show_rows
from scoring.policies.audiences import AudiencesPolicy, Kind, ListRule
from tasks.outbound.lists.desk import find_rule, least_members
from tasks.outbound.lists.export import Asked, confirm_upload
from tasks.outbound.lists.steps import make_list, plan_list
from tasks.outbound.lists.telling import decision_lines, decision_row, export_rows, parcel_lines, parcel_rows, who_asks
from tasks.policies import workspace_policy
from tasks.runs import make_person, open_run
from warehouse.ledger import Ledger

ListArgument = Annotated[str, typer.Argument(help="The list's id in audiences.yaml.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Show who would be on it; write nothing.")]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Make the list.")]
FullOption = Annotated[bool, typer.Option("--full", help="Everybody who may be on it, in place of what is there.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why now; kept with it.")]
# Command → the kinds of lists it makes and what it says of itself.
PLATFORMS: dict[str, tuple[tuple[Kind, ...], str]] = {
    "google": (("ad",), "A Customer Match list for Google. Google 客户匹配人群包."),
    "linkedin": (("ad", "company"), "A matched audience for LinkedIn, of people or companies. LinkedIn 匹配受众."),
    "tencent": (("ad",), "A customer file for Tencent Ads. 腾讯广告客户文件人群."),
}
CHANNELS: dict[str, tuple[tuple[Kind, ...], str]] = {
    "calls": (("call",), "A list to call from, with the hours that are right for each. 外呼名单."),
    "mails": (("email",), "A list to write to, once its message bears the marks. 邮件名单."),
    "texts": (("sms",), "A list to text, once its message bears the marks. 短信名单."),
}


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    audience = typer.Typer(no_args_is_help=True, help="Ad audiences, and every list that left. 广告人群包与名单.")
    for name, (kinds, text) in PLATFORMS.items():
        audience.command(name, help=text)(_command(kinds, name))
    for command in (lists, exports, uploaded):
        audience.command(command.__name__)(command)
    app.add_typer(audience, name="audience")
    for name, (kinds, text) in CHANNELS.items():
        app.command(name, help=text)(_command(kinds, None))


def _command(kinds: tuple[Kind, ...], platform: str | None) -> Callable[..., None]:
    """The command that plans or makes a list of these kinds, for that platform."""

    def command(
        list_id: ListArgument,
        plan: PlanOption = False,
        apply: ApplyOption = False,
        full: FullOption = False,
        reason: WhyOption = "",
        workspace: WorkspaceOption = None,
        as_of: AsOfOption = None,
        as_json: JsonOption = False,
    ) -> None:
        root = find_workspace(workspace)
        if plan == apply:
            raise BadUsage(said("list_one_of"))
        with open_run(root, as_of.date() if as_of else None, push="off") as run:
            rule = find_rule(run, list_id, kinds, platform)
            if apply:
                _apply(run, rule, Asked(who_asks(), reason, full), as_json)
            else:
                _plan(run, rule, full, as_json)

    return command


def _plan(run: Run, rule: ListRule, is_full: bool, as_json: bool) -> None:
    decision = plan_list(run, rule, is_full)
    if as_json:
        show_rows([decision_row(rule, decision)], as_json)
        return
    for line in [*decision_lines(rule, decision, run.language), say("list_plan_next", run.language)]:
        typer.echo(line)


def _apply(run: Run, rule: ListRule, asked: Asked, as_json: bool) -> None:
    decision, parcels = make_list(run, rule, asked)
    if as_json:
        show_rows(parcel_rows(parcels), as_json)
        return
    for line in [*decision_lines(rule, decision, run.language), *parcel_lines(parcels, run.language)]:
        typer.echo(line)


def lists(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """The lists that audiences.yaml describes. 名单定义."""
    root = find_workspace(workspace)
    rules = workspace_policy(root, AudiencesPolicy).lists
    wanted = ("id", "kind", "platform", "who", "minimum", "why")
    rows = [{name: _shown(rule)[name] for name in wanted} for rule in rules]
    show_rows(rows, as_json, language=load_settings(root).language)


def _shown(rule: ListRule) -> dict[str, object]:
    """A rule as it is shown: only what its `who` asks for, and how many it or its platform wants at least."""
    told = rule.model_dump(mode="json")
    who = rule.who.model_dump(mode="json", exclude_defaults=True)
    return {**told, "minimum": least_members(rule), "who": ", ".join(f"{name} {value}" for name, value in who.items())}


def exports(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Every list that was made: when, how many, and what became of its file. 导出记录."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    with Ledger.of(root, settings.ledger_url) as ledger:
        show_rows(export_rows(ledger, root), as_json, language=settings.language)


def uploaded(
    export: Annotated[str, typer.Argument(help="The export, as `abmloop audience exports` names it.")],
    workspace: WorkspaceOption = None,
    reason: WhyOption = "",
) -> None:
    """The platform has the file: put that on record and delete it here. 确认已上传."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    with Ledger.of(root, settings.ledger_url) as ledger:
        name = confirm_upload(ledger, root, export, Asked(who_asks(), reason), make_person(root, who_asks()))
    typer.echo(say("list_uploaded", settings.language, file=name))
