"""The parent's side of reading untrusted files: one child for many files, watched, killed and replaced."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from abmloop.errors import AbmError
from abmloop.messages import said
from tasks.land.faults import Refused
from tasks.land.job import Job, limits_for
from tasks.land.looking import Look

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.05
START_SECONDS = 120
# What the child may know of our environment: nothing that could hold a secret.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class Sandbox:
    """A context in which files are read in a child process with limits of memory (resident) and time."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._peak_mb = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, job: Job) -> dict[str, Any]:
        """The file read, as `Read.to_json` gives it. Raises Refused, also where it costs more than its limits allow.

        Raises AbmError where the reader itself is at fault.
        """
        return self._ask(job)

    def peak_mb(self) -> float:
        """The highest resident memory of a child so far, where the system tells it (Linux); else its present one."""
        if self._child is not None:
            self._peak_mb = max(self._peak_mb, _peak_mb(self._child.pid))
        return self._peak_mb

    def look(self, job: Job) -> Look:
        """A first look at the file, whatever the job's readings. Raises as `read` does."""
        return Look.from_json(self._ask(job, only_look=True))

    def grid(self, job: Job, columns: Mapping[str, list[str]]) -> dict[str, Any]:
        """The rows under these headers, as `read_grid` gives them. Raises as `read` does."""
        return self._ask(job, columns=columns)

    def any_table(self, job: Job) -> dict[str, Any]:
        """The one table of a file, whatever its columns, as `write_any_table` writes it. Raises as `read` does."""
        return self._ask(job, any_table=True)

    def _ask(self, job: Job, **how: bool | Mapping[str, list[str]]) -> dict[str, Any]:
        memory_mb, seconds = limits_for(job)
        child = self._start()
        request = (
            json.dumps({"job": job.to_json(), "only_look": False, "columns": None, "any_table": False} | how) + "\n"
        )
        try:
            assert child.stdin is not None
            child.stdin.write(request.encode())
            child.stdin.flush()
        except BrokenPipeError as error:
            self._end()
            raise Refused("reader_died", status=child.returncode) from error
        reply = json.loads(self._wait(child, memory_mb, seconds))
        if "refused" in reply:
            raise Refused(reply["refused"], **reply["fields"])
        if "defect" in reply:
            raise AbmError(said("landing_reader_failed", file=job.file_name, defect=reply["defect"]))
        return dict(reply["done"])

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tasks.land.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT,
        )  # fmt: skip
        if self._wait(self._child, 4_000, START_SECONDS).strip() != b"ready":
            self._end()
            raise AbmError(said("landing_reader_not_started"))
        return self._child

    def _wait(self, child: subprocess.Popen[bytes], memory_mb: int, seconds: float) -> bytes:
        """The child's next line, within memory and time; else it is killed and Refused raised."""
        assert child.stdout is not None
        watched, end = psutil.Process(child.pid), time.monotonic() + seconds
        most_busy = _busy_seconds(watched) + seconds
        answer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if selector.select(LOOK_SECONDS):
                    piece = os.read(child.stdout.fileno(), 1 << 16)
                    if not piece:
                        self._end()
                        raise Refused("reader_died", status=child.returncode)
                    answer += piece
                late = time.monotonic() - end
                if late > 4 * seconds or (late > 0 and _busy_seconds(watched) > most_busy):
                    self._end()
                    raise Refused("too_slow", limit=f"{seconds:g}")
                resident_mb = _resident_mb(watched)
                if resident_mb > memory_mb:
                    self._peak_mb = max(self._peak_mb, resident_mb)
                    self._end()
                    raise Refused("too_much_memory", limit=memory_mb)
        return bytes(answer)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _busy_seconds(process: psutil.Process) -> float:
    """Processor time of the child: on a crowded machine the clock alone would refuse good files."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system)


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1_000_000
    except (OSError, StopIteration):
        return 0.0


def _resident_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1_000_000
    except psutil.Error:
        return 0.0
