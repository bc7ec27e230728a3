"""Leads as they stand this moment: what is published, and what the ledger recorded since then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.calendar import local_day
from abmloop.run import Author
from tasks.summary import Rows, rows_of
from warehouse.ledger import Ledger

# What people record while a run starts may bear earlier entries than the run's own first line.
_SLACK_ENTRIES = 1000
LEFT_BEHIND = ("reclaim", "release")  # whoever had the lead before such a line may not have it again at once

_LEAD = """
select leads.lead_id, leads.person_id, leads.account_id, leads.person_key, lead_stages.stage, lead_stages.cycle,
       coalesce(stages.rank >= (select rank from rules.stages where is_handover)
                and stages.rank < (select rank from rules.stages where stage = 'opportunity'), false) as is_workable,
       held_leads.held_by, persons.name, coalesce(accounts.name, persons.company_name) as company_name
from scored.leads
join matched.persons using (person_id)
left join scored.lead_stages on lead_stages.lead_id = leads.lead_id and lead_stages.is_current
left join rules.stages using (stage)
left join scored.held_leads on held_leads.lead_id = leads.lead_id
left join resolved.accounts on accounts.account_id = leads.account_id
where leads.lead_id = $lead_id
"""
_LINES = "select * from scored.assignments where lead_id = $lead_id order by number"
_HELD = """
select lead_id, owner_id, assigned_at, coalesce(stages.is_open, false) as is_open, is_current
from (select lead_id, owner_id, assigned_at, is_current from scored.assignments where owner_id = $owner_id)
left join (select lead_id, stage from scored.lead_stages where is_current) using (lead_id)
left join rules.stages using (stage)
"""
_OWNER = "select * from core.owners_today where owner_id = $owner_id"


@dataclass(frozen=True)
class Now:
    """The published tables, the ledger, the instant asked about (UTC, without zone) and the workspace's time zone."""

    con: duckdb.DuckDBPyConnection
    ledger: Ledger
    at: datetime
    timezone: str

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.at.replace(tzinfo=UTC), self.timezone)

    def local_day(self, at: datetime) -> date:
        """The local day of an instant without zone."""
        return local_day(at.replace(tzinfo=UTC), self.timezone)


@dataclass(frozen=True)
class Said:
    """Who acts, and why; `language` is that of the answer. `by` signs the ledger's rows."""

    by: Author
    actor: str
    reason: str = ""
    language: str = "en"


def newer(now: Now, table: str, key: str) -> pa.Table:
    """The ledger's rows of a table that the published run did not know; `key` names them in scored.<table>."""
    published = rows_of(now.con, "select run_id from marts.published")
    runs = now.ledger.read("runs", only={"run_id": published[0]["run_id"]}) if published else None
    start = min(runs["entry"].to_pylist(), default=0) if runs is not None else 0
    rows = now.ledger.read(table, after=max(0, start - _SLACK_ENTRIES))
    now.con.register("recorded", rows)
    try:
        return now.con.sql(
            f"select * from recorded anti join scored.{table} using ({key}) order by seq"
        ).to_arrow_table()
    finally:
        now.con.unregister("recorded")


def lead_row(now: Now, lead_id: str) -> dict[str, Any] | None:
    """What is known of a lead; None where there is none."""
    return next(iter(rows_of(now.con, _LEAD, lead_id=lead_id)), None)


def lead_lines(now: Now, lead_id: str) -> Rows:
    """Every assignment of a lead, oldest first, with those recorded since the last run."""
    published = rows_of(now.con, _LINES, lead_id=lead_id)
    known = {row["assignment_id"] for row in published}
    recorded = now.ledger.read("assignments", only={"lead_id": lead_id}).to_pylist()
    return [*published, *(row for row in recorded if row["assignment_id"] not in known)]


def lead_events(now: Now, lead_id: str) -> Rows:
    """What sales did and was told about a lead, oldest first."""
    published = rows_of(now.con, "select * from scored.sales_events where lead_id = $lead_id", lead_id=lead_id)
    known = {row["event_id"] for row in published}
    recorded = now.ledger.read("sales_events", only={"lead_id": lead_id}).to_pylist()
    found = [*published, *(row for row in recorded if row["event_id"] not in known)]
    return sorted(found, key=lambda row: (row["happened_at"], row["event_id"]))


def owner_state(now: Now, owner_id: str) -> dict[str, Any] | None:
    """A sales person with `held` and `taken_today` as of now; None where nobody is of that id."""
    found = rows_of(now.con, _OWNER, owner_id=owner_id)
    if not found:
        return None
    lines = rows_of(now.con, _HELD, owner_id=owner_id)
    held = {row["lead_id"] for row in lines if row["is_current"] and row["is_open"]}
    taken = [row["assigned_at"] for row in lines]
    for line in newer(now, "assignments", "assignment_id").to_pylist():
        if line["owner_id"] == owner_id:
            held.add(line["lead_id"])
            taken.append(line["assigned_at"])
        else:
            held.discard(line["lead_id"])
    today = sum(now.local_day(at) == now.today for at in taken)
    return {**found[0], "held": len(held), "taken_today": today}


def cooling_until(lines: Rows, owner_id: str, days: int) -> datetime | None:
    """Until when an owner may not have the lead again; None where they never lost it or gave it back."""
    lost = [
        line["assigned_at"]
        for before, line in pairwise(lines)
        if line["path"] in LEFT_BEHIND and before["owner_id"] == owner_id
    ]
    return max(lost) + timedelta(days=days) if lost else None
