"""The small world that was synced once for all, to be changed, asked, and held against what is true of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.e2e.worlds import true_world
from warehouse.database import connect_published


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
