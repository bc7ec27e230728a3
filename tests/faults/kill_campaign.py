"""Kill a sync at seeded moments, run it again, and compare with a sync that nobody disturbed.

    python -m tests.faults.kill_campaign --moments 30 --seed 7

Half of the moments are named places in the code (a step's begin, before and after its commit, the ledger's commit,
the publish's replace, the delivery's boundaries), half are random instants. After each kill one more sync must end with
the same tables, nothing lost, nothing twice. The control does a few of them with the step transaction switched off, and
must fail. Process death only: power loss is another claim.
"""

import argparse
import random
import re
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.e2e.worlds import (
    conservation_faults,
    differing,
    exported_records,
    hashes,
    remember_answers,
    sync,
    unsynced,
    write_small_world,
)
from tests.faults.forked import in_child
from warehouse.database import warehouse_path

SCHEMAS = ("raw", "resolved", "matched", "core", "scored", "marts")
ROOT = Path(__file__).parent.parent.parent
CONTROL_MOMENTS = 4
_POINT = re.compile(r'fault_point\(f?"([^"]+)"\)')


@dataclass(frozen=True)
class Moment:
    """When the process dies: at a named point's n-th passing, or after some seconds."""

    point: str | None
    seconds: float

    def __str__(self) -> str:
        return self.point or f"{self.seconds:.2f} s"


def named_points() -> list[str]:
    """Every `fault_point` in the code, a step's own with each step's name."""
    from tasks.loop import NAMES

    found: set[str] = set()
    for folder in ("tasks", "warehouse", "abmloop"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in _POINT.findall(path.read_text(encoding="utf-8")):
                found |= {name.replace("{name}", step) for step in NAMES} if "{name}" in name else {name}
    found.discard("name")
    return sorted(found)


def draw_moments(count: int, seed: int, duration: float) -> list[Moment]:
    """`count` moments, alternately named and random, the same for the same seed.

    Of the named, the first is where rows are in raw and not yet in the list of files: the one place that only the
    step's transaction keeps whole.
    """
    chance = random.Random(seed)
    points = named_points()
    chance.shuffle(points)
    points.sort(key=lambda name: name != "land:rows_inserted")
    return [
        Moment(points[number // 2 % len(points)], 0) if number % 2 == 0 else Moment(None, chance.uniform(0.2, duration))
        for number in range(count)
    ]


@dataclass(frozen=True)
class Undisturbed:
    """What a sync that nobody disturbed came to."""

    root: Path
    inputs: Path
    tables: dict[str, str]
    sent: dict[str, int]
    seconds: float


def run_undisturbed(folder: Path) -> Undisturbed:
    """Write the small world, sync it, keep what it came to."""
    root = write_small_world(folder / "undisturbed")
    sync(root)
    return undisturbed_by(root, folder / "inputs")


def undisturbed_by(root: Path, inputs: Path) -> Undisturbed:
    """What the one sync of `root`, which nobody disturbed, came to; `inputs` becomes a workspace to begin anew in."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        ((seconds,),) = con.execute("select sum(seconds) from ops.steps").fetchall()
    unsynced(root, inputs)
    return Undisturbed(root, inputs, hashes(root, SCHEMAS), exported_records(root), seconds)


def _sync(roots: tuple[Path, Path]) -> None:
    """Sync the first workspace; the gates need not be asked about what they passed in the second."""
    remember_answers(roots[1])
    sync(roots[0])


def faults_after_kill(folder: Path, wanted: Undisturbed, moment: Moment, transactional: bool) -> list[str] | None:
    """What is wrong after a kill at `moment` and one more sync; None where the sync ended before it could be killed."""
    root = folder / "killed"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(wanted.inputs, root)
    environment = {} if transactional else {"ABMLOOP_FAULT_NO_TRANSACTION": "1"}
    point = {"ABMLOOP_FAULT_POINT": moment.point} if moment.point else {}
    end = {} if moment.point else {"kill_after": moment.seconds}
    status = in_child(_sync, (root, wanted.root), {**environment, **point}, **end)
    if status == 0:
        return None
    if status != -signal.SIGKILL:
        return [f"the run ended by itself with {status} instead of being killed"]
    again = in_child(_sync, (root, wanted.root), environment)
    if again != 0:
        return [f"the next sync failed with {again}"]
    tables = [f"{name} differs" for name in differing(wanted.tables, hashes(root, SCHEMAS))]
    return tables + conservation_faults(root) + _sending_faults(wanted.sent, exported_records(root))


def _sending_faults(wanted: dict[str, int], sent: dict[str, int]) -> list[str]:
    lost = wanted.keys() - sent.keys()
    twice = [key for key, times in sent.items() if times > wanted.get(key, 0)]
    return [f"{len(lost)} records never sent"] * bool(lost) + [f"{len(twice)} records sent twice"] * bool(twice)


def campaign(wanted: Undisturbed, moments: int, seed: int, transactional: bool = True) -> dict[str, list[str] | None]:
    """Every moment → its faults (empty: survived; None: the run was over before)."""
    folder = wanted.inputs.parent
    found: dict[str, list[str] | None] = {}
    for number, moment in enumerate(draw_moments(moments, seed, wanted.seconds), start=1):
        faults = faults_after_kill(folder, wanted, moment, transactional)
        found[f"{number:02d} {moment}"] = faults
        print(f"  {number:>3} killed at {moment!s:<32} {_verdict(faults)}", flush=True)
    return found


def _verdict(faults: list[str] | None) -> str:
    if faults is None:
        return "was over before"
    return "; ".join(faults[:4]) or "whole"


def main() -> None:
    """Run the campaign and its control; exit 1 where a kill did harm or the control did none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="abmloop-kill-") as folder:
        print(f"{arguments.moments} moments, seed {arguments.seed}, {len(named_points())} named points")
        wanted = run_undisturbed(Path(folder))
        found = campaign(wanted, arguments.moments, arguments.seed)
        harmed = {moment: faults for moment, faults in found.items() if faults}
        killed = sum(faults is not None for faults in found.values())
        print(f"{killed} killed, {len(harmed)} harmed")
        print("Control: the first of them without the step transaction")
        control = campaign(wanted, CONTROL_MOMENTS, arguments.seed, transactional=False)
        broken = sum(bool(faults) for faults in control.values())
        print(f"control: {broken} of {len(control)} harmed")
    raise SystemExit(1 if harmed or not broken else 0)


if __name__ == "__main__":
    main()
