"""Opens files that others put there: regular files only. Links are not followed, and a pipe is never waited for."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class NotRegularError(OSError):
    """A link, a folder, a pipe, a socket or a device."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading bytes.

    Raises:
        FileNotFoundError: nothing is there.
        NotRegularError: something else than a regular file is there.
        OSError: it cannot be opened.
    """
    _insist(os.lstat(path), path)  # first: opening a device may do something
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        _insist(os.fstat(file.fileno()), path)  # again: another file may have taken its place
        yield file


def _insist(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotRegularError(errno.EINVAL, "it is not a regular file", str(path))


def is_behind_link(path: Path, below: Path) -> bool:
    """Is a folder between `below` and the file a link?"""
    return any(below in folder.parents and os.path.islink(folder) for folder in path.parents)


def why(error: OSError) -> str:
    """What is wrong with a file, in the system's words."""
    return error.strerror or type(error).__name__
