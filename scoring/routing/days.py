"""Routing day by day, as a pure function: what sales did and what came in, under any rules. For what-ifs and proofs."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from abmloop.calendar import end_of_local_day
from scoring.policies.routing import RoutingPolicy
from scoring.routing.desk import TERRITORY, Desk, Ground, Row, home_pool, is_member, lasting_gate
from scoring.routing.timers import local_days

DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)

LOG = pa.schema(
    [
        ("lead_id", pa.string()),
        ("owner_id", pa.string()),
        ("pool_id", pa.string()),
        ("path", pa.string()),
        ("reason", pa.string()),
        ("assigned_at", pa.int64()),
    ]
)
LOADS = pa.schema(
    [
        ("day", pa.date32()),
        ("owner_id", pa.string()),
        ("taken", pa.int64()),
        ("received", pa.int64()),
        ("held", pa.int64()),
    ]
)
REFUSED = pa.schema([("lead_id", pa.string()), ("kind", pa.string()), ("gate", pa.string()), ("at", pa.int64())])


@dataclass(frozen=True)
class Period:
    """The local days from the first to the last, in the time zone."""

    first: date
    last: date
    timezone: str


@dataclass(frozen=True)
class Days:
    """What came of it. `log`: every line of every lead (LOG, microseconds UTC), what stood before with the path start.

    `loads`: per day and owner the leads given out to them, those received on any path, and held at its end. `refused`:
    what sales tried in vain.
    """

    log: pa.Table
    loads: pa.Table
    refused: pa.Table


@dataclass
class _Lead:
    """One lead while the days go by; days as numbers since 1970."""

    facts: Row
    owner: str | None = None
    pool: str | None = None
    since: int = 0
    given_at: int = 0
    due: int = 0
    is_followed: bool = False
    lost: list[tuple[str, int]] = field(default_factory=list)
    is_out: bool = False


def simulate(leads: pa.Table, owners: pa.Table, deeds: pa.Table, policy: RoutingPolicy, period: Period) -> Days:
    """Every day of the period as the loop lives it: what sales does in its hours, then the run at the day's end.

    `leads`: what routing asks of a lead (scored.routing_facts, with holder and reserved owner), `arrived_at`, and what
    stood before: `start_owner_id` since `start_at`. `owners`: core.owners_today with `gone_on` and `away_from` (dates
    or null). `deeds`, in time order: `at`, `kind`, `lead_id`, `owner_id` (who does it; null: whoever has the lead),
    `to_id`. Their kinds: activity (before the first day they count for what stood before), accept, claim, release,
    transfer, and close: a deal, or whatever else takes the lead out of sales' hands.

    The run takes back what is due or whose owner is gone, then gives out what waits, by the rules of `assign_owners`.
    """
    return _Simulation(leads, owners, policy, period).run(deeds)


class _Simulation:
    def __init__(self, leads: pa.Table, owners: pa.Table, policy: RoutingPolicy, period: Period) -> None:
        self.policy, self.period, self.rule = policy, period, policy.reclaim
        self.owners = {row["owner_id"]: row for row in owners.to_pylist()}
        self.ground = Ground(dict(sorted(self.owners.items())))
        self.held: Counter[str] = Counter()
        self.today: Counter[str] = Counter()
        self.of_account: dict[str, dict[str, _Lead]] = defaultdict(dict)
        self.last_turn: dict[tuple[str, str], int] = {}
        self.turns_taken: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.log: list[tuple[Any, ...]] = []
        self.loads: list[tuple[Any, ...]] = []
        self.refused: list[tuple[Any, ...]] = []
        self.leads: dict[str, _Lead] = {}
        self.waiting: dict[str, _Lead] = {}
        self.deeds = {
            "activity": self._activity,
            "claim": self._claim,
            "transfer": self._transfer,
            "release": self._release,
            "close": self._close,
            "accept": self._accept,
        }
        arrived = _day_numbers(leads["arrived_at"], period.timezone)
        started = _day_numbers(leads["start_at"], period.timezone)
        self.arrivals: dict[int, list[_Lead]] = defaultdict(list)
        first = (period.first - EPOCH).days
        for row, day, start in zip(leads.to_pylist(), arrived, started, strict=True):
            lead = self.leads[row["lead_id"]] = _Lead(_facts(row))
            if row["start_owner_id"] is not None:
                self._give(lead, row["start_owner_id"], None, start, row["start_at"])
                self._note(lead, "start", "start", row["start_at"])
            else:
                self.arrivals[max(day, first)].append(lead)

    def run(self, deeds: pa.Table) -> Days:
        """All days."""
        by_day: dict[int, list[Row]] = defaultdict(list)
        for row, number in zip(deeds.to_pylist(), _day_numbers(deeds["at"], self.period.timezone), strict=True):
            by_day[number].append(row)
        day = self.period.first
        for number in sorted(number for number in by_day if number < (day - EPOCH).days):
            for deed in by_day[number]:
                if deed["kind"] == "activity":
                    self._activity(self.leads[deed["lead_id"]], deed, number, day)
        while day <= self.period.last:
            number = (day - EPOCH).days
            self.today.clear()
            given: Counter[str] = Counter()
            for deed in by_day.get(number, ()):
                self._do(deed, number, day)
            self._close_day(day, number, given)
            self.loads += [(day, name, given[name], self.today[name], self.held[name]) for name in sorted(self.owners)]
            day += timedelta(days=1)
        return Days(_table(self.log, LOG), _table(self.loads, LOADS), _table(self.refused, REFUSED))

    def _close_day(self, day: date, number: int, given: Counter[str]) -> None:
        """The run at the end of a day: returns, then assignments."""
        at = _micros(end_of_local_day(day, self.period.timezone))
        for lead in self.leads.values():
            if lead.owner is None or lead.is_out:
                continue
            if not self._is_there(lead.owner, day):
                self._return(lead, "owner_gone", "owner_gone", at)
            elif lead.due <= number:
                self._return(lead, "reclaim", self._timer(lead), at)
        for lead in self.arrivals.pop(number, ()):
            if not lead.is_out:
                self.waiting[lead.facts["lead_id"]] = lead
        desk = Desk(self._owner_rows(day), self._turn_rows(number), day, self.policy, self.ground)
        rows = [self._as_row(lead, at) for lead in self.waiting.values()]
        for row in desk.place_all(rows):
            lead = self.leads[row["lead_id"]]
            if row["owner_id"] is None:
                lead.pool = row["pool_id"]
                self._note(lead, "assigned", row["reason"], at)
                continue
            scope = TERRITORY if row["method"] == TERRITORY else row["pool_id"]
            if row["turn"] is not None:
                self.last_turn[scope, row["owner_id"]] = row["turn"]
                self.turns_taken[scope, row["owner_id"]].append(number)
            given[row["owner_id"]] += 1
            self._give(lead, row["owner_id"], row["pool_id"], number, at)
            self._note(lead, "assigned", row["reason"], at)

    def _do(self, deed: Row, number: int, day: date) -> None:
        """One thing that sales does, if it may."""
        lead = self.leads[deed["lead_id"]]
        gate = self.deeds[deed["kind"]](lead, deed, number, day)
        if gate is not None:
            self.refused.append((deed["lead_id"], deed["kind"], gate, deed["at"]))

    def _activity(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        if not self._has(lead, deed):
            return "not_theirs"
        if number <= lead.due:
            latest = lead.since + self.rule.max_days
            lead.due = min(latest, max(lead.due, number + self.rule.extension_days))
        return None

    def _claim(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        pool = self.policy.pool(lead.pool)
        if lead.owner is not None or lead.is_out or pool is None or lead.facts["lead_id"] not in self.waiting:
            return "not_in_pool"
        if pool.mode != "claim":
            return "pool_assigns"
        gate = self._keeps_from(lead, deed["owner_id"], deed["at"], day)
        if gate is None and not is_member(pool.teams, pool.owners, self.owners[deed["owner_id"]]):
            gate = "not_member"
        if gate is None:
            self._give(lead, deed["owner_id"], pool.id, number, deed["at"])
            self._note(lead, "claim", "claimed", deed["at"])
        return gate

    def _transfer(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        if not self._has(lead, deed) or lead.owner == deed["to_id"]:
            return "not_theirs"
        gate = self._keeps_from(lead, deed["to_id"], deed["at"], day)
        if gate is None:
            self._leave(lead)
            self._give(lead, deed["to_id"], None, number, deed["at"])
            self._note(lead, "transfer", "transferred", deed["at"])
        return gate

    def _accept(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        return None if self._has(lead, deed) else "not_theirs"

    def _release(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        if not self._has(lead, deed):
            return "not_theirs"
        self._return(lead, "release", "released", deed["at"])
        return None

    def _close(self, lead: _Lead, deed: Row, number: int, day: date) -> str | None:
        if not lead.is_out:
            self._leave(lead)
            lead.is_out = True
            self.waiting.pop(lead.facts["lead_id"], None)
        return None

    def _has(self, lead: _Lead, deed: Row) -> bool:
        return lead.owner is not None and not lead.is_out and deed["owner_id"] in (None, lead.owner)

    def _keeps_from(self, lead: _Lead, owner: str, at: int, day: date) -> str | None:
        row = self._owner_row(owner, day) if owner in self.owners else None
        gate = lasting_gate(row, day, is_limited=True)
        return gate or ("cool_down" if owner in self._cooling(lead, at) else None)

    def _cooling(self, lead: _Lead, at: int) -> list[str]:
        return sorted({owner for owner, lost in lead.lost if lost + self.rule.cool_down_days * DAY_US > at})

    def _give(self, lead: _Lead, owner: str, pool: str | None, number: int, at: int) -> None:
        lead.owner, lead.pool, lead.since, lead.given_at = owner, pool, number, at
        lead.due = number + max(self.rule.default_days, self.rule.protect_days)
        self.held[owner] += 1
        self.today[owner] += 1
        if lead.facts["account_id"]:
            self.of_account[lead.facts["account_id"]][lead.facts["lead_id"]] = lead
        self.waiting.pop(lead.facts["lead_id"], None)

    def _leave(self, lead: _Lead) -> None:
        if lead.owner is not None:
            self.held[lead.owner] -= 1
            self.of_account[lead.facts["account_id"] or ""].pop(lead.facts["lead_id"], None)
            lead.owner = None

    def _return(self, lead: _Lead, path: str, reason: str, at: int) -> None:
        """Back to its pool; who loses or gives it back cools down."""
        if path != "owner_gone" and lead.owner is not None:
            lead.lost.append((lead.owner, at))
        self._leave(lead)
        lead.pool = home_pool(lead.facts, self.policy)
        self._note(lead, path, reason, at)
        self.waiting[lead.facts["lead_id"]] = lead

    def _timer(self, lead: _Lead) -> str:
        return "no_deal" if lead.due >= lead.since + self.rule.max_days else "no_follow_up"

    def _note(self, lead: _Lead, path: str, reason: str, at: int) -> None:
        self.log.append((lead.facts["lead_id"], lead.owner, lead.pool, path, reason, at))

    def _as_row(self, lead: _Lead, at: int) -> Row:
        """The lead as routing sees it at that instant."""
        row = {**lead.facts, "waits_in": lead.pool, "cooling_owner_ids": self._cooling(lead, at)}
        colleagues = [
            other for other in self.of_account.get(row["account_id"] or "", {}).values() if other.given_at < at
        ]
        if colleagues and row["holder_rule"] in (None, "target_list"):
            latest = max(other.given_at for other in colleagues)
            other = min((o for o in colleagues if o.given_at == latest), key=lambda o: str(o.facts["lead_id"]))
            told = {"holder_rule": "colleague_lead", "holder_evidence": other.facts["lead_id"]}
            row |= {"holder_id": other.owner, **told}
        return row

    def _is_there(self, owner: str, day: date) -> bool:
        row = self.owners.get(owner)
        return row is not None and row["is_active"] is not False and (row["gone_on"] is None or row["gone_on"] > day)

    def _owner_row(self, owner: str, day: date) -> Row:
        row = self.owners[owner]
        away = row["away_until"] if row["away_from"] is None or row["away_from"] <= day else None
        load = {"held": self.held[owner], "taken_today": self.today[owner]}
        return {**row, "is_active": self._is_there(owner, day), "away_until": away, **load}

    def _owner_rows(self, day: date) -> list[Row]:
        return [self._owner_row(owner, day) for owner in self.owners]

    def _turn_rows(self, number: int) -> list[Row]:
        since = number - self.policy.fairness_days
        for key, days in self.turns_taken.items():
            self.turns_taken[key] = [day for day in days if day > since]
        return [
            {"pool_id": scope, "owner_id": owner, "last_turn": turn, "taken": len(self.turns_taken[scope, owner])}
            for (scope, owner), turn in self.last_turn.items()
        ]


def _facts(row: Row) -> Row:
    usual = {"goes_first": False, "reserved_owner_id": None, "holder_id": None, "holder_rule": None}
    asked = {"holder_evidence": None, "entered_at": row["arrived_at"]}
    return {**usual, **asked, **{name: value for name, value in row.items() if value is not None or name not in usual}}


def _day_numbers(column: pa.ChunkedArray, timezone: str) -> list[int]:
    """Local days since 1970 of instants in microseconds UTC; 0 for null."""
    days = local_days(column.combine_chunks().cast(pa.timestamp("us")), timezone)
    return [int(day) for day in np.nan_to_num(days)]


def _micros(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
