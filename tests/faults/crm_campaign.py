"""Kill pushes, again and again, into a CRM that misbehaves; then count what was lost and what is there twice.

    python -m tests.faults.crm_campaign                                       # 10,000 leads; about an hour of one core
    python -m tests.faults.crm_campaign --leads 500 --kills 10 --random 40 --others 20
    python -m tests.faults.crm_campaign --shard 2/4      # a fourth of the kills, in a world and with faults of its own

Every push is a process of its own that ends by SIGKILL: at each named boundary `--kills` times and at `--random` random
instants in the first dialect, at `--others` random instants in each other one; a moment that no push came to is tried
again. Then every dialect without kills at 5, 35 and 80 % faulty calls. Where everything has arrived before all kills
are spent, a twentieth of the leads changes and it goes on. The fake CRM is another process; the checker reads only its
dump and the leads that were to arrive. Each control does without one guard and must fail. Process death only: power
loss is another claim, and so the ledger may lie in memory (`/dev/shm`).
"""

import argparse
import random
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tasks.outbound.crm.wire
from tasks.outbound.consent.gate import Gate, Word
from tasks.outbound.crm.base import Connector, Verdict
from tasks.outbound.crm.hubspot import HubSpotConnector
from tasks.outbound.crm.singles import SingleRecordConnector
from tasks.outbound.push.desk import Desk
from tasks.outbound.push.outbox import Journal
from tests.contract.server.account import CrmServer
from tests.contract.server.faults import FAULTS
from tests.contract.vendors import DIALECTS, VendorWorld, vendor_policy
from tests.faults.crm_points import POINTS
from tests.faults.forked import in_child

SHARES = (0.05, 0.35, 0.8)
REFUSED_EVERY = 97
SLICES = 20
# A call that takes effect late (8 s) and the search's lag together stay below the 30 s of index_lag_seconds.
LAG_SECONDS = 20.0
TIMEOUT_SECONDS = 0.12
LARGEST_BODY = 2_000_000
LONGEST_SECONDS = 1.0
MOST_PUSHES = 20_000
WAITING = 3
BATCH_SIZES = {"hubspot": 100, "salesforce": 100}


@dataclass(frozen=True)
class Plan:
    """One campaign: whom it is pushed to, how badly that one behaves, and when the pushes die."""

    dialect: str
    leads: int
    share: float
    seed: int
    moments: tuple[str | float, ...] = ()
    without: str | None = None
    faults: tuple[str, ...] = FAULTS


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to. `kills`: by the boundary, or "random"."""

    lost: int
    doubled: int
    unconsented: int
    unnamed: int
    calls: int
    faulty: int
    kills: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Push:
    root: str
    port: int
    plan: Plan
    number: int
    wave: int


@dataclass
class CampaignWorld(VendorWorld):
    """In each wave but the first a part of the leads changes; the others are not looked at again, as in a run.

    `is_whole` false: only the leads of this wave are there. Where each is a call of its own the leads also come first
    part by part: at four faulty calls of five a push ends after some thirty, and all would be looked at each time.
    """

    wave: int = 0
    is_whole: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for number, (key, fields) in enumerate(list(self.fields.items())):
            since = (self.wave - number) % SLICES
            fields["stage"] = f"stage {max(self.wave - since, 0)}"
            if since and not self.is_whole and (self.wave or self.first_waves > 1):
                del self.fields[key]

    @property
    def first_waves(self) -> int:
        """In how many waves the leads first come."""
        return 1 if self.dialect in BATCH_SIZES else SLICES

    def desk(self, connector: Connector) -> Desk:
        """The leads of this wave, where it is not the whole world; the others have all arrived."""
        desk = super().desk(connector)
        if not self.wave and self.first_waves == 1:
            return desk
        return replace(
            desk, journal=Journal(self.ledger, self.policy.instance, {("leads", key) for key in self.fields})
        )


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
    server.ask("reset", dialect=plan.dialect, faults=plan.faults, huge_bytes=LARGEST_BODY * 2, **begun)
    world = _world(root, server, plan, 0)
    refused = [key for number, key in enumerate(world.fields) if number % REFUSED_EVERY == 5]
    for key in refused:
        world.say(key, "refused")
    left = list(plan.moments)
    kills: Counter[str] = Counter()
    wave = 0
    for number in range(MOST_PUSHES):
        moment = left.pop() if left else None
        code = _push_in_child(_Push(str(root), server.port, plan, number, wave), moment)
        if code == -signal.SIGKILL:
            kills[moment.rpartition(":")[0] if isinstance(moment, str) else "random"] += 1
        elif code not in (0, WAITING):
            raise AssertionError(f"a push ended by itself with {code}")
        elif moment is not None:
            left.insert(0, _earlier(moment))
        if code == 0:
            if not left and wave + 1 >= world.first_waves:
                break
            wave += 1
    return _judged(_world(root, server, plan, wave), refused, kills)


def _earlier(moment: str | float) -> str | float:
    """A push did not come that far: the moment stays for another one, at an earlier instant or passing."""
    if isinstance(moment, float):
        return moment * 0.7
    point, _, nth = moment.rpartition(":")
    return f"{point}:{max(int(nth) - 1, 1)}"


def _push_in_child(push: _Push, moment: str | float | None) -> int:
    environment = {"ABMLOOP_FAULT_POINT": moment if isinstance(moment, str) else ""}
    if isinstance(moment, float):
        return in_child(_push, push, environment, kill_after=moment)
    return in_child(_push, push, environment)


def _push(push: _Push) -> None:
    """One run's push; ends with WAITING where something is left for the next."""
    # As large bodies as the fake sends here: to read sixteen megabytes a thousand times tells no more.
    tasks.outbound.crm.wire.MAX_BODY_BYTES = LARGEST_BODY
    world = _world(Path(push.root), CrmServer.at(push.port), push.plan, push.wave, is_whole=False)
    world.run_number = push.number
    _switch_off(push.plan.without)
    raise SystemExit(WAITING if world.push_once().get("waiting") else 0)


def _world(root: Path, server: CrmServer, plan: Plan, wave: int, is_whole: bool = True) -> CampaignWorld:
    policy = vendor_policy(plan.dialect, server, TIMEOUT_SECONDS)
    size = BATCH_SIZES.get(plan.dialect, 20)
    more = {"server": server, "dialect": plan.dialect, "batch_size": size, "wave": wave}
    return CampaignWorld(root, policy, plan.leads, is_whole=is_whole, **more)


def _switch_off(guard: str | None) -> None:
    """Do without one guard, for a control."""
    if guard == "asking":
        SingleRecordConnector.find = lambda _self, _name, _keys: {}  # type: ignore[method-assign]
    if guard == "verdicts":
        HubSpotConnector._verdicts = _trusting  # type: ignore[method-assign,assignment]
    if guard == "gate":
        Gate.judge = lambda _self, _purpose, _person, _region: Word(True, "allowed", "nobody asked")  # type: ignore


def _trusting(_self: Any, _mapping: Any, _told: Any, records: Any) -> list[Any]:
    return [Verdict(key, "done") for key in records]


def _judged(world: VendorWorld, refused: list[str], kills: Counter[str]) -> Outcome:
    there = world.there()
    unconsented = sum(key in there for key in refused)
    for key in refused:
        del world.fields[key]
    lost, doubled = world.lost_and_doubled()
    named = {"done", "dead", "held", "cancelled", "superseded"}
    unnamed = sum(number for state, number in world.states().items() if state not in named)
    told = world.fake.ask("calls")
    doubled -= unconsented
    return Outcome(lost, doubled, unconsented, unnamed, sum(told["calls"].values()), sum(told["drawn"].values()), kills)


def report(name: str, plan: Plan, server: CrmServer) -> Outcome:
    """Run a campaign in a folder of its own and print its line."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="abmloop-crm-", dir=memory if memory.is_dir() else None) as folder:
        outcome = run_campaign(plan, server, Path(folder))
    told = vars(outcome)
    figures = ", ".join(f"{number:,} {what}" for what, number in told.items() if what != "kills")
    killed = ", ".join(f"{number} at {point}" for point, number in sorted(outcome.kills.items()))
    killed = f"; {outcome.kills.total():,} kills: {killed}" if killed else ""
    print(f"{name:<10} {plan.dialect:<10} {plan.share:.0%} faulty, seed {plan.seed}: {figures}{killed}", flush=True)
    return outcome


def controls(server: CrmServer, seed: int) -> bool:
    """Each without one guard; whether every one of them did the harm that the guard prevents."""
    asking = Plan("fxiaoke", 200, 0.35, seed, moments(2, 4, seed), without="asking")
    # What a later wave writes hides what an earlier one lost: no kills here, and the faults that lie about rows.
    lies = ("row_busy", "all_busy", "500_after")
    trusting = Plan("hubspot", 400, 0.35, seed, without="verdicts", faults=lies)
    ungated = Plan("hubspot", 400, 0.35, seed, without="gate")
    harm = (
        report("control", asking, server).doubled,
        report("control", trusting, server).lost,
        report("control", ungated, server).unconsented,
    )
    return all(harm)


def main() -> None:
    """Run everything; exit 1 where something was lost, doubled or unconsented, or a control did no harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("leads", 10_000), ("kills", 100), ("random", 500), ("others", 50), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--share", type=float, default=0.35)
    parser.add_argument("--dialects", nargs="+", default=list(DIALECTS))
    parser.add_argument("--shares", nargs="*", type=float, default=list(SHARES), help="runs without kills")
    parser.add_argument("--shard", default="1/1", help="K/N: every N-th kill only; the runs without kills are in 1/N")
    given = parser.parse_args()
    harmed = 0
    with CrmServer() as server:
        is_proven = controls(server, given.seed)
        for name, plan in (one for dialect in given.dialects for one in _plans(dialect, given)):
            outcome = report(name, plan, server)
            harmed += any((outcome.lost, outcome.doubled, outcome.unconsented, outcome.unnamed))
    raise SystemExit(1 if harmed or not is_proven else 0)


def _plans(dialect: str, given: argparse.Namespace) -> list[tuple[str, Plan]]:
    """What is run for a dialect: the kills of this shard, and in the first shard each share without kills."""
    is_first = dialect == DIALECTS[0]
    drawn = moments(given.kills if is_first else 0, given.random if is_first else given.others, given.seed)
    place, of = (int(one) for one in given.shard.split("/"))
    drawn = drawn[place - 1 :: of]
    plans = [("R1 kills", Plan(dialect, given.leads, given.share, given.seed + place - 1, drawn))] if drawn else []
    shares = given.shares if place == 1 else []
    return plans + [("R2", Plan(dialect, given.leads, share, given.seed)) for share in shares]


if __name__ == "__main__":
    main()
