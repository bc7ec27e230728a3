"""The process that touches untrusted files: few rights, bounded memory; a line of JSON in, a line of JSON out."""

import contextlib
import ctypes
import json
import math
import os
import resource
import sys
from typing import IO

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
# A sparse workbook can ask for hundreds of gigabytes at once, faster than anyone watches; imports need about 2.
ADDRESS_SPACE_BYTES = 16_000_000_000


def give_up_rights() -> None:
    """No core dumps, no endless memory, files for the owner only, no network where the kernel lets us leave it."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)


def _bound_processor_time(seconds: float) -> None:
    """Let the kernel end us where the parent cannot: twice the wall limit, for two threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = math.ceil(used.ru_utime + used.ru_stime + 2 * seconds) + 1
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


def answer(line: str) -> str:
    """What became of one job, as a line of JSON: `done`, `refused`, or `defect` (ours; its text names no data)."""
    from tasks.land.any_table import write_any_table
    from tasks.land.faults import Refused
    from tasks.land.grid import read_grid
    from tasks.land.job import Job, limits_for
    from tasks.land.looking import look_at
    from tasks.land.reading import read_file

    try:
        asked = json.loads(line)
        job = Job.from_json(asked["job"])
        _bound_processor_time(limits_for(job)[1])
        if asked["columns"]:
            return json.dumps({"done": read_grid(job, asked["columns"])})
        if asked["any_table"]:
            return json.dumps({"done": write_any_table(job)})
        done = look_at(job) if asked["only_look"] else read_file(job)
        return json.dumps({"done": done.to_json()})
    except Refused as refusal:
        return json.dumps({"refused": refusal.rule, "fields": refusal.fields})
    except MemoryError:
        return json.dumps({"refused": "too_much_memory", "fields": {"limit": ADDRESS_SPACE_BYTES // 1_000_000}})
    except Exception as error:  # the last-resort handler: one bad file must not end the others
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        where = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}" if frame else "?"  # noqa: PTH119
        return json.dumps({"defect": f"{type(error).__name__} at {where}"})


def serve(requests: IO[str], replies: IO[str]) -> None:
    """Answer jobs until the input ends."""
    import tasks.land.reading  # noqa: F401  loaded before the first job, so that its time is not the job's

    replies.write("ready\n")
    replies.flush()
    for line in requests:
        replies.write(answer(line) + "\n")
        replies.flush()


if __name__ == "__main__":
    give_up_rights()
    serve(sys.stdin, sys.stdout)
