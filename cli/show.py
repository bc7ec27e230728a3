"""Printing: tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import typer


def show_rows(rows: Sequence[dict[str, Any]], as_json: bool = False, title: str | None = None) -> None:
    """Rows as a table, or as JSON. Control characters in data are shown, not obeyed."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, default=str, indent=1))
        return
    if not rows:
        typer.echo("nothing")
        return
    # Imported here: only a table for people needs it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0]:
        is_number = all(isinstance(row[column], int | float | Decimal) or row[column] is None for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    # A console that never breaks lines in the middle of piped output.
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False, highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in str(value))
