"""Other people's programs beside ours: an environment for each, and what a run of one cost."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import psutil

# Between two looks at the memory of a running program.
_LOOK_S = 0.1


class Cost(NamedTuple):
    """What a program printed and took; `error` is empty where it ended well."""

    printed: str
    error: str
    cpu_s: float
    peak_mb: float


class NotInstalledError(Exception):
    """The registry or the machine refused a peer's packages; the text is what it said last."""


def environment(folder: Path, packages: Sequence[str]) -> Path:
    """The interpreter of a virtual environment in `folder` that holds `packages`; made where it does not stand yet."""
    python = folder / "bin" / "python"
    filled = folder / "packages.txt"
    if filled.is_file() and filled.read_text(encoding="utf-8").split() == list(packages):
        return python
    uv = [sys.executable, "-m", "uv", "--quiet"]
    made = [*uv, "venv", "--clear", "--python", sys.executable, folder]
    for command in (made, [*uv, "pip", "install", "--python", python, *packages]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalledError(_last(done.stderr))
    filled.write_text("\n".join(packages), encoding="utf-8")
    return python


def run_measured(command: Sequence[str | Path], limit_s: float) -> Cost:
    """Run `command` politely until it ends or `limit_s` of wall time are over.

    CPU is user and system time of the process and the children it waited for; the peak adds up the resident memory of
    all its processes at one moment, in MB of 1024 KB.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started, peak, late = time.monotonic(), 0.0, False
        child = psutil.Popen(["nice", "-n", "15", *command], stdout=out, stderr=err)
        while True:
            ended, status, used = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, _resident_mb(child))
            if not late and time.monotonic() - started > limit_s:
                late = True
                _end(child)
            time.sleep(_LOOK_S)
        error = f"not done in {limit_s:.0f} s" if late else _last(_text(err)) or "failed" if status else ""
        return Cost(_text(out), error, used.ru_utime + used.ru_stime, peak)


def _family(child: psutil.Popen) -> list[psutil.Process]:
    try:
        return [*child.children(recursive=True), child]
    except psutil.NoSuchProcess:
        return []


def _resident_mb(child: psutil.Popen) -> float:
    total = 0
    for process in _family(child):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1024**2


def _end(child: psutil.Popen) -> None:
    for process in _family(child):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
