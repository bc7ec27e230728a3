"""One small world, synced once for all end-to-end tests, with what is true of it beside."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.e2e.worlds import sync, true_world, write_small_world
from warehouse.database import connect_published


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, synced once. Tests copy it before they change anything."""
    root = write_small_world(tmp_path_factory.mktemp("small") / "workspace")
    sync(root)
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
