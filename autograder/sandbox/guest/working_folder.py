"""Puts the files of a session back as its cells left them, so that no item's test finds files of another item's.

The code of an item may write files while it is tested, and may read and change those that cells wrote before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Entry:
    """A file, folder or link as it was."""

    identity: tuple[int, int]
    """Inode and time of the last change, which no program can set."""
    status: os.stat_result
    content: bytes | str | None
    """Bytes of a regular file, target of a link; None for a folder and for others."""

    def is_as(self, now: os.stat_result) -> bool:
        """Whether this is still there unchanged; a folder's content does not count."""
        both = stat.S_ISDIR(now.st_mode) and now.st_mode == self.status.st_mode
        return both or self.identity == _identity(now)


class WorkingFolder:
    """The content of the folders in which a session may write.

    Args:
        folders: the folders.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._entries: dict[str, _Entry] = {}

    def remember(self) -> None:
        """Remembers what is there now; reads only what is new or changed."""
        there: dict[str, _Entry] = {}
        for path, status in _walk(self._folders):
            known = self._entries.get(path)
            if known is not None and known.is_as(status):
                there[path] = known
            else:
                with contextlib.suppress(OSError):  # unreadable: it will be removed
                    there[path] = _Entry(_identity(status), status, _content(path, status))
        self._entries = there

    def restore(self, before: Callable[[], object]) -> None:
        """Removes what is new, and puts back what was changed or removed.

        Args:
            before: called first if anything differs.
        """
        if not self._differs():
            return
        before()
        for path, _ in list(_walk(self._folders)):
            if path not in self._entries:
                _remove(path)
        for path, entry in sorted(self._entries.items()):
            with contextlib.suppress(OSError):
                self._entries[path] = _put_back(path, entry)

    def _differs(self) -> bool:
        count = 0
        for path, status in _walk(self._folders):
            count += 1
            entry = self._entries.get(path)
            if entry is None or not entry.is_as(status):
                return True
        return count != len(self._entries)


def _walk(folders: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of everything below the folders; a folder before its content, links are not followed."""
    waiting = list(folders)
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except PermissionError as error:
            os.chmod(error.filename, 0o700)
            waiting.append(error.filename)
            continue
        except OSError:
            continue
        for entry in entries:
            with contextlib.suppress(OSError):  # it was removed meanwhile
                yield entry.path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_ctime_ns


def _content(path: str, status: os.stat_result) -> bytes | str | None:
    if stat.S_ISREG(status.st_mode):
        return Path(path).read_bytes()
    return os.readlink(path) if stat.S_ISLNK(status.st_mode) else None


def _put_back(path: str, entry: _Entry) -> _Entry:
    """Makes a file, folder or link what it was; returns it as it is then."""
    try:
        now = os.stat(path, follow_symlinks=False)
    except OSError:
        now = None
    mode = entry.status.st_mode
    if now is not None and entry.is_as(now):
        return entry
    if now is not None and not (now.st_ino == entry.identity[0] and stat.S_ISREG(mode) and stat.S_ISREG(now.st_mode)):
        _remove(path)
    if stat.S_ISDIR(mode):
        os.mkdir(path, stat.S_IMODE(mode))
    elif isinstance(entry.content, str):
        os.symlink(entry.content, path)
    elif isinstance(entry.content, bytes):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o600)
        Path(path).write_bytes(entry.content)  # the same inode: cells may have the file open
        os.utime(path, ns=(entry.status.st_atime_ns, entry.status.st_mtime_ns))
        os.chmod(path, stat.S_IMODE(mode))
    status = os.stat(path, follow_symlinks=False)
    return _Entry(_identity(status), entry.status, entry.content)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            for inner, status in _walk([path]):
                if stat.S_ISDIR(status.st_mode):
                    os.chmod(inner, 0o700)
            os.chmod(path, 0o700)
            shutil.rmtree(path)
        else:
            os.unlink(path)
