"""Charts drawn before, kept until their figures change: the drawing library takes long to import."""

import hashlib
import importlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path

from markupsafe import Markup

from abmloop import messages
from tasks.report import figures
from tasks.summary import Rows

_SOURCES = (
    Path(__file__).with_name("charts.py"),
    Path(figures.__file__),
    Path(messages.__file__).with_name("report.yaml"),
)


@cache
def _drawn_by() -> str:
    """What a drawing depends on besides its figures: our code, our words, the libraries."""
    versions = f"{version('altair')} {version('vl-convert-python')}"
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in _SOURCES) + versions.encode()).hexdigest()


class Drawings:
    """The charts of one kind of page, as SVG, each in a file named by the hash of all that it shows."""

    def __init__(self, root: Path, page: str) -> None:
        self.folder = root / "state" / "charts" / page
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.used: set[str] = set()

    def draw(self, chart: str, rows: Rows, *more: str) -> Markup:
        """The chart (a function of tasks/report/charts.py) of these rows; ours to trust, for Vega escapes the data."""
        asked = json.dumps([_drawn_by(), chart, rows, more], default=str, sort_keys=True)
        path = self.folder / f"{hashlib.sha256(asked.encode()).hexdigest()}.svg"
        self.used.add(path.name)
        if not path.is_file():
            fresh = path.with_suffix(".part")
            fresh.write_text(_render(chart, rows, *more), encoding="utf-8")
            fresh.replace(path)
        return Markup(path.read_text(encoding="utf-8"))

    def forget_others(self) -> None:
        """Remove the charts that no page shows any more."""
        for path in self.folder.iterdir():
            if path.name not in self.used:
                path.unlink(missing_ok=True)


def _render(chart: str, rows: Rows, *more: str) -> str:
    charts = importlib.import_module("tasks.report.charts")
    return str(getattr(charts, chart)(rows, *more))
