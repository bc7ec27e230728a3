"""What all what-ifs are asked with, and how they answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.settings import find_workspace
from cli.show import show_rows

if TYPE_CHECKING:
    from tasks.whatif.history import History

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE, such as mql.threshold=55; may be given several times. 改动规则"),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Folder with other rules; default: the workspace's.")
]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="File with other rules.")]
FromOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day looked at.")]
ToOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day looked at.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="CSV, XLSX or Parquet for all rows.")]
MOST_SHOWN = 20


def changes_given(given: list[str] | None) -> dict[str, str]:
    """Dotted key → value of `--set KEY=VALUE`. Raises BadUsage for one without a key or value."""
    parted = [text.partition("=") for text in given or []]
    for key, sign, _ in parted:
        if not sign or not key.strip():
            raise BadUsage(said("usage_set", key=key))
    return {key.strip(): value for key, _, value in parted}


@contextmanager
def the_past(workspace: Path | None, language: str | None, out: Path | None) -> Iterator[tuple["History", str]]:
    """The workspace's past and the language to answer in. Raises BadUsage where `out` is no kind of table."""
    from tasks.table_files import refuse_other_endings
    from tasks.whatif.history import open_history

    if out is not None:
        refuse_other_endings(out)
    with open_history(find_workspace(workspace)) as history:
        yield history, language or history.settings.language


def show_both(before: dict[str, Any], after: dict[str, Any], language: str) -> None:
    """The figures of both rules side by side."""
    names = [(name, say(f"whatif_{name}", language)) for name in before]
    rows = [{"": told, "before": _told(before[name]), "after": _told(after[name])} for name, told in names]
    show_rows(rows, language=language)


def show_first(rows: list[dict[str, Any]], language: str, out: Path | None) -> None:
    """The first rows; where there are more and no file holds them, how many."""
    show_rows(rows[:MOST_SHOWN], language=language)
    if len(rows) > MOST_SHOWN and out is None:
        typer.echo(say("whatif_more", language, rows=f"{len(rows) - MOST_SHOWN:,}"))


def _told(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}" if value > 1 else f"{value:.3f}"
