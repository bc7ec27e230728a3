"""Kill pushes, again and again, into a CRM that misbehaves; then count what was lost and what is there twice.

    python -m tests.faults.crm_campaign --leads 10000 --share 0.35 --kills 100 --random 500 --others 50

Every push is a process of its own that ends by SIGKILL: at each named boundary `--kills` times and at `--random` random
instants in the first dialect, at `--others` random instants in each other one; then every dialect without kills at
5, 35 and 80 % faulty calls. Where everything has arrived before all kills are spent, all leads change and it goes on.
The fake CRM is another process; the checker reads only its dump and the leads that were to arrive. Each control does
without one guard and must fail. Process death only: power loss is another claim.
"""

import argparse
import random
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.outbound.crm.hubspot import HubSpotConnector
from tasks.outbound.crm.singles import SingleRecordConnector
from tests.contract.server.account import CrmServer
from tests.contract.server.faults import FAULTS
from tests.contract.vendors import DIALECTS, TIMEOUT_SECONDS, VendorWorld, vendor_policy
from tests.faults.crm_points import POINTS
from tests.faults.forked import in_child

SHARES = (0.05, 0.35, 0.8)
REFUSED_EVERY = 97
LAG_SECONDS = 5.0
LONGEST_SECONDS = 3.0
MOST_PUSHES = 3000
WAITING = 3


@dataclass(frozen=True)
class Plan:
    """One campaign: whom it is pushed to, how badly that one behaves, and when the pushes die."""

    dialect: str
    leads: int
    share: float
    seed: int
    moments: tuple[str | float, ...] = ()
    batch_size: int = 20
    without: str | None = None
    faults: tuple[str, ...] = FAULTS


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to."""

    lost: int
    doubled: int
    unconsented: int
    unnamed: int
    kills: int
    calls: int
    faulty: int


@dataclass(frozen=True)
class _Push:
    root: str
    port: int
    plan: Plan
    number: int
    wave: int


def moments(kills: int, at_random: int, seed: int) -> tuple[str | float, ...]:
    """Each named boundary so often, at one of its first passings, and so many random instants; shuffled."""
    chance = random.Random(seed)
    named: list[str | float] = [
        f"{point}:{1 if 'intent' in point else chance.randint(1, 3)}" for point in POINTS for _ in range(kills)
    ]
    drawn = named + [chance.uniform(0.02, LONGEST_SECONDS) for _ in range(at_random)]
    chance.shuffle(drawn)
    return tuple(drawn)


def run_campaign(plan: Plan, server: CrmServer, root: Path) -> Outcome:
    """Push until all moments are spent and nothing waits, then count."""
    begun = {"seed": plan.seed, "share": plan.share, "lag": LAG_SECONDS, "slow_seconds": TIMEOUT_SECONDS * 1.5}
    server.ask("reset", dialect=plan.dialect, faults=plan.faults, **begun)
    world = _world(root, server, plan, 0)
    refused = [key for number, key in enumerate(world.fields) if number % REFUSED_EVERY == 5]
    for key in refused:
        world.say(key, "refused")
    left = list(plan.moments)
    wave = kills = 0
    for number in range(MOST_PUSHES):
        moment = left.pop() if left else None
        code = _push_in_child(_Push(str(root), server.port, plan, number, wave), moment)
        kills += code == -signal.SIGKILL
        if code not in (0, WAITING, -signal.SIGKILL):
            raise AssertionError(f"a push ended by itself with {code}")
        if code == 0:
            if not left:
                break
            wave += 1
    return _judged(_world(root, server, plan, wave), refused, kills)


def _push_in_child(push: _Push, moment: str | float | None) -> int:
    environment = {"ABMLOOP_FAULT_POINT": moment if isinstance(moment, str) else ""}
    if isinstance(moment, float):
        return in_child(_push, push, environment, kill_after=moment)
    return in_child(_push, push, environment)


def _push(push: _Push) -> None:
    """One run's push; ends with WAITING where something is left for the next."""
    server = CrmServer.at(push.port)
    world = _world(Path(push.root), server, push.plan, push.wave)
    world.run_number = push.number
    _switch_off(push.plan.without)
    raise SystemExit(WAITING if world.push_once().get("waiting") else 0)


def _world(root: Path, server: CrmServer, plan: Plan, wave: int) -> VendorWorld:
    policy = vendor_policy(plan.dialect, server, TIMEOUT_SECONDS)
    world = VendorWorld(root, policy, plan.leads, server=server, dialect=plan.dialect, batch_size=plan.batch_size)
    for fields in world.fields.values():
        fields["stage"] = f"stage {wave}"
    return world


def _switch_off(guard: str | None) -> None:
    """Do without one guard, for a control."""
    if guard == "asking":
        SingleRecordConnector.find = lambda _self, _name, _keys: {}  # type: ignore[method-assign]
    if guard == "verdicts":
        HubSpotConnector._verdicts = _trusting  # type: ignore[method-assign,assignment]


def _trusting(_self: Any, _mapping: Any, _told: Any, records: Any) -> list[Any]:
    from tasks.outbound.crm.base import Verdict

    return [Verdict(key, "done") for key in records]


def _judged(world: VendorWorld, refused: list[str], kills: int) -> Outcome:
    there = world.there()
    unconsented = sum(key in there for key in refused)
    for key in refused:
        del world.fields[key]
        there.pop(key, None)
    lost, doubled = world.lost_and_doubled()
    named = {"done", "dead", "held", "cancelled", "superseded"}
    unnamed = sum(number for state, number in world.states().items() if state not in named)
    told = world.fake.ask("calls")
    doubled -= unconsented
    return Outcome(lost, doubled, unconsented, unnamed, kills, sum(told["calls"].values()), sum(told["drawn"].values()))


def report(name: str, plan: Plan, server: CrmServer) -> Outcome:
    """Run a campaign in a folder of its own and print its line."""
    with tempfile.TemporaryDirectory(prefix="abmloop-crm-") as folder:
        outcome = run_campaign(plan, server, Path(folder))
    told = vars(outcome)
    figures = ", ".join(f"{number:,} {what}" for what, number in told.items())
    print(f"{name:<10} {plan.dialect:<10} {plan.share:.0%} faulty, seed {plan.seed}: {figures}", flush=True)
    return outcome


def main() -> None:
    """Run everything; exit 1 where something was lost, doubled or unconsented, or a control did no harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("leads", 10_000), ("kills", 100), ("random", 500), ("others", 50), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--share", type=float, default=0.35)
    parser.add_argument("--dialects", nargs="+", default=list(DIALECTS))
    given = parser.parse_args()
    harmed = 0
    with CrmServer() as server:
        for place, dialect in enumerate(given.dialects):
            drawn = (
                moments(given.kills, given.random, given.seed) if place == 0 else moments(0, given.others, given.seed)
            )
            plans = [("R1 kills", Plan(dialect, given.leads, given.share, given.seed, drawn))] if drawn else []
            plans += [("R2", Plan(dialect, given.leads, share, given.seed)) for share in SHARES]
            for name, plan in plans:
                outcome = report(name, plan, server)
                harmed += any((outcome.lost, outcome.doubled, outcome.unconsented, outcome.unnamed))
        asking = Plan("fxiaoke", 200, 0.35, given.seed, moments(2, 4, given.seed), without="asking")
        # What a later wave writes hides what an earlier one lost: no kills here, and the faults that lie about rows.
        lies = ("row_busy", "all_busy", "500_after")
        trusting = Plan("hubspot", 400, 0.35, given.seed, without="verdicts", faults=lies)
        doubled = report("control", asking, server).doubled
        lost = report("control", trusting, server).lost
    raise SystemExit(1 if harmed or not doubled or not lost else 0)


if __name__ == "__main__":
    main()
