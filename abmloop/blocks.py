"""Work in blocks that know nothing of each other: here, over processes of this machine, or on a Dask cluster.

All three are given a function and its blocks and give the results in the order of the blocks; function and blocks must
be picklable, and the result must not depend on who works it out. They travel over a pipe to a process of our own, or as
Dask sends them to a cluster of the user's: nothing is read from disk or from anybody else.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, Protocol

from abmloop.errors import AbmError, BadUsage
from abmloop.messages import said

_MOST_PROCESSES = 8
_ONE = Lock()
_LARGE = 30_000  # rows: fewer are done before another process has started, which takes two CPU seconds


class Mapper(Protocol):
    """How blocks are worked on."""

    @property
    def workers(self) -> int: ...
    def map(self, function: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]: ...


@dataclass(frozen=True)
class InThisProcess:
    """One after the other."""

    workers: int = 1

    def map(self, function: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]:
        """The results, in order."""
        return [function(block) for block in blocks]


@dataclass(frozen=True)
class Processes:
    """By so many processes: this one, and others with an interpreter of their own (two CPU seconds to start one)."""

    workers: int

    def map(self, function: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]:
        """The results, in order. Raises AbmError where a process dies, and what the function raises."""
        shares = [range(first, len(blocks), self.workers) for first in range(self.workers)]
        with ThreadPoolExecutor(self.workers) as threads:
            others = [threads.submit(_worked, function, [blocks[at] for at in share]) for share in shares[1:]]
            done = [[function(blocks[at]) for at in shares[0]], *(other.result() for other in others)]
        results = dict(zip(chain(*shares), chain.from_iterable(done), strict=True))
        return [results[place] for place in range(len(blocks))]


@dataclass(frozen=True)
class Dask:
    """By the workers of a Dask cluster, whose scheduler is at `address` (tcp://host:8786)."""

    address: str
    workers: int = 8

    def map(self, function: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]:
        """The results, in order. The workers need the same abmloop. Raises BadUsage where Dask is not installed."""
        try:
            from distributed import Client
        except ImportError as error:
            raise BadUsage(said("workspace_no_dask")) from error
        with Client(self.address) as client:
            results: list[Any] = client.gather(client.map(_alone, [function] * len(blocks), blocks, pure=False))
        return results


def mapper_for(rows: int, processes: int, dask_scheduler: str | None = None) -> Mapper:
    """For so many rows: this process where they are few, else the cluster where one is named, else so many processes
    (0: one for each core).
    """
    if rows < _LARGE:
        return InThisProcess()
    if dask_scheduler:
        return Dask(dask_scheduler)
    count = processes or min(os.cpu_count() or 1, _MOST_PROCESSES)
    return Processes(count) if count > 1 else InThisProcess()


def _alone(function: Callable[[Any], Any], block: Any) -> Any:
    """One block at a time in a process: the libraries that judge are not made for several threads at once."""
    with _ONE:
        return function(block)


def _worked(function: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]:
    if not blocks:
        return []
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "abmloop.blocks", str(theirs.fileno())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    results = []
    with ours, subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()]):
        theirs.close()
        try:
            for block in blocks:
                ours.send((function, block))
                is_done, result = ours.recv()
                if not is_done:
                    raise result
                results.append(result)
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            raise AbmError(said("workspace_part_died")) from error
        finally:
            ours.close()  # ends the process, which the block's end waits for
    return results


def _serve(handle: int) -> None:
    """What a process does: work on the blocks that come down its pipe until that is closed."""
    with Connection(handle) as pipe:
        while True:
            try:
                function, block = pipe.recv()
            except EOFError:
                return
            try:
                answer = (True, function(block))
            except Exception as error:  # told to who asked, who raises it
                answer = (False, error)
            pipe.send(answer)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
