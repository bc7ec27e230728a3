"""One small world, synced once for all end-to-end tests, with what is true of it beside."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.e2e.worlds import sync, true_world, write_small_world
from warehouse.database import connect_published


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, synced once for all workers. Tests copy it before they change anything."""
    # Each worker has a folder of its own within the folder of the run.
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    root, done = shared / "small" / "workspace", shared / "small" / "synced"
    with (shared / "small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            sync(write_small_world(root))
            done.touch()
    return root


@pytest.fixture
def copy(synced: Path, tmp_path: Path) -> Path:
    """The synced world, to be changed."""
    return Path(shutil.copytree(synced, tmp_path / "workspace"))


@pytest.fixture
def world(synced: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The synced warehouse, read-only, with the truth as views `true_<table>`."""
    with true_world(synced) as con:
        yield con


@pytest.fixture
def published(synced: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file as an analyst opens it."""
    with connect_published(synced) as con:
        yield con
