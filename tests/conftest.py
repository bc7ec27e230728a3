"""What many tests share: a fresh workspace, a run in it, and the development data where it is present."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings

from abmloop.run import Run
from tasks.runs import open_run

# A crowded machine makes no test wrong.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

AS_OF = date(2026, 10, 31)
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long modules first, so that two workers end at the same time."""
    long_first = ("test_prefect", "test_killed", "test_same_result", "tests/e2e", "tests/faults")
    order = {name: place for place, name in enumerate(long_first)}
    items.sort(key=lambda item: next((place for name, place in order.items() if name in item.nodeid), len(order)))


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
def shared_data() -> Path:
    """The folder of development data beside the repository; tests that want it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"development data is not there: {SHARED}")
    return SHARED
