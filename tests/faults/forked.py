"""Work in a process of its own, forked so that it need not import anything again, and killed where a test says so."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable


def in_child(work: Callable[[], None], environment: dict[str, str], kill_after: float | None = None) -> int:
    """Do `work` in a forked child; gives its exit status as `os.waitpid` tells it, negative for a signal."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.environ.update(environment)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    if kill_after is not None:
        ends = time.monotonic() + kill_after
        while time.monotonic() < ends:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
