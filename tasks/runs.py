"""Beginning and ending a run: the lease, the day, the rules; all resolved once, here, and nowhere below."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from abmloop.calendar import end_of_local_day, local_day
from abmloop.errors import AbmError
from abmloop.redact import redact
from abmloop.run import Person, Run
from abmloop.settings import load_settings
from tasks.policies import save_config
from warehouse.lease import kept_alive, release_lease, take_lease
from warehouse.ledger import Ledger
from warehouse.secret import keep_secret


def make_person(root: Path, name: str, as_of: date | None = None) -> Person:
    """Who decides at the command line, for the ledger; `as_of` None is today in the workspace's time zone."""
    day = as_of or local_day(datetime.now(UTC), load_settings(root).timezone)
    return Person(run_id=f"person:{name}", as_of=day)


@contextmanager
def open_run(
    root: Path, as_of: date | None = None, at: datetime | None = None, push: str | None = None
) -> Iterator[Run]:
    """A run that holds the one writer's lease until the block ends; start and outcome stand in the ledger.

    `as_of` None is today in the workspace's time zone; `at` None is now, or, where `as_of` is given, the end of that
    local day; `push` None is the setting. Raises Busy while another run holds the lease, BadPolicy for faults in the
    settings, BadUsage where the workspace's key is gone or another one.
    """
    settings = load_settings(root)
    now = datetime.now(UTC).replace(microsecond=0)
    day = as_of or local_day(at or now, settings.timezone)
    instant = at or (end_of_local_day(day, settings.timezone) if as_of else now)
    run_id = f"{day:%Y%m%d}-{now:%H%M%S}-{secrets.token_hex(3)}"
    with Ledger.of(root, settings.ledger_url) as ledger:
        token = take_lease(ledger, run_id)
        try:
            keep_secret(ledger, root, Person(run_id, day))
            run = Run(
                workspace=str(root),
                run_id=run_id,
                as_of=day,
                at=instant,
                ledger_head=ledger.head(),
                config_hash=save_config(root, ledger),
                language=settings.language,
                timezone=settings.timezone,
                currency=settings.currency,
                fencing_token=token,
                push=push or settings.push,
            )
            with kept_alive(ledger, token), _noted(ledger, run):
                yield run
        finally:
            release_lease(ledger, token)


@contextmanager
def _noted(ledger: Ledger, run: Run) -> Iterator[None]:
    """Start and outcome of the block as lines in the ledger."""
    _note(ledger, run, "started")
    try:
        yield
    except BaseException as error:
        outcome, why = ("failed", error.told(run.language)) if isinstance(error, AbmError) else ("crashed", str(error))
        _note(ledger, run, outcome, f"{type(error).__name__}: {why}")
        raise
    _note(ledger, run, "done")


def _note(ledger: Ledger, run: Run, event: str, message: str | None = None) -> None:
    at = run.at.astimezone(UTC).replace(tzinfo=None)
    row = {
        "event": event,
        "config_hash": run.config_hash,
        "at": at,
        "outcome": event,
        "message": redact(message or "")[:2000],
    }
    ledger.append("runs", [row], run)
