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
    point, _, nth = wanted.rpartition(":")
    if not nth.isdigit():
        # Names hold colons themselves: without a number at the end the whole is the name.
        point, nth = wanted, "1"
    if point != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
