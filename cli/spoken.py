"""The language in which a command that failed says why: nobody may have read the workspace's settings by then."""

import sys
from collections.abc import Sequence
from pathlib import Path

from abmloop.errors import AbmError
from abmloop.messages import LANGUAGES
from abmloop.settings import find_workspace, load_settings


def spoken(arguments: Sequence[str]) -> str:
    """`--language` where it was given, else that of the workspace the command was for, else English."""
    asked = _given(arguments, "--language")
    if asked in LANGUAGES:
        return asked
    folder = _given(arguments, "-w", "--workspace")
    try:
        return load_settings(find_workspace(Path(folder) if folder else None)).language
    except (AbmError, OSError):
        return LANGUAGES[0]


def reader() -> str:
    """The language of who typed this command."""
    return spoken(sys.argv[1:])


def _given(arguments: Sequence[str], *names: str) -> str | None:
    """The value of the last option of these names, written as two words or with an equals sign."""
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    values = [
        after if word in names else word.partition("=")[2] for word, after in pairs if word.split("=")[0] in names
    ]
    return values[-1] if values else None
