"""Options that many commands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="The workspace's folder; else ABMLOOP_WORKSPACE, else the current folder."),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day the results stand for; default: today."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
LanguageOption = Annotated[str | None, typer.Option("--language", help="en or zh; default: the workspace's.")]
