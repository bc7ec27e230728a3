"""Named places where the fault tests end the process, so that every boundary can be counted."""

import os
import signal

_hits: dict[str, int] = {}


def fault_point(name: str) -> None:
    """Kill this process with SIGKILL where `ABMLOOP_FAULT_POINT` says `name` or `name:n` (the n-th passing).

    Without that variable, as always outside the fault tests, nothing happens.
    """
    wanted = os.environ.get("ABMLOOP_FAULT_POINT")
    if not wanted:
        return
    point, _, nth = wanted.partition(":")
    if point != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
