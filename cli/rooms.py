"""Which module holds which command. Only the one asked for is imported, since each brings its part of the loop."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

ROOMS = {
    "workspace": ("init", "status", "doctor"),
    "loop": ("demo", "sync", "rebuild", "serve"),
    "look": ("explain", "sql", "report", "inspect", "mappings"),
    "quarantine": ("quarantine",),
    "quality": ("quality",),
    "files": ("match", "score", "attribute", "attribute-paths"),
    "review": ("review",),
    "model": ("model",),
    "account": ("account",),
    "crm": ("push", "letters"),
    "audience": ("audience", "calls", "mails", "texts"),
    "consent": ("consent",),
    "lead": ("lead",),
    "whatif": ("whatif",),
}
COMMANDS = {command: room for room, commands in ROOMS.items() for command in commands}


def commands_of(room: str) -> dict[str, Any]:
    """The commands of a module of this folder, by name."""
    app = typer.Typer(rich_markup_mode=None)
    import_module(f"cli.{room}").add_to(app)
    return dict(get_group(app).commands)


class Rooms(TyperGroup):
    """The program's commands; a module is imported when one of its commands is asked for, or when all are listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the rooms."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, name: str) -> Any:
        """The command of that name, None for one nobody knows."""
        return commands_of(COMMANDS[name])[name] if name in COMMANDS else None
