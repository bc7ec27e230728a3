"""Three seeded kills of a sync, and the control that must fail; `make faults` does thirty."""

import pytest

from tests.faults.kill_campaign import Undisturbed, campaign, run_undisturbed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a sync that nobody disturbed came to."""
    return run_undisturbed(tmp_path_factory.mktemp("killed"))


def test_a_sync_killed_at_three_moments_ends_like_one_that_nobody_disturbed(undisturbed: Undisturbed) -> None:
    found = campaign(undisturbed, 3, seed=7)
    assert {moment: faults for moment, faults in found.items() if faults} == {}
    assert sum(faults is not None for faults in found.values()) >= 2, "most of the runs were really killed"


@pytest.mark.slow
def test_without_the_step_transaction_the_same_kill_does_harm(undisturbed: Undisturbed) -> None:
    found = campaign(undisturbed, 1, seed=7, transactional=False)
    assert any(faults for faults in found.values())
