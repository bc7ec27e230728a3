"""A month of routing: 50,000 leads, 200 sales people, everything they do; nobody over a limit, no lead with nobody.

    python -m benchmarks.routing_days [--leads 50000] [--owners 200] [--days 30] [--seed 20260301]

Prints CPU seconds, leads by where they are, days on which somebody was over a limit, fairness, breaches and reclaims;
and the control: the same month with everybody's limits taken away, held to the same limits.
"""

import argparse
import random
import time
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from abmloop.calendar import end_of_local_day
from abmloop.policy import parse_policy
from scoring.policies.routing import RoutingPolicy
from scoring.routing.days import Days, Period, simulate
from scoring.routing.measures import gini, over_limits, received, told

TIMEZONE = "Asia/Shanghai"
FIRST = date(2026, 3, 1)
PROVINCES = ("广东", "江苏", "浙江", "山东", "上海", "北京", "四川", "湖北", "福建", "河南")
INDUSTRIES = ("c", "i", "g", "f", "m")
POLICY = """
pools:
  - {id: best, mode: assigned, turn: weighted, where: {grades: [A]}, teams: [t1, t2], weights: {o001: 2}, why: the best}
  - {id: sales, mode: assigned, turn: fewest, where: {provinces: [广东, 江苏, 浙江]}, why: where most come from}
  - {id: all, mode: assigned, why: in turn}
  - {id: public, mode: claim, why: whoever has time}
reclaim: {default_days: 7, extension_days: 3, max_days: 20, cool_down_days: 10, protect_days: 2}
"""


def make_leads(count: int, days: int, draw: random.Random) -> list[dict[str, Any]]:
    """Leads that come in over the month; a fifth share a company with others."""
    return [
        {
            "lead_id": f"L{number:06}",
            "account_id": f"A{draw.randrange(count // 10 + 1)}" if draw.random() < 0.2 else f"B{number}",
            "fit_grade": draw.choices("ABCDU", (1, 3, 4, 1, 1))[0],
            "engagement_band": draw.randint(1, 3),
            "engagement_points": round(draw.uniform(0, 100), 2),
            "channel": draw.choice(("web", "event", "call")),
            "provinces": [draw.choice(PROVINCES)] if draw.random() < 0.9 else [],
            "industries": [draw.choice(INDUSTRIES)],
            "sizes": [],
            "products": [draw.choice(("mes", "scada"))] if draw.random() < 0.3 else [],
            "languages": ["zh"],
            "arrived_at": instant(draw.uniform(0, days)),
            "start_owner_id": None,
            "start_at": None,
        }
        for number in range(count)
    ]


def make_owners(count: int, days: int, draw: random.Random) -> list[dict[str, Any]]:
    """Sales people: half with a territory, all with limits, some away for a while, some leaving for good."""
    return [_an_owner(number, days, draw) for number in range(count)]


def _an_owner(number: int, days: int, draw: random.Random) -> dict[str, Any]:
    away = FIRST + timedelta(days=draw.randrange(days)) if draw.random() < 0.2 else None
    return {
        "owner_id": f"o{number:03}",
        "team": f"t{number % 10}",
        "provinces": draw.sample(PROVINCES, 2) if draw.random() < 0.5 else [],
        "industries": [draw.choice(INDUSTRIES)] if draw.random() < 0.1 else [],
        "sizes": [],
        "products": [draw.choice(("mes", "scada"))] if draw.random() < 0.2 else [],
        "languages": ["zh"],
        "skills": [],
        "daily_capacity": draw.randint(6, 14),
        "holding_limit": draw.randint(80, 200),
        "is_active": True,
        "away_from": away,
        "away_until": away and away + timedelta(days=draw.randint(1, 7)),
        "gone_on": FIRST + timedelta(days=draw.randrange(days)) if draw.random() < 0.05 else None,
    }


def make_deeds(leads: list[dict[str, Any]], owners: list[dict[str, Any]], days: int, draw: random.Random) -> list[Any]:
    """What sales does: most leads are worked, some close, people claim, hand over and give back."""
    names, end = [owner["owner_id"] for owner in owners], instant(days)
    deeds = []
    for lead in leads:
        at = lead["arrived_at"]
        for _ in range(draw.choice((0, 1, 2, 4, 6))):
            at += int(draw.expovariate(1 / 3) * 86_400_000_000)
            deeds.append((at, "activity", lead["lead_id"], None, None))
        if draw.random() < 0.35:
            deeds.append((at + int(draw.uniform(1, 12) * 86_400_000_000), "close", lead["lead_id"], None, None))
        if draw.random() < 0.4:
            later = lead["arrived_at"] + int(draw.uniform(0.5, 20) * 86_400_000_000)
            deeds.append((later, "claim", lead["lead_id"], draw.choice(names), None))
        if draw.random() < 0.06:
            kind = draw.choice(("transfer", "release"))
            later = lead["arrived_at"] + int(draw.uniform(1, 9) * 86_400_000_000)
            deeds.append((later, kind, lead["lead_id"], None, draw.choice(names)))
    return sorted((deed for deed in deeds if deed[0] < end), key=lambda deed: (deed[0], deed[2]))


def instant(days: float) -> int:
    """So many days after the first midnight in Shanghai, in microseconds UTC."""
    return round(
        (datetime(FIRST.year, FIRST.month, FIRST.day) - datetime(1970, 1, 1, 8)).total_seconds() * 1e6 + days * 86.4e9
    )


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows with the types that the simulation asks for."""
    lists, texts = pa.list_(pa.string()), pa.string()
    kinds = {"away_from": pa.date32(), "away_until": pa.date32(), "gone_on": pa.date32(), "start_at": pa.int64(),
             "start_owner_id": texts, "provinces": lists, "industries": lists, "sizes": lists, "products": lists,
             "languages": lists, "skills": lists}  # fmt: skip
    return pa.table({name: pa.array([row[name] for row in rows], kinds.get(name)) for name in rows[0]})


def nowhere(days: Days, leads: int) -> int:
    """Leads of which no line tells an owner or a pool."""
    lines = days.log.to_pylist()
    placed = {row["lead_id"] for row in lines if row["owner_id"] is not None or row["pool_id"] is not None}
    empty = sum(row["owner_id"] is None and row["pool_id"] is None for row in lines)
    return leads - len(placed) + empty


def main() -> None:
    """The month, its measures, and the control."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (("leads", 50_000), ("owners", 200), ("days", 30), ("seed", 20260301)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    lead_rows = make_leads(asked.leads, asked.days, draw)
    owner_rows = make_owners(asked.owners, asked.days, draw)
    names = ("at", "kind", "lead_id", "owner_id", "to_id")
    deed_rows = [dict(zip(names, deed, strict=True)) for deed in make_deeds(lead_rows, owner_rows, asked.days, draw)]
    schema = pa.schema([("at", pa.int64()), *((name, pa.string()) for name in names[1:])])
    leads, owners, deeds = table(lead_rows), table(owner_rows), pa.Table.from_pylist(deed_rows, schema)
    policy = parse_policy(POLICY, RoutingPolicy)
    period = Period(FIRST, FIRST + timedelta(days=asked.days - 1), TIMEZONE)
    started = time.process_time()
    days = simulate(leads, owners, deeds, policy, period)
    spent = time.process_time() - started
    paths = Counter(row["path"] for row in days.log.to_pylist())
    print(
        f"{asked.leads:,} leads, {asked.owners} owners, {asked.days} days, {deeds.num_rows:,} deeds: {spent:.1f} CPU-s"
    )
    print(
        f"  lines {days.log.num_rows:,}: " + ", ".join(f"{path} {number:,}" for path, number in sorted(paths.items()))
    )
    print(
        f"  leads without owner or pool {nowhere(days, asked.leads)}, owners over a limit {over_limits(days, owners)}"
    )
    print(f"  fairness: Gini of leads received {gini(list(received(days).values())):.3f}")
    until = round(end_of_local_day(period.last, TIMEZONE).timestamp() * 1e6)
    events = Counter(told(days, deeds, policy, until, TIMEZONE)["kind"].to_pylist())
    print("  told: " + ", ".join(f"{kind} {number:,}" for kind, number in sorted(events.items())))
    free = owners.set_column(
        owners.column_names.index("daily_capacity"), "daily_capacity", pa.nulls(len(owners), pa.int64())
    )
    free = free.set_column(
        owners.column_names.index("holding_limit"), "holding_limit", pa.nulls(len(owners), pa.int64())
    )
    print(f"  control, limits off: over a limit {over_limits(simulate(leads, free, deeds, policy, period), owners)}")


if __name__ == "__main__":
    main()
