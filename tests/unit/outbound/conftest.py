"""The small world of pushes, empty."""

from collections.abc import Callable
from pathlib import Path

import pytest

from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tests.contract.world import LEADS, World


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """A world in `tmp_path`; `instance` and `people` as given."""

    def make(people: int = 10, instance: str = "fake:test") -> World:
        policy = parse_policy(LEADS.replace("fake:test", instance), CrmPolicy)
        return World(tmp_path, policy, people)

    return make
