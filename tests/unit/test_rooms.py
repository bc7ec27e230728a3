"""Commands are found without importing what they do not need."""

import subprocess
import sys

import pytest

from cli.rooms import ROOMS, commands_of

ASK = """
import sys
from cli.main import main

sys.argv = ["abmloop", "sql", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_holds_the_commands_it_is_said_to_hold(room: str) -> None:
    assert set(commands_of(room)) == set(ROOMS[room])


def test_a_command_imports_its_own_part_only() -> None:
    asked = [sys.executable, "-c", ASK]
    imported = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    assert "cli.look" in imported
    assert "tasks.loop" not in imported
