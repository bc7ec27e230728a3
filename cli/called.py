"""Hints name the program as it was called: `.venv/bin/abmloop sync` where that is what a newcomer typed."""

import contextlib
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

NAME = "abmloop"


def called_as(arguments: Sequence[str]) -> str:
    """What to type for this program again: its bare name where the shell finds it, else as it was typed."""
    path = Path(arguments[0])
    if path.name == "__main__.py":
        return f"python -m {path.parent.name}"
    found = shutil.which(NAME)
    if found is not None and Path(found).resolve() == path.resolve():
        return NAME
    return shlex.quote(arguments[0])


class _Renamed:
    """A stream that writes the program's name before each of its commands as it was called."""

    def __init__(self, stream: TextIO, name: str, commands: Iterable[str]) -> None:
        self._stream, self._name = stream, name
        self._hint = re.compile(rf"(?<![\w./-]){NAME}(?= (?:{'|'.join(sorted(commands))})\b)")

    def write(self, text: str) -> int:
        return self._stream.write(self._hint.sub(lambda _: self._name, text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def hints_as_called(commands: Iterable[str]) -> Iterator[None]:
    """Within the block, what is printed names this program as it was called; data for scripts stays as it is."""
    name = called_as(sys.argv)
    if name == NAME or "--json" in sys.argv or "sql" in sys.argv[1:2]:
        yield
        return
    named = set(commands)
    out: Any = _Renamed(sys.stdout, name, named)
    err: Any = _Renamed(sys.stderr, name, named)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
