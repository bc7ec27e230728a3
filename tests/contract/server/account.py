"""The fake CRM's process as tests hold it: start it, set it up, move its clock, read its dump."""

import http.client
import json
import subprocess
import sys
from types import TracebackType
from typing import Any


class CrmServer:
    """One process; `reset` begins a new account in it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.contract.server.service"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        self._begin(int(process.stdout.readline()), process)

    def _begin(self, port: int, process: "subprocess.Popen[str] | None") -> None:
        self.port = port
        self.front: str | None = None
        self._process = process
        self._wire: http.client.HTTPConnection | None = None

    @classmethod
    def at(cls, port: int) -> "CrmServer":
        """The server that another process of ours started."""
        made = cls.__new__(cls)
        made._begin(port, None)
        return made

    @property
    def url(self) -> str:
        """Where connectors call it; `front`: something that stands before it and hands on what it gets."""
        return self.front or f"http://127.0.0.1:{self.port}"

    def ask(self, verb: str, **body: Any) -> Any:
        """One of the tests' own calls."""
        if self._wire is None:
            self._wire = http.client.HTTPConnection("127.0.0.1", self.port)
        self._wire.request("POST", f"/_fake/{verb}", json.dumps(body))
        return json.loads(self._wire.getresponse().read())

    def sleep(self, seconds: float) -> None:
        """The fake's clock goes on; nobody waits."""
        self.ask("sleep", seconds=seconds)

    def dump(self) -> list[dict[str, Any]]:
        """Every record it holds, deleted ones included."""
        found: list[dict[str, Any]] = self.ask("dump")
        return found

    def calls(self, part: str = "") -> int:
        """How many calls were made to paths that hold `part`."""
        return sum(number for path, number in self.ask("calls")["calls"].items() if part in path)

    def __enter__(self) -> "CrmServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.stdin and process.stdout:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()
