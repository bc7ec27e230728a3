"""What people said about being contacted: show it, put it on record, stop them or a whole company, prove it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from abmloop.messages import say
from abmloop.run import Run
from abmloop.settings import find_workspace, load_settings
from cli.options import JsonOption, WorkspaceOption
from cli.show import show_rows
from scoring.policies.consent import Channel
from tasks.outbound.consent.known import keys_of_persons, persons_of_key, words_today, write_proof
from tasks.outbound.consent.statements import Statement, read_key, read_keys, record
from tasks.outbound.consent.suppress import Key, Why, lift, suppress_all
from tasks.outbound.lists.steps import retire_proof
from tasks.outbound.lists.telling import who_asks
from tasks.runs import make_person, open_run
from warehouse.ledger import Ledger
from warehouse.steps import step

KeyArgument = Annotated[str, typer.Argument(help="Mail address, phone number, company code or domain.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]
ChannelOption = Annotated[Channel | None, typer.Option("--channel", help="Only this channel; default: all.")]
LISTED = 10


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    consent = typer.Typer(no_args_is_help=True, help="What people said, and who must be left alone. 授权与禁联.")
    consent.command("record")(record_)
    for command in (show, stop, proof, retire):
        consent.command(command.__name__)(command)
    consent.command("lift")(lift_)
    app.add_typer(consent, name="consent")


def show(key: KeyArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """What may be done with a person today and why, and all they said. 查看授权."""
    root = find_workspace(workspace)
    with open_run(root, push="off") as run:
        found = words_today(run, read_key(key))
    if as_json:
        show_rows([{"person_id": who, "today": judged, "said": said} for who, (judged, said) in found.items()], as_json)
        return
    for person, (judged, said) in found.items():
        show_rows(judged, title=say("consent_show_person", run.language, person=person), language=run.language)
        show_rows(said, title=say("consent_show_events", run.language), language=run.language)
    if not found:
        typer.echo(say("consent_nobody", run.language))


def record_(
    key: KeyArgument,
    channel: Annotated[str, typer.Option("--channel", help="email, sms, call, wechat, ad, share, …; any: refusals.")],
    status: Annotated[str, typer.Option("--status", help="granted, refused or withdrawn.")],
    at: Annotated[datetime | None, typer.Option("--at", help="When it was said (UTC); default: now.")] = None,
    evidence: Annotated[str | None, typer.Option("--evidence", help="Form id, recording, message.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="form, double_opt_in, call, paper, reply, …")] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", help="What it was said for.")] = None,
    wording: Annotated[Path | None, typer.Option("--wording", help="File with the text that was shown.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Put on record what somebody said; it holds from the next send on. 登记授权或拒绝."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    given_at = (at or datetime.now(UTC)).replace(tzinfo=None, microsecond=0)
    shown = wording.read_text(encoding="utf-8") if wording else None
    language, actor = settings.language, who_asks()
    with Ledger.of(root, settings.ledger_url) as ledger:
        said = Statement(channel, status, given_at, evidence, method, purpose, shown, actor)
        events = record(ledger, root, [read_key(key)], said, make_person(root, actor))
    typer.echo(say("consent_recorded", language, status=status, channel=channel, number=len(events)))


def stop(
    key: Annotated[str | None, typer.Argument(help="Mail address, phone number, company code or domain.")] = None,
    reason: ReasonOption = "",
    file: Annotated[Path | None, typer.Option("--file", help="One address or number a line (谢绝来电).")] = None,
    channel: ChannelOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Never contact them again: a person by any key, a whole company, or a file of numbers. 列入禁联名单."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    given = ([key] if key else []) + (file.read_text(encoding="utf-8-sig").splitlines() if file else [])
    keys, unread = read_keys(given)
    actor = who_asks()
    with Ledger.of(root, settings.ledger_url) as ledger:
        # First what was typed, so that it holds even while a run keeps us from looking up the person's other keys.
        number = suppress_all(ledger, root, keys, Why(reason, actor, channel), make_person(root, actor))
        if key and not file:
            number += suppress_all(
                ledger, root, _other_keys(root, keys), Why(reason, actor, channel), make_person(root, actor)
            )
    typer.echo(say("consent_stopped", settings.language, number=number, known=max(len(keys) - number, 0)))
    if unread:
        lines = ", ".join(str(line) for line in unread[:LISTED])
        typer.echo(say("consent_unread", settings.language, number=len(unread), lines=lines))


def _other_keys(root: Path, keys: Sequence[Key]) -> list[Key]:
    """The other keys of the persons who bear these alone."""
    from abmloop.errors import Busy
    from warehouse.database import warehouse_path

    if not warehouse_path(root).is_file():
        return []
    try:
        with open_run(root, push="off") as run:
            return _keys_beside(run, keys)
    except Busy:
        return []


def _keys_beside(run: Run, keys: Sequence[Key]) -> list[Key]:
    with step(run, "look_up_keys") as work:
        bearers = [persons_of_key(work, key) for key in keys]
        return keys_of_persons(work, {persons[0] for persons in bearers if len(persons) == 1})


def lift_(
    key: KeyArgument,
    role: Annotated[str, typer.Option("--role", help="admin or privacy: who may.")],
    reason: ReasonOption = "",
    channel: ChannelOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Take a key off the suppression list, after a newer consent. 移出禁联名单."""
    root = find_workspace(workspace)
    settings = load_settings(root)
    why = Why(reason, who_asks(), channel, role)
    with Ledger.of(root, settings.ledger_url) as ledger:
        lift(ledger, root, read_key(key), why, make_person(root, who_asks()))
    typer.echo(say("consent_lifted", settings.language))


def proof(
    key: KeyArgument,
    out: Annotated[Path, typer.Option("--out", help="The JSON file to write.")],
    workspace: WorkspaceOption = None,
) -> None:
    """One file with all that a person said, each with its proof, and every list they stood on. 授权证明."""
    root = find_workspace(workspace)
    with open_run(root, push="off") as run:
        said, lists = write_proof(run, read_key(key), out)
    typer.echo(say("consent_proof_written", run.language, path=out, number=said, lists=lists))


def retire(
    apply: Annotated[bool, typer.Option("--apply", help="Delete it; without: only say what would go.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete proof that nobody relies on any more, past keep_proof_days; refusals stay. 删除过期授权证明."""
    root = find_workspace(workspace)
    with open_run(root, push="off") as run:
        found = retire_proof(run, apply, who_asks())
    code = "consent_proof_retired" if apply else "consent_proof_would_go"
    counts = {"grants": len(found.grants), "members": len(found.members)}
    typer.echo(say(code, run.language, **counts, until=found.until.date()))
