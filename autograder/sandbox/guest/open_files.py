"""The files that a process has open: which there are, and where in them it reads and writes."""

from __future__ import annotations

import contextlib
import os
import stat

from .shared_memory import FileId, mapped_files

_FOLDER = "/proc/self/fd"


class Positions:
    """The positions in regular files that a session has open and shares with its forks, one set for each of them."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, tuple[FileId, int]]] = {}

    def note(self, owner: int) -> None:
        """Notes the positions as a fork, or 0 for the cells, leaves them."""
        self._known[owner] = found = {}
        for fd in _descriptors():
            with contextlib.suppress(OSError):
                status = os.fstat(fd)
                if stat.S_ISREG(status.st_mode):
                    found[fd] = (status.st_dev, status.st_ino), os.lseek(fd, 0, os.SEEK_CUR)

    def restore(self, owner: int) -> None:
        """Puts the positions back; files that were closed or opened since are left out."""
        for fd, (file, position) in self._known.get(owner, {}).items():
            with contextlib.suppress(OSError):
                status = os.fstat(fd)
                if (status.st_dev, status.st_ino) == file:
                    os.lseek(fd, position, os.SEEK_SET)


def open_files(pid: int) -> set[FileId]:
    """The files that a process has open, mapped into memory, or as its current folder."""
    found = mapped_files([pid])
    with contextlib.suppress(OSError):
        for path in [f"/proc/{pid}/cwd", *(f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd"))]:
            with contextlib.suppress(OSError):  # closed meanwhile
                status = os.stat(path)
                found.add((status.st_dev, status.st_ino))
    return found


def _descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_FOLDER)]
    except OSError:
        return []
