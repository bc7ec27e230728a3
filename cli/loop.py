"""Running the loop: demo, sync, rebuild, serve."""

import time
from datetime import date, datetime
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.settings import find_workspace, load_settings
from cli.options import AsOfOption, WorkspaceOption
from cli.show import show_refused_files, show_rows
from tasks.loop import run_steps
from tasks.runs import open_run
from tasks.workspace import make_demo

DEMO_DAY = date(2026, 10, 31)
DEMO_FOLDER = Path("demo-workspace")
ROWS_REFUSED = 1


def add_to(app: typer.Typer) -> None:
    """Hang these commands on the app."""
    for command in (demo, sync, rebuild, serve):
        app.command()(command)


def _as_day(as_of: datetime | None) -> date | None:
    return as_of.date() if as_of else None


def demo(
    local: Annotated[bool, typer.Option("--local", help="Without Prefect.")] = False,
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where to make it.")] = DEMO_FOLDER,
    language: Annotated[str, typer.Option(help="en or zh")] = "en",
) -> None:
    """The whole loop on the bundled sample, from company lists to campaign ROI. 演示."""
    from warehouse.quality.gate import import_in_background

    started = time.perf_counter()
    import_in_background()
    make_demo(workspace, language)
    root = workspace.resolve()
    if local:
        _sync_local(root, DEMO_DAY)
    else:
        _sync_with_prefect(root, DEMO_DAY, "apply")
    _finish(root, write_report=True)
    typer.echo("\n" + say("told_done", language, seconds=f"{time.perf_counter() - started:.0f}"))


def sync(
    workspace: WorkspaceOption = None,
    as_of: AsOfOption = None,
    at: Annotated[datetime | None, typer.Option("--at", help="The instant (UTC) for SLA and delivery.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this step; may be repeated.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Without Prefect, in this process.")] = False,
    push: Annotated[str | None, typer.Option(help="apply, plan or off; default: the setting.")] = None,
) -> None:
    """The daily run: take in the inbox, bring everything up to date, tell the CRM what changed. 每日同步."""
    from datetime import UTC

    from warehouse.database import published_path
    from warehouse.quality.gate import import_in_background

    root = find_workspace(workspace)
    if at is not None and not (local or only):
        raise BadUsage(said("usage_sync_at"))
    if local or only:
        if not published_path(root).is_file():
            # A later run seldom brings figures that the gates have not judged yet.
            import_in_background()
        _sync_local(root, _as_day(as_of), at.replace(tzinfo=UTC) if at else None, only, push)
    else:
        _sync_with_prefect(root, _as_day(as_of), push or load_settings(root).push)
    _finish(root, write_report=not only)
    _tell_stuck(root)
    if _has_refused_rows(root):
        raise typer.Exit(ROWS_REFUSED)


def _tell_stuck(root: Path) -> None:
    """Say what is stuck on its way to the CRM, and since when; nothing where nothing is."""
    from tasks.outbound.push.letters import crm_instance
    from tasks.outbound.push.stuck import find_stuck, stuck_said
    from warehouse.ledger import Ledger

    settings = load_settings(root)
    with Ledger.of(root, settings.ledger_url) as ledger:
        if stuck := find_stuck(ledger, crm_instance(root)):
            typer.echo(stuck_said(stuck).told(settings.language))


def _sync_local(
    root: Path,
    as_of: date | None,
    at: datetime | None = None,
    only: list[str] | None = None,
    push: str | None = None,
) -> None:
    with open_run(root, as_of, at, push) as run:
        run_steps(run, only=only)


def _sync_with_prefect(root: Path, as_of: date | None, push: str) -> None:
    """The loop as a Prefect flow, on the server that PREFECT_API_URL names or on one of our own."""
    from flows.private_server import any_server

    typer.echo(say("told_reaching_prefect", load_settings(root).language))
    with any_server(root / "state" / "prefect"):
        from flows.daily_sync import Push, daily_sync

        daily_sync(workspace=str(root), as_of=as_of, push=Push(push))


def _finish(root: Path, write_report: bool) -> None:
    """Write the report, print what came in, what was refused, the best campaigns, and where to look next."""
    from tasks.report import report
    from tasks.report.quality import quality_pages
    from tasks.summary import best_campaigns, files_rows, has_payments, refused_rows
    from warehouse.database import connect_published, published_path

    language = load_settings(root).language
    if not published_path(root).is_file():
        typer.echo(say("summary.nothing", language))
        return
    if write_report:
        report(root)
        quality_pages(root)
    with connect_published(root) as con:
        files, refused = files_rows(con), refused_rows(con)
        typer.echo("")
        show_rows(files, title=say("summary.files", language), language=language)
        show_refused_files(con, language)
        typer.echo("")
        show_rows(
            [{**row, "example": shorten(str(row["example"]), 90, placeholder=" …")} for row in refused[:12]],
            title=say("summary.refused", language),
            language=language,
        )
        typer.echo("")
        basis = "cash" if has_payments(con) else "signed"
        title = say(f"summary.campaigns_{basis}", language)
        show_rows(best_campaigns(con, "linear", basis), title=title, language=language)
    places = {
        "report": root / "reports" / "report.html",
        "quality": root / "quality" / "index.html",
        "published": published_path(root),
        "crm": root / "exports" / "crm",
    }
    typer.echo(say("summary.where", language, root=root, **places).rstrip())
    if any(row["status"] == "refused" for row in files) or refused:
        typer.echo(say("summary.some_refused", language, exit_code=ROWS_REFUSED))


def _has_refused_rows(root: Path) -> bool:
    """Whether the run just published took in rows or files that were refused."""
    from tasks.summary import refused_by_published_run
    from warehouse.database import connect_published, published_path

    if not published_path(root).is_file():
        return False
    with connect_published(root) as con:
        return refused_by_published_run(con) > 0


def rebuild(workspace: WorkspaceOption = None, as_of: AsOfOption = None) -> None:
    """Delete the warehouse and make it anew from the raw store and the ledger. 重建."""
    from tasks.runs import open_run as begin
    from warehouse.database import remove_warehouse

    root = find_workspace(workspace)
    with begin(root, _as_day(as_of), push="off") as run:
        remove_warehouse(root)
        run_steps(run)
    _finish(root, write_report=True)


def serve(workspace: WorkspaceOption = None) -> None:
    """Serve the daily flow from this process on a schedule: a laptop's Prefect. 常驻运行."""
    root = find_workspace(workspace)
    from flows.private_server import any_server

    settings = load_settings(root)
    with any_server(root / "state" / "prefect") as url:
        from prefect.schedules import Cron

        from flows.daily_sync import daily_sync

        nightly = Cron("0 2 * * *", timezone=settings.timezone)
        named = {"url": url.removesuffix("/api"), "zone": settings.timezone}
        typer.echo(say("told_serving", settings.language, **named))
        daily_sync.serve(name="daily-sync", schedule=nightly, parameters={"workspace": str(root)}, limit=1)
