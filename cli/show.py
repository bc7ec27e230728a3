"""Printing: tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from abmloop.messages import named, say

if TYPE_CHECKING:
    import duckdb


def show_rows(
    rows: Sequence[dict[str, Any]], as_json: bool = False, title: str | None = None, language: str | None = None
) -> None:
    """Rows as a table, or as JSON. Control characters in data are shown, not obeyed.

    With a language a table's columns bear their names in it; without one (and in JSON) those of the data.
    """
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, default=str, indent=1))
        return
    if not rows:
        nothing = say("table_empty", language or "en")
        typer.echo(f"{title}: {nothing}" if title else nothing)
        return
    # Imported here: only a table for people needs it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0]:
        is_number = all(isinstance(row[column], int | float | Decimal) or row[column] is None for row in rows)
        heading = named("column", column.replace(" ", "_"), language) if language else column
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value, language or "en")) for value in row.values()))
    # A console that never breaks lines in the middle of piped output.
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False, highlight=False).print(table)


def in_words(rows: Sequence[dict[str, Any]], language: str, **kinds: str) -> list[dict[str, Any]]:
    """The rows with the codes of some columns (`column=kind of code`) by their names, for people."""

    def told(name: str, value: Any) -> Any:
        return named(kinds[name], value.replace(" ", "_"), language) if name in kinds and value else value

    return [{name: told(name, value) for name, value in row.items()} for row in rows]


def show_refused_files(con: "duckdb.DuckDBPyConnection", language: str) -> None:
    """Each file that was refused as a whole, with the reason: none of its rows stands in quarantine."""
    # Imported here: it brings the database, which most tables do not need.
    from tasks.summary import refused_files

    for file in refused_files(con):
        typer.echo(say("summary.refused_file", language, message=_cell(file["message"], language)))


def _cell(value: Any, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("cell_yes" if value else "cell_no", language)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in str(value))
