"""What all what-ifs are asked with."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from abmloop.errors import BadUsage

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
            raise BadUsage(f"--set {key}: give KEY=VALUE, such as --set mql.threshold=55")
    return {key.strip(): value for key, _, value in parted}
