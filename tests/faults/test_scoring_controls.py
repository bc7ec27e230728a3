"""Controls of the scoring catalogue: with the guard taken off, the fault does its harm."""

from pathlib import Path

import pytest

from scoring.policies.scoring import ScoringPolicy
from tasks.policies import DEFAULTS
from tests.faults.scoring_world import ScoringWorld

SHIPPED = (DEFAULTS / ScoringPolicy.file_name).read_text(encoding="utf-8")
STORM = "    - id: email_clicked\n      group: email\n"


def _without(world: ScoringWorld, *changes: tuple[str, str]) -> None:
    """The shipped rules with a guard taken off."""
    text = SHIPPED
    for guard, nothing in changes:
        assert guard in text
        text = text.replace(guard, nothing)
    (world.root / "config").mkdir()
    (world.root / "config" / "scoring.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def world(workspace: Path) -> ScoringWorld:
    """One contact of a company of grade B."""
    found = ScoringWorld(workspace)
    found.person()
    return found


@pytest.mark.parametrize("is_guarded", [True, False])
def test_g03_scanner_clicks_make_an_mql_only_without_cap_and_daily_limit(world: ScoringWorld, is_guarded: bool) -> None:
    if not is_guarded:
        _without(world, ("    email: 20 ", "    email: 2000 "), (STORM, STORM.replace("email\n", "clicks\n")),
                 ("      points: 4\n      per_day: 1\n", "      points: 4\n"))  # fmt: skip
    for second in range(20):
        world.touch(f"t{second}", f"2026-03-01 02:00:{second:02}", "email_click")
    world.day("2026-03-02")
    assert ("mql" in [stage for _, _, stage, _ in world.stages()]) is not is_guarded


@pytest.mark.parametrize("is_guarded", [True, False])
def test_g05_points_about_the_bar_flap_only_without_hysteresis_and_cool_down(
    world: ScoringWorld, is_guarded: bool
) -> None:
    if not is_guarded:
        _without(
            world, ("leave_below_share: 0.5", "leave_below_share: 1.0"), ("cool_down_days: 30", "cool_down_days: 0")
        )
    for day in (1, 11, 21):
        world.touch(f"t{day}", f"2026-03-{day:02} 02:00")
    world.day("2026-03-31")
    assert [stage for _, _, stage, _ in world.stages()].count("mql") == (1 if is_guarded else 2)
