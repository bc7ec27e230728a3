"""The `abmloop` command and how its errors end: a message for the user, an exit code for the scheduler."""

import atexit
import logging
import os
import sys
import traceback
from pathlib import Path

import typer

from abmloop import __version__
from abmloop.errors import AbmError
from abmloop.messages import say
from abmloop.redact import redact
from cli.called import hints_as_called
from cli.rooms import COMMANDS, Rooms
from cli.spoken import reader

app = typer.Typer(
    name="abmloop",
    help="The account-based marketing loop: company lists in, campaign ROI out. 企业名录进, 活动 ROI 出.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=Rooms,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"abmloop {__version__}")
        raise typer.Exit


@app.callback()
def _common(version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True)) -> None:
    """The account-based marketing loop: company lists in, campaign ROI out."""


def _show_steps() -> None:
    """Let the loop's own lines appear as they come, on standard output like all that a command prints."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    logger = logging.getLogger("abmloop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    # Prefect prints whatever reaches the root logger: each line would stand there twice.
    logger.propagate = False


def _end_quietly() -> None:
    """Registered first, so run last: what libraries print while Python takes itself apart is no news to a user."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 done with refused rows, 2 usage, 3 gate, 4 CRM, 5 busy, 70 our defect."""
    for stream in (sys.stdout, sys.stderr):
        # Chinese text must survive a console of any code page.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    atexit.register(_end_quietly)
    with hints_as_called(COMMANDS):
        _carry_out()


def _carry_out() -> None:
    _show_steps()
    try:
        app()
    except AbmError as error:
        typer.echo(f"abmloop: {error.told(reader())}", err=True)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        typer.echo(f"abmloop: {say('told_stopped', reader())}", err=True)
        raise SystemExit(130) from None
    except Exception as error:
        log = Path.cwd() / "abmloop-error.log"
        log.write_text(redact(traceback.format_exc()), encoding="utf-8")
        log.chmod(0o600)
        told = say("told_defect", reader(), kind=type(error).__name__, log=log)
        typer.echo(f"abmloop: {told}", err=True)
        raise SystemExit(AbmError.exit_code) from error
