"""The loop through a real Prefect server: deployments, schedules, the same result as without it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.private_server import private_server
from tests.e2e.worlds import AS_OF, differing, hashes, unsynced

pytestmark = pytest.mark.prefect
ROOT = Path(__file__).parent.parent.parent
TABLES = ("resolved", "matched", "core", "scored", "marts")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server of the tests' own."""
    before = dict(os.environ)
    with private_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url
    os.environ.clear()
    os.environ.update(before)


def prefect(*arguments: str, home: Path) -> str:
    environment = {**os.environ, "ABMLOOP_HOME": str(ROOT), "ABMLOOP_WORKSPACE": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_flow_gives_the_same_tables_as_the_plain_loop(server: str, synced: Path, tmp_path: Path) -> None:
    from flows.daily_sync import Push, daily_sync

    flown = unsynced(synced, tmp_path / "flown")
    daily_sync(workspace=str(flown), as_of=AS_OF, push=Push.APPLY)
    assert differing(hashes(synced, TABLES), hashes(flown, TABLES)) == []


def test_every_deployment_is_accepted_and_the_nightly_one_gets_scheduled_runs(server: str, tmp_path: Path) -> None:
    """Newer FastAPI or SQLAlchemy break `deploy` or leave cron silent: see requirements.in."""
    import anyio
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    async def make_pool() -> None:
        async with get_client() as client:
            await client.create_work_pool(WorkPoolCreate(name="local", type="process"))

    anyio.run(make_pool)
    prefect("deploy", "--all", home=tmp_path)

    async def found() -> tuple[set[str], int]:
        wanted = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))
        async with get_client() as client:
            names = {deployment.name for deployment in await client.read_deployments()}
            return names, len(await client.read_flow_runs(flow_run_filter=wanted))

    limit = time.monotonic() + 120
    names, scheduled = anyio.run(found)
    while not scheduled and time.monotonic() < limit:
        time.sleep(1)
        names, scheduled = anyio.run(found)
    assert names == {
        "daily-sync",
        "refresh-directory",
        "match-contacts",
        "score-leads",
        "push-leads",
        "pull-deals",
        "attribute-roi",
        "export-audience",
        "publish",
    }
    assert scheduled > 0, "the server accepted the schedule and made no run of it"


def test_every_parameter_has_a_title_and_a_description_for_the_form(server: str) -> None:
    from flows import parts
    from flows.daily_sync import daily_sync

    flows = [daily_sync, parts.refresh_directory, parts.match_contacts, parts.score_leads, parts.push_leads]
    for flow in [*flows, parts.pull_deals, parts.attribute_roi, parts.export_audience, parts.publish_again]:
        for name, field in flow.parameters.properties.items():
            assert field.get("title") and field.get("description"), f"{flow.name}: {name}"
