"""Five seeded kills of a sync, and the control that must fail; `make faults` does thirty."""

from pathlib import Path

from tests.faults.kill_campaign import campaign


def test_a_sync_killed_at_five_moments_ends_like_one_that_nobody_disturbed(tmp_path: Path) -> None:
    found = campaign(5, seed=7, folder=tmp_path)
    assert {moment: faults for moment, faults in found.items() if faults} == {}
    assert sum(faults is not None for faults in found.values()) >= 3, "most of the runs were really killed"


def test_without_the_step_transaction_the_same_kill_does_harm(tmp_path: Path) -> None:
    found = campaign(1, seed=7, folder=tmp_path, transactional=False)
    assert any(faults for faults in found.values())
