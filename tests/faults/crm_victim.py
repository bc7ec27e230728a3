"""A push into import files as a process of its own: `python -m tests.faults.crm_victim FOLDER [POINT [NTH]]`.

With a point it ends itself there by SIGKILL, at the n-th passing.
"""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.files import FilesConnector
from tests.contract.world import LEADS, World
from tests.faults.crm_points import modules

PEOPLE = 40


def open_world(root: Path) -> World:
    """The same world in every process."""
    return World(root, parse_policy(LEADS.replace("fake:test", "files:test"), CrmPolicy), PEOPLE)


def kill_at(point: str, nth: int) -> None:
    """End this process at the n-th passing of that fault point."""
    passed: Counter[str] = Counter()

    def fault_point(name: str) -> None:
        passed[name] += 1
        if name == point and passed[name] == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    for module in modules():
        setattr(module, "fault_point", fault_point)  # noqa: B010


if __name__ == "__main__":
    if len(sys.argv) > 2:
        kill_at(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    world = open_world(Path(sys.argv[1]))
    world.push(FilesConnector(world.root, world.policy, world.as_of))
