"""The files that a process has open: which there are, where in them it reads and writes, and locks on them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .shared_memory import FileId, mapped_files

_FOLDER = "/proc/self/fd"


class _Open(NamedTuple):
    """An open file."""

    file: FileId
    position: int
    content: bytes | None
    """None if the file has a name."""


class OpenFiles:
    """The regular files that a session has open and shares with its forks: for each of them its positions there.

    Of files without a name, which no folder shows, also the content.
    """

    def __init__(self) -> None:
        self._known: dict[int, dict[int, _Open]] = {}

    def note(self, owner: int) -> None:
        """Notes the files as a fork, or 0 for the cells, leaves them."""
        self._known[owner] = found = {}
        for fd in _descriptors():
            with contextlib.suppress(OSError):
                status = os.fstat(fd)
                if stat.S_ISREG(status.st_mode):
                    content = None if status.st_nlink else Path(f"{_FOLDER}/{fd}").read_bytes()
                    found[fd] = _Open((status.st_dev, status.st_ino), os.lseek(fd, 0, os.SEEK_CUR), content)

    def restore(self, owner: int) -> None:
        """Puts them back as they were; files that were closed or opened since are left out."""
        for fd, known in self._known.get(owner, {}).items():
            with contextlib.suppress(OSError):
                status = os.fstat(fd)
                if (status.st_dev, status.st_ino) != known.file:
                    continue
                path = Path(f"{_FOLDER}/{fd}")
                if known.content is not None and path.read_bytes() != known.content:
                    path.write_bytes(known.content)
                os.lseek(fd, known.position, os.SEEK_SET)

    def forget(self, owner: int) -> None:
        """Forgets what a fork left."""
        self._known.pop(owner, None)

    def unnamed(self) -> set[FileId]:
        """The files without a name, as they were noted last."""
        return {one.file for files in self._known.values() for one in files.values() if one.content is not None}


def held_files(pid: int, folders: Sequence[str]) -> set[FileId]:
    """The files in these folders that a process has open, mapped into memory, or as its current folder.

    Removed files count, and those that never had a name.
    """
    below = tuple(f"{folder}/" for folder in folders)
    found = mapped_files([pid], below)
    with contextlib.suppress(OSError):
        for path in [f"/proc/{pid}/cwd", *(f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd"))]:
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.readlink(path).startswith(below):
                    status = os.stat(path)
                    found.add((status.st_dev, status.st_ino))
    return found


def holds_locks(pid: int) -> bool:
    """Whether a process has locked a part of a file; False if the system does not tell."""
    with contextlib.suppress(OSError), open("/proc/locks", "rb") as file:
        return any(str(pid).encode() in line.split() for line in file)
    return False


def _descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_FOLDER)]
    except OSError:
        return []
