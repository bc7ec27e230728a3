"""Charts are drawn where their figures are new, and kept no longer than they are shown."""

from pathlib import Path

import pytest

from tasks.report import drawings
from tasks.report.drawings import Drawings
from tasks.summary import Rows

ROWS = [{"stage": "mql", "leads": 3}]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The charts that were drawn, by kind, in their order."""
    kinds: list[str] = []

    def render(chart: str, rows: Rows, *more: str) -> str:
        kinds.append(chart)
        return f"<svg>{rows[0]['leads']} {more}</svg>"

    monkeypatch.setattr(drawings, "_render", render)
    return kinds


def show(root: Path, rows: Rows, language: str = "en") -> str:
    """One page with one chart."""
    page = Drawings(root, "report")
    svg = page.draw("funnel", rows, language)
    page.forget_others()
    return svg


def test_a_chart_is_drawn_once_for_the_same_figures_and_anew_for_others(tmp_path: Path, drawn: list[str]) -> None:
    first = show(tmp_path, ROWS)
    assert show(tmp_path, ROWS) == first
    assert len(drawn) == 1
    assert show(tmp_path, [{"stage": "mql", "leads": 4}]) != first
    assert show(tmp_path, [{"stage": "mql", "leads": 4}], "zh") != first
    assert len(drawn) == 3


def test_a_chart_that_no_page_shows_any_more_is_not_kept(tmp_path: Path, drawn: list[str]) -> None:
    show(tmp_path, ROWS)
    show(tmp_path, [{"stage": "mql", "leads": 4}])
    assert len(list((tmp_path / "state" / "charts" / "report").iterdir())) == 1


def test_other_code_or_words_draw_everything_anew(
    tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show(tmp_path, ROWS)
    monkeypatch.setattr(drawings, "_drawn_by", lambda: "another version")
    show(tmp_path, ROWS)
    assert len(drawn) == 2
