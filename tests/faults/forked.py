"""Work in a process of its own that a test kills.

The children are forked from a process that has imported everything and done nothing: they start at once, and no thread
of a test's own libraries (OpenMP, DuckDB) is missing in them.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.e2e.worlds", "tests.contract.vendors"])
LONGEST_SECONDS = 900


def in_child(
    work: Callable[[Any], Any], argument: Any, environment: dict[str, str], kill_after: float = LONGEST_SECONDS
) -> int:
    """Do `work(argument)` in a child that is killed after so many seconds; gives its exit code, a signal's as minus."""
    child = _CONTEXT.Process(target=_carry_out, args=(work, argument, environment))
    child.start()
    child.join(kill_after)
    if child.is_alive() and child.pid is not None:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    return child.exitcode if child.exitcode is not None else 0


def _carry_out(work: Callable[[Any], Any], argument: Any, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    work(argument)
