"""A Prefect server of our own on loopback, for as long as one command runs: the demo needs no other."""

import importlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from abmloop.errors import AbmError
from abmloop.messages import said

START_SECONDS = 180


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def any_server(home: Path) -> Iterator[str]:
    """The address of the server that PREFECT_API_URL names, else of a private one with its database in `home`."""
    named = os.environ.get("PREFECT_API_URL")
    if named:
        yield named
        return
    with private_server(home) as url:
        yield url


@contextmanager
def private_server(home: Path) -> Iterator[str]:
    """The API's address; the server ends with the block. Its database and log lie in `home`.

    Must be entered before Prefect is imported: it sets PREFECT_HOME and PREFECT_API_URL for this process.
    Raises AbmError with the log's end where the server does not come up within three minutes.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    os.environ |= {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_LOGGING_LEVEL": os.environ.get("PREFECT_LOGGING_LEVEL", "WARNING"),
    }
    log = home / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        try:
            # Importing Prefect takes as long as its server takes to start: do both at once.
            importlib.import_module("prefect.flows")
            _wait(server, url, log)
            yield url
            _send_logs()
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def _send_logs() -> None:
    """Give the server the log lines that still wait; once it is gone, Prefect would complain about each batch."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=5)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while not _is_healthy(url):
        if server.poll() is not None or time.monotonic() > limit:
            tail = log.read_text(encoding="utf-8", errors="replace")[-1500:]
            raise AbmError(said("prefect_not_started", log=log, tail=tail))
        time.sleep(0.3)
