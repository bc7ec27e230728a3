"""Ten thousand random histories against a slow, plain reference; a month of many leads within all limits."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from abmloop.policy import parse_policy
from benchmarks import routing_days as month
from scoring.policies.routing import RoutingPolicy
from scoring.routing import timers
from scoring.routing.days import Days, Period, simulate
from scoring.routing.measures import gini, over_limits, received
from tests.unit.scoring.plain_routing import PlainRouting, due_day

FIRST = date(2026, 3, 20)
_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
LEADS = pa.schema(
    [("lead_id", _TEXT), ("account_id", _TEXT), ("fit_grade", _TEXT), ("engagement_band", pa.int32()),
     ("engagement_points", pa.float64()), ("channel", _TEXT), ("provinces", _TEXTS), ("industries", _TEXTS),
     ("sizes", _TEXTS), ("products", _TEXTS), ("languages", _TEXTS), ("arrived_at", pa.int64()),
     ("start_owner_id", _TEXT), ("start_at", pa.int64())]
)  # fmt: skip
OWNERS = pa.schema(
    [("owner_id", _TEXT), ("team", _TEXT), ("provinces", _TEXTS), ("industries", _TEXTS), ("sizes", _TEXTS),
     ("products", _TEXTS), ("languages", _TEXTS), ("skills", _TEXTS), ("daily_capacity", pa.int64()),
     ("holding_limit", pa.int64()), ("is_active", pa.bool_()), ("away_from", pa.date32()), ("away_until", pa.date32()),
     ("gone_on", pa.date32())]
)  # fmt: skip
DEEDS = pa.schema([("at", pa.int64()), ("kind", _TEXT), ("lead_id", _TEXT), ("owner_id", _TEXT), ("to_id", _TEXT)])


def a_world(seed: int) -> dict[str, Any]:
    """A few leads and sales people, and what they do in some weeks; the clocks change within them in Berlin."""
    draw = random.Random(seed)
    days = draw.randint(8, 40)
    default, extension = draw.randint(1, 8), draw.randint(0, 5)
    longest = default + draw.randint(0, 10)
    rule = {"default_days": default, "extension_days": extension, "max_days": longest,
            "protect_days": draw.randint(0, longest), "cool_down_days": draw.randint(0, 15)}  # fmt: skip
    owners = {f"o{number}": _an_owner(draw, days) for number in range(draw.randint(1, 4))}
    leads = [
        {"lead_id": f"L{number}", "account_id": draw.choice([None, "A1", "A2"]) or f"B{number}",
         "fit_grade": draw.choice("ABC"), "engagement_points": float(draw.randint(0, 3)),
         "arrived_at": _instant(draw, days // 2)}
        for number in range(draw.randint(1, 4))
    ]  # fmt: skip
    kinds = ["activity"] * 4 + ["claim"] * 3 + ["transfer", "release"] + ["close"] * (seed % 3 == 0)
    deeds = [
        {"at": _instant(draw, days), "kind": draw.choice(kinds), "lead_id": draw.choice(leads)["lead_id"],
         "owner_id": draw.choice(list(owners)), "to_id": draw.choice(list(owners))}
        for _ in range(draw.randint(0, 40))
    ]  # fmt: skip
    deeds.sort(key=lambda deed: deed["at"])
    return {"rule": rule, "owners": owners, "leads": leads, "deeds": deeds, "first": FIRST,
            "last": FIRST + timedelta(days=days), "timezone": draw.choice(["Asia/Shanghai", "Europe/Berlin"]),
            "has_sales_pool": draw.random() < 0.5}  # fmt: skip


def _instant(draw: random.Random, days: int) -> datetime:
    return datetime(2026, 3, 20) + timedelta(seconds=draw.randrange(3600 * 2, 86400 * max(days, 1)))


def _an_owner(draw: random.Random, days: int) -> dict[str, Any]:
    away = FIRST + timedelta(days=draw.randint(0, days)) if draw.random() < 0.3 else None
    return {
        "team": draw.choice(["best", "all"]),
        "daily_capacity": draw.choice([None, None, 1, 2]),
        "holding_limit": draw.choice([None, None, 1, 2]),
        "away_from": away,
        "away_until": away and away + timedelta(days=draw.randint(0, 6)),
        "gone_on": FIRST + timedelta(days=draw.randint(1, days)) if draw.random() < 0.2 else None,
    }


def a_policy(world: dict[str, Any], **mutated: int) -> RoutingPolicy:
    """The world's rules as routing.yaml says them."""
    rule = ", ".join(f"{name}: {value}" for name, value in {**world["rule"], **mutated}.items())
    sales = "- {id: sales, mode: assigned, why: in turn}" if world["has_sales_pool"] else ""
    return parse_policy(
        f"""
pools:
  - {{id: best, mode: assigned, where: {{grades: [A]}}, teams: [best], why: best people for best leads}}
  {sales}
  - {{id: public, mode: claim, why: all others}}
reclaim: {{{rule}}}
""",
        RoutingPolicy,
    )


def micros(at: datetime) -> int:
    """Microseconds UTC."""
    return int((at - datetime(1970, 1, 1)).total_seconds()) * 1_000_000


def lived(world: dict[str, Any], policy: RoutingPolicy) -> Days:
    """The world by our rules."""
    leads = [{"engagement_band": 1, **lead, "arrived_at": micros(lead["arrived_at"])} for lead in world["leads"]]
    owners = [{"owner_id": name, "is_active": True, **row} for name, row in world["owners"].items()]
    deeds = [{**deed, "at": micros(deed["at"])} for deed in world["deeds"]]
    return simulate(
        pa.Table.from_pylist(leads, LEADS),
        pa.Table.from_pylist(owners, OWNERS),
        pa.Table.from_pylist(deeds, DEEDS),
        policy,
        Period(world["first"], world["last"], world["timezone"]),
    )


def ours(world: dict[str, Any], policy: RoutingPolicy) -> list[tuple[Any, ...]]:
    """Every line, in the shape of the reference."""
    rows = lived(world, policy).log.to_pylist()
    lines = [
        (row["lead_id"], datetime.fromtimestamp(row["assigned_at"] / 1e6, UTC).replace(tzinfo=None), row["path"],
         row["owner_id"], row["pool_id"])
        for row in rows
    ]  # fmt: skip
    return sorted(lines, key=lambda line: line[0])  # stable: within a lead in order


def differences(seeds: range, **mutated: int) -> int:
    """Histories of which any line differs from the reference's."""
    return sum(ours(world, a_policy(world, **mutated)) != PlainRouting(world).live() for world in map(a_world, seeds))


def test_random_histories_go_as_the_plain_reference_has_them() -> None:
    assert differences(range(300)) == 0


@pytest.mark.parametrize("mutated", ["extension_days", "cool_down_days"])
def test_a_rule_that_is_a_day_off_is_found_by_the_reference(mutated: str) -> None:
    worlds = [a_world(seed) for seed in range(60)]
    found = sum(
        ours(world, a_policy(world, **{mutated: world["rule"][mutated] + 1})) != PlainRouting(world).live()
        for world in worlds
    )
    assert found > 3


@pytest.mark.slow
def test_ten_thousand_random_histories_go_as_the_plain_reference_has_them() -> None:
    assert differences(range(10_000)) == 0


def test_the_timers_of_many_claims_at_once_are_those_of_the_reference() -> None:
    draw = random.Random(7)
    for _ in range(20):
        world = a_world(draw.randrange(10**6))
        policy, claimed = a_policy(world).reclaim, [_instant(draw, 30) for _ in range(50)]
        done = [[_instant(draw, 60) for _ in range(draw.randrange(8))] for _ in claimed]
        kind = pa.timestamp("us")
        found = timers(pa.array(claimed, kind), pa.array(done, pa.list_(kind)), policy, world["timezone"])
        plain = PlainRouting(world)
        for claim, times, back in zip(claimed, done, found.reclaim_at.to_pylist(), strict=True):
            day = plain.day_of(claim)
            days = [plain.day_of(at) for at in times if plain.day_of(at) >= day]
            assert plain.day_of(back) == due_day(day, days, world["rule"])


def test_in_a_month_of_many_leads_none_is_nowhere_and_nobody_over_a_limit() -> None:
    """The short form of benchmarks/routing_days.py, with its control."""
    draw = random.Random(11)
    lead_rows, owner_rows = month.make_leads(700, 30, draw), month.make_owners(7, 30, draw)
    deeds = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(
            zip(*month.make_deeds(lead_rows, owner_rows, 30, draw), strict=True), DEEDS, strict=True)],
        schema=DEEDS,
    )  # fmt: skip
    leads, owners = month.table(lead_rows), month.table(owner_rows)
    policy = parse_policy(month.POLICY, RoutingPolicy)
    period = Period(month.FIRST, month.FIRST + timedelta(days=29), month.TIMEZONE)
    days = simulate(leads, owners, deeds, policy, period)
    assert (month.nowhere(days, 700), over_limits(days, owners)) == (0, 0)
    assert 0 < gini(list(received(days).values())) < 0.4
    free = [{**row, "daily_capacity": None, "holding_limit": None} for row in owner_rows]
    limits = month.table(owner_rows)
    unlimited = pa.Table.from_pylist(free, limits.schema)
    assert over_limits(simulate(leads, unlimited, deeds, policy, period), limits) > 10
