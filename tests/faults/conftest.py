"""The run of the fault tests: with the warehouse open throughout, as the loop has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abmloop.run import Run
from tasks.runs import open_run
from tests.conftest import AS_OF
from warehouse.database import Limits, held_open


@pytest.fixture
def run(workspace: Path) -> Iterator[Run]:
    """A run as of 31 October 2026 that holds the lease of `workspace`; between its steps nothing is opened anew."""
    with open_run(workspace, AS_OF) as opened, held_open(workspace, Limits()):
        yield opened
