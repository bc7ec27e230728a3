"""What lies in the inbox: which files are meant, which are not ready, and each one's content hash."""

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20
_IGNORED = {"thumbs.db", "desktop.ini", "readme.md", "readme.txt"}
_UNFINISHED = (".part", ".partial", ".crdownload", ".tmp", ".download", ".filepart", ".!ut")
_MARKER = ".done"


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox. `file_name` is its path under the inbox with `/`: data, shown and matched, never opened."""

    path: Path
    file_name: str
    size: int
    changed_ns: int

    def is_unchanged(self) -> bool:
        """Whether it still is as it was found."""
        try:
            now = self.path.lstat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size, self.changed_ns)


@dataclass(frozen=True)
class Inbox:
    """`files` to be looked at, in the order of their names; `not_ready` and `links` are only told."""

    files: list[InboxFile]
    not_ready: list[str]
    links: list[str]


def list_inbox(folder: Path) -> Inbox:
    """All files below the folder; links, hidden files and unfinished copies apart."""
    files: list[InboxFile] = []
    not_ready: list[str] = []
    links: list[str] = []
    for where, folders, names in os.walk(folder, followlinks=False):
        links += [_shown(Path(where) / name, folder) for name in folders if (Path(where) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path, shown = Path(where) / name, _shown(Path(where) / name, folder)
            if name.startswith("~$") or name.lower().endswith(_UNFINISHED):
                not_ready.append(shown)
            elif not (name.startswith(".") or name.lower() in _IGNORED or name.endswith(_MARKER)):
                _add(path, shown, files, links)
    return Inbox(sorted(files, key=lambda file: file.file_name), sorted(not_ready), sorted(links))


def _add(path: Path, shown: str, files: list[InboxFile], links: list[str]) -> None:
    try:
        about = path.lstat()
    except OSError:  # gone since it was listed; the next run looks again
        return
    if stat.S_ISREG(about.st_mode):
        files.append(InboxFile(path, shown, about.st_size, about.st_mtime_ns))
    else:
        links.append(shown)


def _shown(path: Path, folder: Path) -> str:
    """The path under the inbox as data: bytes that are no text are written out."""
    name = path.relative_to(folder).as_posix()
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def wait_until_settled(files: list[InboxFile], seconds: float) -> tuple[list[InboxFile], list[InboxFile]]:
    """(at rest, still growing): waits once where a file without `.done` marker is younger than `seconds`."""
    young = [
        file
        for file in files
        if time.time() - file.changed_ns / 1e9 < seconds and not file.path.with_name(file.path.name + _MARKER).exists()
    ]
    if young:
        time.sleep(seconds)
    growing = {file.file_name for file in young if not file.is_unchanged()}
    return [file for file in files if file.file_name not in growing], [f for f in files if f.file_name in growing]


def hash_file(file: InboxFile) -> str | None:
    """SHA-256 of the bytes; None where the file changed or vanished meanwhile, or is a link."""
    digest = hashlib.sha256()
    try:
        with os.fdopen(os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except OSError:  # also where a network share goes away in the middle
        return None
    return digest.hexdigest() if file.is_unchanged() else None
