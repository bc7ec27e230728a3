"""What a person asks when something seems wrong: versions, locks, disk, configuration, quality, stuck rows."""

import platform
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import select

from abmloop.errors import AbmError
from abmloop.messages import has_message, said, say, tell
from abmloop.settings import load_settings
from tasks.outbound.lists.members import read_exports
from tasks.outbound.push.letters import crm_instance
from tasks.outbound.push.stuck import find_stuck, stuck_said
from tasks.policies import POLICIES, config_faults, read_config
from tasks.summary import rows_of
from warehouse.database import connect_published, published_path, warehouse_path
from warehouse.ledger import Ledger
from warehouse.ledger_tables import lease

Rows = list[dict[str, Any]]
LIBRARIES = ("duckdb", "prefect", "pandas", "rapidfuzz", "great-expectations", "sqlalchemy", "fastapi")
# Prefect 3.8.8 schedules no run, silently, with newer ones; see requirements.in.
CEILINGS = {"fastapi": (0, 151), "sqlalchemy": (2, 1)}
LEAST_FREE_SHARE = 0.05
LIST_REMOVAL_HOURS = 24  # spec 13-privacy P17


def _row(asked: str, state: str, found: str, do: str = "") -> dict[str, Any]:
    """One answer; `found` and `do` may still be told in either language."""
    return {"asked": asked, "state": state, "found": found, "what to do": do}


def _versions(_root: Path) -> Rows:
    found = {name: version(name) for name in LIBRARIES}
    rows = [_row("python", "ok", said("doctor_python_found", version=platform.python_version(), system=sys.platform))]
    for name, number in found.items():
        parts = tuple(int(part) for part in number.split(".")[:2])
        broken = name in CEILINGS and parts >= CEILINGS[name]
        rows.append(_row(name, "bad" if broken else "ok", number, said("doctor_setup") if broken else ""))
    return rows


def _configuration(root: Path) -> Rows:
    load_settings(root)
    faults = config_faults(read_config(root))
    if faults:
        return [_row("configuration", "bad", fault, said("doctor_correct_line")) for fault in faults]
    return [_row("configuration", "ok", said("doctor_rules_fine", number=len(POLICIES)))]


def _disk(root: Path) -> Rows:
    usage = shutil.disk_usage(root)
    used = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    tight = usage.free < max(usage.total * LEAST_FREE_SHARE, 3 * used)
    text = said("doctor_disk_free", free=f"{usage.free / 1e9:.1f}", used=f"{used / 1e6:.0f}")
    return [_row("disk", "warn" if tight else "ok", text, said("doctor_disk_tight") if tight else "")]


def _lease(root: Path) -> Rows:
    with Ledger.of(root, load_settings(root).ledger_url) as ledger, ledger.engine.connect() as connection:
        held = connection.execute(select(lease)).mappings().first()
    if held is None or held["holder"] is None:
        return [_row("lease", "ok", said("doctor_lease_free"))]
    named = {"holder": held["holder"], "process": held["pid"], "host": held["host"], "until": held["expires_at"]}
    return [_row("lease", "warn", said("doctor_lease_held", **named), said("doctor_lease_wait"))]


def _runs(root: Path) -> Rows:
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        runs = ledger.read("runs").to_pylist()
    if not runs:
        return [_row("last run", "warn", said("doctor_none_yet"), said("doctor_sync"))]
    last = runs[-1]
    state = "ok" if last["event"] in ("done", "started") else "warn"
    at, message = f"{last['recorded_at']:%Y-%m-%d %H:%M}", (last["message"] or "")[:250]
    event = said(f"state_{last['event']}") if has_message(f"state_{last['event']}") else last["event"]
    text = said("doctor_run", run=last["run_id"], state=event, at=at, message=message)
    return [_row("last run", state, text, "" if state == "ok" else said("doctor_see_message"))]


def _outbox(root: Path) -> Rows:
    settings = load_settings(root)
    with Ledger.of(root, settings.ledger_url) as ledger:
        stuck = find_stuck(ledger, crm_instance(root))
    do = say("crm_stuck_look", settings.language) if stuck else ""
    return [_row("outbox", "warn" if stuck else "ok", stuck_said(stuck).told(settings.language), do)]


def _lists(root: Path) -> Rows:
    """Removal files that nobody has said were handed over: whoever withdrew must be off within a day (P17)."""
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        exports = read_exports(ledger)
    waiting = [one for one in exports.values() if one.action == "remove" and one.state == "written"]
    if not waiting:
        return [_row("lists", "ok", said("doctor_exports", number=len(exports)))]
    hours = (datetime.now(UTC).replace(tzinfo=None) - min(one.recorded_at for one in waiting)).total_seconds() / 3600
    numbers = {"rows": sum(one.rows for one in waiting), "lists": len(waiting), "hours": f"{hours:.0f}"}
    late = hours >= LIST_REMOVAL_HOURS
    return [_row("lists", "bad" if late else "warn", said("doctor_removals", **numbers), said("doctor_hand_over"))]


def _quality(root: Path) -> Rows:
    if not published_path(root).is_file():
        return [_row("published", "warn", said("doctor_nothing_yet"), said("doctor_sync"))]
    with connect_published(root) as con:
        as_of = rows_of(con, "select as_of, run_id from marts.published")[0]
        broken = rows_of(con, "select door, expectation, observed from quality.expectations where not success")
        refused = rows_of(con, "select count(*) as rows from quality.quarantine")[0]["rows"]
        unconverted = rows_of(con, "select count(*) as rows from core.unconverted")[0]["rows"]
    rows = [_row("published", "ok", said("doctor_as_of", as_of=as_of["as_of"], run=as_of["run_id"]))]
    for row in broken:
        named = {"door": said(f"quality.door.{row['door']}"), "expected": said(f"quality.expect.{row['expectation']}")}
        rows.append(_row("quality", "bad", said("doctor_broken", observed=row["observed"], **named)))
    text = said("doctor_refused", number=f"{refused:,}")
    do = said("doctor_quarantine_list") if refused else ""
    rows.append(_row("quarantine", "warn" if refused else "ok", text, do))
    if unconverted:
        text = said("doctor_unconverted", number=unconverted)
        rows.append(_row("money", "warn", text, said("doctor_add_rates")))
    return rows


def _warehouse(root: Path) -> Rows:
    path = warehouse_path(root)
    if not path.is_file():
        return [_row("warehouse", "ok", said("doctor_no_warehouse"))]
    size = f"{path.stat().st_size / 1e6:.0f}"
    return [_row("warehouse", "ok", said("doctor_warehouse_size", size=size))]


CHECKS: tuple[Callable[[Path], Rows], ...] = (
    _versions,
    _configuration,
    _disk,
    _lease,
    _runs,
    _warehouse,
    _quality,
    _outbox,
    _lists,
)


def doctor_rows(root: Path) -> Rows:
    """One row per thing asked: `asked`, `state` (ok, warn, bad), `found`, `what to do`. Never raises: it tells.

    In the workspace's language; in English where its settings cannot be read.
    """
    rows: Rows = []
    for check in CHECKS:
        try:
            rows += check(root)
        except Exception as error:
            problem = error.message if isinstance(error, AbmError) else str(error)[:300]
            told = said("doctor_defect", kind=type(error).__name__, problem=problem)
            rows.append(_row(check.__name__.strip("_"), "bad", told))
    language = _language(root)
    return [{name: tell(value, language) for name, value in row.items()} for row in rows]


def _language(root: Path) -> str:
    try:
        return load_settings(root).language
    except AbmError:
        return "en"


def status_rows(root: Path, limit: int = 10) -> Rows:
    """The last runs, newest first: what they stood for, how they ended."""
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        runs = ledger.read("runs").to_pylist()
    last: dict[str, dict[str, Any]] = {}
    for row in runs:
        started = last.get(row["run_id"], {}).get("started", row["recorded_at"])
        last[row["run_id"]] = {
            "run": row["run_id"],
            "as of": row["recorded_as_of"],
            "started": started,
            "state": row["event"],
            "seconds": round((row["recorded_at"] - started).total_seconds(), 1),
            "message": (row["message"] or "")[:120],
        }
    return list(last.values())[::-1][:limit]
