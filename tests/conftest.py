"""What many tests share: a fresh workspace, a run in it, and the development data where it is present."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from abmloop.run import Run
from tasks.land.sandbox import Sandbox
from tasks.runs import open_run
from tests.contract.server.account import CrmServer

# A crowded machine makes no test wrong, and the same examples are tried every time.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

AS_OF = date(2026, 10, 31)
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def crm_server() -> Iterator[CrmServer]:
    """The CRM that misbehaves, in a process of its own; each test begins a new account in it."""
    with CrmServer() as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long modules first, so that two workers end at the same time."""
    long_first = ("test_prefect", "test_killed", "test_same_result", "tests/e2e", "tests/faults")
    order = {name: place for place, name in enumerate(long_first)}
    items.sort(key=lambda item: next((place for name, place in order.items() if name in item.nodeid), len(order)))


class _IdleReader:
    """The reading process that one worker's tests hand on to each other while none of them reads."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.owner = os.getpid()

    def lend(self, sandbox: Sandbox) -> Sandbox:
        if os.getpid() == self.owner:  # a forked child must not talk to it
            sandbox._child, self.child = self.child, None
        return sandbox

    def take_back(self, sandbox: Sandbox, *failed: Any) -> None:
        if failed == (None, None, None) and os.getpid() == self.owner and self.child is None:
            self.child, sandbox._child = sandbox._child, None
        sandbox._end()


@pytest.fixture(scope="session", autouse=True)
def idle_reader() -> Iterator[_IdleReader]:
    """One reading process for all tests: starting it takes longer than landing a small list."""
    reader = _IdleReader()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Sandbox, "__enter__", lambda sandbox: reader.lend(sandbox))
        patched.setattr(Sandbox, "__exit__", lambda sandbox, *failed: reader.take_back(sandbox, *failed))
        yield reader
        reader.lend(Sandbox())._end()


@pytest.fixture
def own_reader(idle_reader: _IdleReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the reading process itself: it is started and ended as in earnest."""
    monkeypatch.setattr(Sandbox, "__enter__", lambda sandbox: sandbox)
    monkeypatch.setattr(Sandbox, "__exit__", lambda sandbox, *_failed: sandbox._end())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace with default settings."""
    root = tmp_path / "workspace"
    (root / "inbox").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    return root


@pytest.fixture
def run(workspace: Path) -> Iterator[Run]:
    """A run as of 31 October 2026 that holds the lease of `workspace`."""
    with open_run(workspace, AS_OF) as opened:
        yield opened


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, synced once for all workers. Tests copy it before they change anything."""
    from tests.e2e.worlds import remember_answers, sync, write_small_world

    # Each worker has a folder of its own within the folder of the run.
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    root, done = shared / "small" / "workspace", shared / "small" / "synced"
    with (shared / "small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            sync(write_small_world(root))
            done.touch()
    remember_answers(root)
    return root


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data beside the repository; tests that want it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"development data is not there: {SHARED}")
    return SHARED
