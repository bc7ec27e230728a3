"""Who gets a lead: holder of the company, reserved team, territory, pool."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from scoring.policies.routing import Pool, RoutingPolicy, Turn
from scoring.routing.turns import Passed, TurnQueue, Turns

Row = dict[str, Any]
# What owners ask of a lead: per dimension the values they share, and whether the lead's is known at all.
Profile = tuple[tuple[frozenset[str], bool], ...]

_json = json.JSONEncoder(ensure_ascii=False).encode
TERRITORY = "territory"
MUST_FIT = ("provinces", "industries", "sizes")  # unknown does not fit
MAY_FIT = ("products", "languages")  # asked only where the lead's is known
DIMENSIONS = (*MUST_FIT, *MAY_FIT)

ASSIGNMENTS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("owner_id", pa.string()),
        ("pool_id", pa.string()),
        ("method", pa.string()),
        ("reason", pa.string()),
        ("details", pa.string()),
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
    target list), passed over when unknown, inactive or away, or full where `beyond_limits` does not name them › the
    holder of a reserved account, else their team, and nobody else: it waits for them › the owners in whose territory it
    is known to lie, those that share most dimensions first › the pools in order. Leads that go first (a half-open
    directory's listed ones) come before others.

    `reason` is a code, `details` its fields as JSON (messages: assigned_…). Who was skipped stands in `gates` as JSON,
    the first by name, [{"owner", "rule", "gate"}], the others counted. A lead that stays in the pool it waits in is not
    told again.

    Source: spec 05-routing, Order.
    """
    desk = Desk(owners.to_pylist(), turns.to_pylist(), on, policy)
    return pa.Table.from_pylist(desk.place_all(leads.to_pylist()), schema=ASSIGNMENTS)


def home_pool(lead: Row, policy: RoutingPolicy) -> str:
    """The pool a lead goes back to: the first that takes it."""
    return next(pool.id for pool in policy.pools if _pool_takes(pool, lead))


def lasting_gate(owner: Row | None, on: date, is_limited: bool) -> str | None:
    """What keeps somebody from any lead today; None: nothing. Limits bind where they take part in a turn or claim."""
    if owner is None:
        return "unknown"
    if owner["is_active"] is False:
        return "inactive"
    if owner["away_until"] is not None and owner["away_until"] >= on:
        return "away"
    return limit_gate(owner) if is_limited else None


def limit_gate(owner: Row) -> str | None:
    """Whether somebody has had their leads of the day, or holds as many as they may."""
    if owner["daily_capacity"] is not None and owner["taken_today"] >= owner["daily_capacity"]:
        return "daily_capacity"
    if owner["holding_limit"] is not None and owner["held"] >= owner["holding_limit"]:
        return "holding_limit"
    return None


def is_member(pool_teams: Iterable[str], pool_owners: Iterable[str], owner: Row) -> bool:
    """Whether somebody belongs to a pool, by name or team; a pool that names nobody is everybody's."""
    teams, owners = tuple(pool_teams), tuple(pool_owners)
    return not (teams or owners) or owner["owner_id"] in owners or owner["team"] in teams


@dataclass(frozen=True)
class _Bid:
    """Somebody who gets a lead, or (owner None) the pool it waits in. `scope` is where it is whose turn."""

    owner: str | None
    method: str
    reason: str
    details: Row = field(default_factory=dict)
    scope: str | None = None


class Ground:
    """What never changes while leads are given out: who works where, and who belongs to which pool.

    Leads of one profile have the same candidates, so these are found once for each.
    """

    def __init__(self, owners: Mapping[str, Row]) -> None:
        self.owners = owners
        self._sets = {
            name: tuple(frozenset(row[dimension] or ()) for dimension in DIMENSIONS) for name, row in owners.items()
        }
        asked = zip(*self._sets.values(), strict=True) if self._sets else [()] * len(DIMENSIONS)
        self._asked = [frozenset().union(*values) for values in asked]
        self._groups: dict[Profile, list[tuple[str, ...]]] = {}
        self._members: dict[tuple[str, Profile], tuple[str, ...]] = {}

    def profile(self, lead: Row) -> Profile:
        """What of a lead matters to any owner."""
        given = (lead[dimension] or () for dimension in DIMENSIONS)
        return tuple(
            (asked.intersection(values), bool(values)) for asked, values in zip(self._asked, given, strict=True)
        )

    def shared(self, owner: str, profile: Profile) -> list[str]:
        """The dimensions in which a lead is known to lie in the owner's territory."""
        pairs = zip(DIMENSIONS, self._sets[owner], profile, strict=True)
        return [name for name, own, (values, _) in pairs if own & values]

    def groups(self, profile: Profile) -> list[tuple[str, ...]]:
        """Owners in whose territory such a lead is known to lie, those that share most dimensions first."""
        if profile not in self._groups:
            groups: dict[int, list[str]] = defaultdict(list)
            for name in self.owners:
                shared = self.shared(name, profile)
                if shared and self._fits(name, profile):
                    groups[len(shared)].append(name)
            self._groups[profile] = [tuple(groups[size]) for size in sorted(groups, reverse=True)]
        return self._groups[profile]

    def members(self, pool: Pool, profile: Profile) -> tuple[str, ...]:
        """Who of a pool may get such a lead."""
        if (pool.id, profile) not in self._members:
            self._members[pool.id, profile] = tuple(
                name
                for name, row in self.owners.items()
                if is_member(pool.teams, pool.owners, row)
                and set(pool.skills) <= set(row.get("skills") or ())
                and (pool.beyond_territory or self._fits(name, profile))
            )
        return self._members[pool.id, profile]

    def _fits(self, owner: str, profile: Profile) -> bool:
        """Whether a lead lies in the owner's territory; an owner without one takes all."""
        pairs = zip(DIMENSIONS, self._sets[owner], profile, strict=True)
        return all(
            not own or bool(own & values) or (name in MAY_FIT and not is_known)
            for name, own, (values, is_known) in pairs
        )


class Desk:
    """The state of owners and turns while the leads of one day are given out."""

    def __init__(
        self, owners: list[Row], turns: list[Row], on: date, policy: RoutingPolicy, ground: Ground | None = None
    ) -> None:
        self.on, self.policy = on, policy
        self.owners: dict[str, Row] = {row["owner_id"]: row for row in sorted(owners, key=lambda row: row["owner_id"])}
        self.ground = ground or Ground(self.owners)
        self.turns = Turns()
        for row in turns:
            self.turns.know(row["pool_id"], row["owner_id"], row["last_turn"], row["taken"])
        self._given: dict[str, tuple[str, str]] = {}  # company → owner and lead, as given out just now
        self._queues: dict[tuple[str, tuple[str, ...]], TurnQueue] = {}

    def place_all(self, leads: list[Row]) -> list[Row]:
        """Where each lead goes, in order, but for those that stay where they wait."""
        told: list[Row] = []
        # One by one, for every assignment changes who is free for the next; only leads without an owner come here.
        for lead in sorted(leads, key=_best_first):
            passed = Passed()
            row = self.place(lead, passed)
            if row["owner_id"] is not None or row["pool_id"] != lead["waits_in"]:
                told.append({**row, "gates": _json(passed.rows())})
        return told

    def place(self, lead: Row, passed: Passed) -> Row:
        """The owner or pool of one lead; whoever is passed over is added to `passed`."""
        for bid in self._holders(lead):
            gate = self._gate(lead, bid)
            if gate is None:
                return self._told(lead, bid)
            passed.add(bid.method, str(bid.owner), gate)
        if lead["reserved_owner_id"]:
            waits = self.policy.pools[-1].id
            return self._told(lead, _Bid(None, "reserved", "reserved_waits", {}, waits))
        return self._told(lead, self._of_territory(lead, passed) or self._of_pools(lead, passed))

    def _gate(self, lead: Row, bid: _Bid) -> str | None:
        is_limited = bid.reason not in self.policy.beyond_limits
        gate = lasting_gate(self.owners.get(bid.owner or ""), self.on, is_limited)
        return gate or ("cool_down" if bid.owner in (lead["cooling_owner_ids"] or ()) else None)

    def _is_out(self, owner: str) -> str | None:
        return lasting_gate(self.owners[owner], self.on, is_limited=True)

    def _holders(self, lead: Row) -> Iterator[_Bid]:
        """Who already works the company, then who may work a reserved one."""
        if lead["holder_id"]:
            yield _Bid(lead["holder_id"], "holder", lead["holder_rule"], {"evidence": lead["holder_evidence"]})
        elif lead["account_id"] in self._given:
            owner, colleague = self._given[lead["account_id"]]
            yield _Bid(owner, "holder", "colleague_lead", {"evidence": colleague})
        reserved = lead["reserved_owner_id"]
        if reserved:
            yield _Bid(reserved, "reserved", "reserved_account")
            team = self.owners.get(reserved, {}).get("team")
            mates = [name for name, row in self.owners.items() if team and row["team"] == team and name != reserved]
            yield from (_Bid(mate, "reserved", "reserved_team", {"team": team}) for mate in mates)

    def _of_territory(self, lead: Row, passed: Passed) -> _Bid | None:
        """Somebody in whose territory the lead is known to lie, those that share most dimensions first."""
        profile = self.ground.profile(lead)
        for equals in self.ground.groups(profile):
            owner = self._next(TERRITORY, equals, self.policy.territory_turn, {}, (lead, passed))
            if owner is not None:
                dimensions = self.ground.shared(owner, profile)
                return _Bid(owner, TERRITORY, "territory", {"dimensions": dimensions}, TERRITORY)
        return None

    def _of_pools(self, lead: Row, passed: Passed) -> _Bid:
        """Whose turn it is in the first pool that takes the lead and has somebody free; else the pool it waits in."""
        pools = [pool for pool in self.policy.pools if _pool_takes(pool, lead)]
        profile = self.ground.profile(lead)
        for pool in pools:
            if pool.mode == "claim":
                return _Bid(None, "pool", "pool_claim", {"pool": pool.id}, pool.id)
            owner = self._next(pool.id, self.ground.members(pool, profile), pool.turn, pool.weights, (lead, passed))
            if owner is not None:
                return _Bid(owner, "pool", "pool_turn", {"pool": pool.id, "turn": pool.turn}, pool.id)
        return _Bid(None, "pool", "pool_nobody_free", {"pool": pools[0].id}, pools[0].id)

    def _next(
        self, scope: str, owners: tuple[str, ...], turn: Turn, weights: dict[str, float], about: tuple[Row, Passed]
    ) -> str | None:
        lead, passed = about
        queue = self._queues.get((scope, owners))
        if queue is None:
            queue = self._queues[scope, owners] = TurnQueue(self.turns, scope, owners, turn, weights)
        return queue.next(self._is_out, lead["cooling_owner_ids"] or (), passed)

    def _told(self, lead: Row, bid: _Bid) -> Row:
        if bid.owner:
            self.owners[bid.owner]["taken_today"] += 1
            self.owners[bid.owner]["held"] += 1
            if lead["account_id"]:
                self._given.setdefault(lead["account_id"], (bid.owner, lead["lead_id"]))
        return {
            "lead_id": lead["lead_id"],
            "owner_id": bid.owner,
            "pool_id": None if bid.scope == TERRITORY else bid.scope,
            "method": bid.method,
            "reason": bid.reason,
            "details": _json(bid.details),
            "turn": self.turns.take(bid.scope, bid.owner) if bid.owner and bid.scope else None,
        }


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


def _pool_takes(pool: Pool, lead: Row) -> bool:
    where = pool.where
    asked = (
        (where.provinces, lead["provinces"]),
        (where.industries, lead["industries"]),
        (where.sizes, lead["sizes"]),
        (where.products, lead["products"]),
        (where.languages, lead["languages"]),
        (where.channels, [lead["channel"]]),
        (where.grades, [lead["fit_grade"]]),
    )
    return all(not wanted or bool(set(wanted) & set(given or ())) for wanted, given in asked)
