"""Puts the files of a session back as its cells left them, so that no item's test finds files of another item's.

The code of an item may write files while it is tested, and may read and change those that cells wrote before. Where a
file is mapped into memory, a change of it may leave no trace in its status; such files are compared by content.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from .shared_memory import FileId


@dataclass(frozen=True)
class _Entry:
    """A file, folder or link as it was."""

    identity: tuple[int, int]
    """Inode and time of the last change, which no program can set."""
    status: os.stat_result
    content: bytes | str | None
    """Bytes of a regular file, target of a link; None for a folder and for others."""

    def is_as(self, now: os.stat_result) -> bool:
        """Whether this is still there, unchanged by its status; a folder's content does not count."""
        both = stat.S_ISDIR(now.st_mode) and now.st_mode == self.status.st_mode
        return both or self.identity == _identity(now)

    @property
    def file(self) -> FileId:
        """Which file it is."""
        return self.status.st_dev, self.identity[0]


Files = dict[str, _Entry]
"""Everything in the folders of a session at one time, by path."""


class WorkingFolder:
    """The content of the folders in which a session may write.

    Args:
        folders: the folders.
        mapped: returns the files that are mapped into memory, where they may be changed.
    """

    def __init__(self, folders: Sequence[str], mapped: Callable[[], Set[FileId]] = frozenset) -> None:
        self._folders = folders
        self._mapped = mapped

    def now(self, known: Files | None = None) -> Files:
        """What is there now.

        Args:
            known: what was there before; only what is new or changed since is read.
        """
        files = known or {}
        there, same = self._look(files)
        found = {path: files[path] for path in same}
        for path in there.keys() - same:
            with contextlib.suppress(OSError):  # unreadable: it would be removed
                found[path] = _Entry(_identity(there[path]), there[path], _content(path, there[path]))
        return found

    def restore(self, files: Files, before: Callable[[], object] = lambda: None) -> Files:
        """Removes what is new since, and puts back what was changed or removed; returns what is there then.

        Args:
            files: what shall be there.
            before: called first if anything differs.
        """
        there, same = self._look(files)
        if len(there) == len(same) == len(files):
            return files
        before()
        there, same = self._look(files)
        for path in there.keys() - files.keys():
            _remove(path)
        return {path: _put_back(path, entry, is_same=path in same) for path, entry in sorted(files.items())}

    def _look(self, files: Files) -> tuple[dict[str, os.stat_result], set[str]]:
        """What is there, and the paths that are as in `files`."""
        there = dict(_walk(self._folders))
        same = {path for path, entry in files.items() if path in there and entry.is_as(there[path])}
        regular = [path for path in same if isinstance(files[path].content, bytes)]
        mapped = self._mapped() if regular else frozenset()
        for path in regular:
            if files[path].file in mapped and files[path].content != _content(path, there[path]):
                same.discard(path)
        return there, same


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


def _put_back(path: str, entry: _Entry, *, is_same: bool) -> _Entry:
    """Makes a file, folder or link what it was, if possible; returns it as it is then."""
    with contextlib.suppress(OSError):
        return _as_it_was(path, entry, is_same=is_same)
    return entry


def _as_it_was(path: str, entry: _Entry, *, is_same: bool) -> _Entry:
    try:
        now = os.stat(path, follow_symlinks=False)
    except OSError:
        now = None
    mode = entry.status.st_mode
    if now is not None and is_same and entry.is_as(now):  # a folder above may have been made anew
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
