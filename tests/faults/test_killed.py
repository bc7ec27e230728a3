"""A sync killed where only the step's transaction keeps it whole, and the control; `make faults` kills thirty."""

from pathlib import Path

import pytest

from tests.faults.kill_campaign import Undisturbed, campaign, undisturbed_by


@pytest.fixture(scope="module")
def undisturbed(synced: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a sync that nobody disturbed came to."""
    return undisturbed_by(synced, tmp_path_factory.mktemp("killed") / "inputs")


def test_a_sync_killed_between_rows_and_their_file_ends_like_one_that_nobody_disturbed(
    undisturbed: Undisturbed,
) -> None:
    found = campaign(undisturbed, 1, seed=7)
    assert {moment: faults for moment, faults in found.items() if faults} == {}
    assert any(faults is not None for faults in found.values()), "a run was really killed"


@pytest.mark.slow
def test_without_the_step_transaction_the_same_kill_does_harm(undisturbed: Undisturbed) -> None:
    found = campaign(undisturbed, 1, seed=7, transactional=False)
    assert any(faults for faults in found.values())
