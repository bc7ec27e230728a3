"""Nothing lost, nothing twice: pushes that are killed at every boundary, into CRMs that misbehave in every way.

The checker reads only the fake CRM's own dump and the leads that were to arrive. Each promise has a control run in
which nobody asks the CRM before sending again; there it must fail.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Identity
from tasks.outbound.crm.files import FilesConnector
from tests.contract.fake_crm import FAULTS, FakeCrm, NeverAsked
from tests.contract.test_connectors import Harness
from tests.contract.world import LEADS, World
from tests.faults.crm_points import POINTS, Points, install
from tests.faults.crm_victim import open_world

IDENTITIES: tuple[Identity, ...] = ("upsert_by_external_id", "search_after_lag")


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Points:
    return install(monkeypatch)


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    return lambda people=40, instance="fake:test": World(
        tmp_path, parse_policy(LEADS.replace("fake:test", instance), CrmPolicy), people
    )


def lost_and_doubled(world: World, crm: FakeCrm) -> tuple[int, int]:
    """Leads that are not there as they should be, and leads that are there more than once."""
    dump = crm.dump()
    lost = sum(dump.get(("leads", key), [{}])[0] != fields for key, fields in world.fields.items())
    return lost, sum(len(rows) - 1 for rows in dump.values())


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_r1_a_push_killed_at_any_boundary_loses_and_doubles_nothing(
    make_world: Callable[..., World], points: Points, identity: Identity, point: str, nth: int
) -> None:
    world, crm = make_world(), FakeCrm(seed=nth, fault_share=0.35, identity=identity, batch_size=10)
    with points.killing(point, nth):
        world.push(crm)
    world.push_until_done(crm)
    assert lost_and_doubled(world, crm) == (0, 0)
    assert world.states() == {"done": 40}


def test_r1_every_boundary_is_passed_by_the_pushes_above(make_world: Callable[..., World], points: Points) -> None:
    world, crm = make_world(), FakeCrm(seed=1, fault_share=0.35, batch_size=10)
    world.push_until_done(crm)
    assert set(POINTS) <= points.passed.keys()


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("share", [0.05, 0.35, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_r2_a_crm_that_lies_and_drops_ends_with_every_lead_once(
    make_world: Callable[..., World], identity: Identity, share: float, seed: int
) -> None:
    world, crm = make_world(100), FakeCrm(seed=seed, fault_share=share, identity=identity)
    world.push_until_done(crm)
    for number in range(0, 100, 7):
        world.fields[f"L{number:05d}"]["stage"] = "sal"
    world.push_until_done(crm)
    assert lost_and_doubled(world, crm) == (0, 0)
    assert world.states() == {"done": 115}


def test_m2_control_without_asking_first_the_same_faults_double_leads(make_world: Callable[..., World]) -> None:
    world, crm = make_world(100), NeverAsked(seed=0, fault_share=0.35, identity="search_after_lag")
    world.push_until_done(crm)
    assert lost_and_doubled(world, crm)[1] > 0, "the guard is not what keeps leads single"


@pytest.mark.slow
def test_r1_ten_thousand_leads_with_a_third_of_all_calls_faulty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, figures = 3, {}
    for name, kind in (("asked first", FakeCrm), ("control", NeverAsked)):
        policy = parse_policy(LEADS, CrmPolicy)
        world, crm = World(tmp_path / name, policy, 10_000), kind(seed, 0.35, "search_after_lag", 100)
        world.push_until_done(crm)
        figures[name] = lost_and_doubled(world, crm)
        with capsys.disabled():
            calls = sum(verb == "upsert" for verb, _, _ in crm.calls)
            lost, doubled = figures[name]
            faulty = sum(crm.drawn.values())
            print(f"R1 {name}: seed {seed}, {faulty} of {calls} calls faulty, {lost} lost, {doubled} doubled")
    assert figures["asked first"] == (0, 0)
    assert figures["control"][1] > 0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_c02_each_misbehaviour_alone_ends_with_a_verdict_for_every_row(
    make_world: Callable[..., World], identity: Identity, fault: str
) -> None:
    world, crm = make_world(), FakeCrm(seed=5, fault_share=0.5, identity=identity, faults=(fault,))
    world.push_until_done(crm)
    assert crm.drawn[fault] > 0
    assert lost_and_doubled(world, crm) == (0, 0)
    assert world.states() == {"done": 40}


@pytest.mark.parametrize("point", ["files:staged", "files:committed", "crm:after_send", "crm:after_reply", *POINTS[:3]])
@pytest.mark.parametrize("nth", [1, 2])
def test_r1_import_files_hold_every_lead_once_wherever_the_push_was_killed(
    make_world: Callable[..., World], points: Points, point: str, nth: int
) -> None:
    world = make_world(instance="files:test")

    def connector() -> FilesConnector:
        return FilesConnector(world.root, world.policy, world.as_of)

    with points.killing(point, nth):
        world.push(connector())
    world.fields["L00007"]["stage"] = "sal"
    world.push_until_done(connector())
    created = Harness(world.root, "files").created()
    assert created == dict.fromkeys(world.fields, 1)
    assert not list((world.root / "exports").rglob("*.tmp"))


def test_m2_control_files_without_their_memory_hold_leads_twice(
    make_world: Callable[..., World], points: Points, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(instance="files:test")
    with points.killing("crm:after_send"):
        world.push(FilesConnector(world.root, world.policy, world.as_of))
    monkeypatch.setattr(FilesConnector, "_keys", lambda self: {})
    world.fields["L00007"]["stage"] = "sal"
    world.push_until_done(FilesConnector(world.root, world.policy, world.as_of))
    assert max(Harness(world.root, "files").created().values()) > 1


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("files:committed", 1),
        pytest.param("ledger:before_commit", 3, marks=pytest.mark.slow),
        pytest.param("files:staged", 1, marks=pytest.mark.slow),
        pytest.param("crm:after_reply", 1, marks=pytest.mark.slow),
    ],
)
def test_r1_a_push_ended_by_kill_9_is_finished_by_the_next(tmp_path: Path, point: str, nth: int) -> None:
    command = [sys.executable, "-m", "tests.faults.crm_victim", str(tmp_path)]
    killed = subprocess.run([*command, point, str(nth)], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    world = open_world(tmp_path)
    world.push_until_done(FilesConnector(world.root, world.policy, world.as_of))
    assert Harness(tmp_path, "files").created() == dict.fromkeys(world.fields, 1)
    assert world.states() == {"done": 40}
