"""Who gets a lead: holder of the company, reserved team, territory, pool. And when it goes back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from abmloop.calendar import end_of_local_day, local_day
from scoring.policies.routing import Pool, ReclaimRule, RoutingPolicy, Turn

Ints = npt.NDArray[np.int64]
Row = dict[str, Any]

TERRITORY = "territory"
MUST_FIT = ("provinces", "industries", "sizes")  # unknown does not fit
MAY_FIT = ("products", "languages")  # asked only where the lead's is known

ASSIGNMENTS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("owner_id", pa.string()),
        ("pool_id", pa.string()),
        ("method", pa.string()),
        ("reason", pa.string()),
        ("gates", pa.string()),
        ("turn", pa.int64()),
    ]
)


def assign_owners(leads: pa.Table, owners: pa.Table, policy: RoutingPolicy, on: date, turns: pa.Table) -> pa.Table:
    """An owner or a pool for every lead (ASSIGNMENTS), best lead first; the order of the rows given does not matter.

    `leads`: as scored.unrouted_leads. `owners`: core.owners_today with `held` (open leads now) and `taken_today`.
    `turns`: pool_id ('territory' for territories), owner_id, last_turn and `taken` within the days of fairness.
    `on` is the local day, for absences.

    First that fits: the holder of the company (open deal, customer, a colleague's lead, also one given out just now,
    target list), passed over only when unknown, inactive or away › the holder of a reserved account, else their team,
    and nobody else: it waits for them › the owners in whose territory it is known to lie, those that share most
    dimensions first › the pools in order. Leads that go first (a half-open directory's listed ones) come before others.
    Skipped candidates stand in `gates` as JSON, [{"owner", "rule", "gate"}]. A lead that stays in the pool it waits in
    is not told again.

    Source: spec 05-routing, Order.
    """
    desk = _Desk(owners, turns, on)
    told: list[Row] = []
    # One by one, for every assignment changes who is free for the next; only leads without an owner come here.
    for lead in sorted(leads.to_pylist(), key=_best_first):
        row = desk.place(lead, policy)
        if row["owner_id"] is not None or row["pool_id"] != lead["waits_in"]:
            told.append(row)
    return pa.Table.from_pylist(told, schema=ASSIGNMENTS)


def _best_first(lead: Row) -> tuple[Any, ...]:
    points = lead["engagement_points"] or 0
    return (
        not lead["goes_first"],
        lead["fit_grade"],
        -(lead["engagement_band"] or 0),
        -points,
        lead["entered_at"],
        lead["lead_id"],
    )


@dataclass
class _Turns:
    """Whose turn it is, per pool."""

    last: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    taken: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    next: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1))

    def order(self, scope: str, owners: Iterable[str], turn: Turn, weights: dict[str, float]) -> list[str]:
        """Owners, whose turn it is first; ties by owner id."""

        def key(owner: str) -> tuple[float, int, str]:
            taken = self.taken[scope, owner]
            load = {"round_robin": 0.0, "fewest": taken, "weighted": (taken + 1) / weights.get(owner, 1.0)}[turn]
            return (load, self.last[scope, owner], owner)

        return sorted(owners, key=key)

    def take(self, scope: str, owner: str) -> int:
        """Give the turn to an owner; gives its number."""
        number = self.next[scope]
        self.next[scope] = number + 1
        self.last[scope, owner] = number
        self.taken[scope, owner] += 1
        return number


@dataclass(frozen=True)
class _Bid:
    """Somebody who may get a lead, or (owner None) the pool it waits in. `scope` is where it is whose turn."""

    owner: str | None
    method: str
    reason: str
    scope: str | None = None
    is_limited: bool = False


class _Desk:
    """The state of owners and turns while leads are given out."""

    def __init__(self, owners: pa.Table, turns: pa.Table, on: date) -> None:
        self.on = on
        self.owners: dict[str, Row] = {row["owner_id"]: row for row in owners.to_pylist()}
        self.turns = _Turns()
        self.given: dict[str, tuple[str, str]] = {}  # company → owner and lead, as given out just now
        for row in turns.to_pylist():
            scope, owner = row["pool_id"], row["owner_id"]
            self.turns.last[scope, owner] = row["last_turn"]
            self.turns.taken[scope, owner] = row["taken"]
            self.turns.next[scope] = max(self.turns.next[scope], row["last_turn"] + 1)

    def place(self, lead: Row, policy: RoutingPolicy) -> Row:
        """The owner or pool of one lead."""
        gates: list[Row] = []
        for bid in self._bids(lead, policy):
            gate = self._gate(lead, self.owners.get(bid.owner), bid.is_limited) if bid.owner else None
            if gate is None:
                return self._told(lead, bid, gates)
            gates.append({"owner": bid.owner, "rule": bid.scope or bid.method, "gate": gate})
        raise AssertionError("the last pool takes every lead")  # so says RoutingPolicy

    def _bids(self, lead: Row, policy: RoutingPolicy) -> Iterator[_Bid]:
        """Everybody who may get the lead, in order; last the pool it waits in."""
        yield from self._holders(lead)
        if lead["reserved_owner_id"]:
            yield _Bid(None, "reserved", "reserved account, nobody of its team free", policy.pools[-1].id)
        for equals in self._of_territory(lead):
            for owner in self.turns.order(TERRITORY, equals, policy.territory_turn, {}):
                reason = "territory: " + ", ".join(_shared(self.owners[owner], lead))
                yield _Bid(owner, TERRITORY, reason, TERRITORY, is_limited=True)
        pools = [pool for pool in policy.pools if _pool_takes(pool, lead)]
        for pool in pools:
            if pool.mode == "claim":
                yield _Bid(None, "pool", f"pool {pool.id}, to be claimed", pool.id)
            for owner in self.turns.order(pool.id, self._members(pool, lead), pool.turn, pool.weights):
                yield _Bid(owner, "pool", f"pool {pool.id}, {pool.turn}", pool.id, is_limited=True)
        yield _Bid(None, "pool", f"pool {pools[0].id}, nobody free", pools[0].id)

    def _holders(self, lead: Row) -> Iterator[_Bid]:
        """Who already works the company, then who may work a reserved one."""
        if lead["holder_id"]:
            yield _Bid(lead["holder_id"], "holder", lead["holder_reason"])
        elif lead["account_id"] in self.given:
            owner, colleague = self.given[lead["account_id"]]
            yield _Bid(owner, "holder", f"lead {colleague}")
        reserved = lead["reserved_owner_id"]
        if reserved:
            yield _Bid(reserved, "reserved", "reserved account")
            team = self.owners.get(reserved, {}).get("team")
            mates = [name for name, row in self.owners.items() if team and row["team"] == team and name != reserved]
            yield from (_Bid(mate, "reserved", f"reserved account, team {team}") for mate in sorted(mates))

    def _of_territory(self, lead: Row) -> list[list[str]]:
        """Owners whose territory fits, those that share most dimensions first, in groups of equals."""
        groups: dict[int, list[str]] = defaultdict(list)
        for name, owner in self.owners.items():
            shared = _shared(owner, lead)
            if shared and _fits(owner, lead):
                groups[len(shared)].append(name)
        return [groups[size] for size in sorted(groups, reverse=True)]

    def _members(self, pool: Pool, lead: Row) -> list[str]:
        named = set(pool.owners) & self.owners.keys()
        everyone = not pool.teams and not pool.owners
        members = [name for name, row in self.owners.items() if everyone or name in named or row["team"] in pool.teams]
        return [name for name in members if pool.beyond_territory or _fits(self.owners[name], lead)]

    def _gate(self, lead: Row, owner: Row | None, limited: bool) -> str | None:
        if owner is None:
            return "unknown"
        if owner["is_active"] is False:
            return "inactive"
        if owner["away_until"] is not None and owner["away_until"] >= self.on:
            return "away"
        if owner["owner_id"] in (lead["cooling_owner_ids"] or []):
            return "cool_down"
        if not limited:
            return None
        if owner["daily_capacity"] is not None and owner["taken_today"] >= owner["daily_capacity"]:
            return "daily_capacity"
        if owner["holding_limit"] is not None and owner["held"] >= owner["holding_limit"]:
            return "holding_limit"
        return None

    def _told(self, lead: Row, bid: _Bid, gates: list[Row]) -> Row:
        if bid.owner:
            self.owners[bid.owner]["taken_today"] += 1
            self.owners[bid.owner]["held"] += 1
            if lead["account_id"]:
                self.given.setdefault(lead["account_id"], (bid.owner, lead["lead_id"]))
        return {
            "lead_id": lead["lead_id"],
            "owner_id": bid.owner,
            "pool_id": None if bid.scope == TERRITORY else bid.scope,
            "method": bid.method,
            "reason": bid.reason,
            "gates": json.dumps(gates, ensure_ascii=False),
            "turn": self.turns.take(bid.scope, bid.owner) if bid.owner and bid.scope else None,
        }


def _shared(owner: Row, lead: Row) -> list[str]:
    """The dimensions in which the lead is known to lie in the owner's territory."""
    return [name for name in (*MUST_FIT, *MAY_FIT) if set(owner[name] or ()) & set(lead[name] or ())]


def _fits(owner: Row, lead: Row) -> bool:
    """Whether the lead lies in the owner's territory; an owner without one takes all."""
    must = all(not owner[name] or set(owner[name]) & set(lead[name] or ()) for name in MUST_FIT)
    may = all(not owner[name] or not lead[name] or set(owner[name]) & set(lead[name]) for name in MAY_FIT)
    return must and may


def _pool_takes(pool: Pool, lead: Row) -> bool:
    where = pool.where
    asked = (
        (where.provinces, lead["provinces"]),
        (where.industries, lead["industries"]),
        (where.sizes, lead["sizes"]),
        (where.channels, [lead["channel"]]),
        (where.grades, [lead["fit_grade"]]),
    )
    return all(not wanted or set(wanted) & set(given or ()) for wanted, given in asked)


def reclaim_at(claimed_at: pa.Array, activity_at: pa.ListArray, rule: ReclaimRule, timezone: str) -> pa.Array:
    """When each claimed lead returns to the pool: the end of a local day, as timestamp[us] in UTC.

    It starts `rule.default_days` after the claim; each activity moves it to `rule.extension_days` after that activity
    if that is later; never beyond `rule.max_days` after the claim. Activities before the claim, or after the lead went
    back, move nothing. Days are calendar days of the workspace; a null claim gives null.

    Source: spec 05-routing, worked case of 25 March.
    """
    claimed = _local_days(claimed_at, timezone)
    activities = _local_days(activity_at.flatten(), timezone)
    counts = activity_at.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    claim = np.repeat(np.arange(len(claimed)), counts)
    order = np.lexsort((activities, claim))
    claim, day = claim[order], activities[order]
    is_after = (day >= claimed[claim]) & ~np.isnan(day)
    claim, day = claim[is_after], day[is_after]
    first = np.r_[True, claim[1:] != claim[:-1]][: len(claim)]
    before = np.where(first, -np.inf, np.r_[-np.inf, day[:-1]][: len(day)])
    due_before = np.maximum(claimed[claim] + rule.default_days, before + rule.extension_days)
    # An activity after the lead went back breaks the chain: it and all later ones count no more.
    broken = np.flatnonzero(day > np.minimum(due_before, claimed[claim] + rule.max_days))
    first_broken = np.full(len(claimed), len(day))
    np.minimum.at(first_broken, claim[broken], broken)
    counted = np.arange(len(day)) < first_broken[claim]
    latest = np.full(len(claimed), -np.inf)
    np.maximum.at(latest, claim[counted], day[counted])
    due = np.minimum(claimed + rule.max_days, np.maximum(claimed + rule.default_days, latest + rule.extension_days))
    return _day_ends(due, timezone)


def _local_days(column: pa.Array, timezone: str) -> npt.NDArray[np.float64]:
    """Local days since 1970; NaN for null."""
    whole = column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    quarters = np.floor(whole / 900_000_000)  # local midnight falls on a quarter of an hour everywhere
    unique, place = np.unique(quarters[~np.isnan(quarters)], return_inverse=True)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    days = [(local_day(start + timedelta(minutes=15 * n), timezone) - date(1970, 1, 1)).days for n in unique]
    found = np.full(len(whole), np.nan)
    found[~np.isnan(quarters)] = np.array(days, dtype=np.float64)[place] if len(unique) else []
    return found


def _day_ends(days: npt.NDArray[np.float64], timezone: str) -> pa.Array:
    known = {
        day: end_of_local_day(date(1970, 1, 1) + timedelta(days=int(day)), timezone).replace(tzinfo=None)
        for day in np.unique(days[~np.isnan(days)])
    }
    return pa.array([known.get(day) for day in days.tolist()], pa.timestamp("us"))
