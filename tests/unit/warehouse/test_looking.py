"""What a person sees before anything is published."""

from pathlib import Path

import pytest

from abmloop.errors import BadUsage
from warehouse.database import connect, connect_published, connect_to_look


def test_what_a_held_run_left_can_be_read_without_anything_published(tmp_path: Path) -> None:
    connect(tmp_path).close()
    with connect_to_look(tmp_path) as con:
        assert con.sql("select count(*) from quality.quarantine").fetchall() == [(0,)]


def test_asking_a_workspace_without_a_published_file_is_a_mistake_of_use_not_a_defect(tmp_path: Path) -> None:
    for look in (connect_published, connect_to_look):
        with pytest.raises(BadUsage, match="abmloop sync"):
            look(tmp_path)
