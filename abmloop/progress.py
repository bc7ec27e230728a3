"""One progress bar for all long loops; silent where nobody watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Call with the number of units done since the last call."""

    def __call__(self, units: float = 1) -> None: ...


@contextmanager
def progress(total: float | None, text: str) -> Iterator[Advance]:
    """A bar on standard error while the block runs. `total` None shows a pulse; not a terminal shows nothing."""
    if not sys.stderr.isatty():
        yield lambda units=1: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda units=1: bar.update(task, advance=units)
