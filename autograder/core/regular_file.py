"""Opens untrusted files: regular files only, without following links or blocking on pipes."""

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
    """The path is a link, a folder, a pipe, a socket or a device."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for reading bytes.

    Raises:
        FileNotFoundError: the path does not exist.
        NotRegularError: it is not a regular file.
        OSError: it cannot be opened.
    """
    _require_regular(os.lstat(path), path)  # before opening: opening a device can have side effects
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        _require_regular(os.fstat(file.fileno()), path)  # again: the file may have been replaced since
        yield file


def _require_regular(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotRegularError(errno.EINVAL, "it is not a regular file", str(path))


def is_behind_link(path: Path, below: Path) -> bool:
    """Returns whether a folder between `below` and the file is a link."""
    return any(below in folder.parents and os.path.islink(folder) for folder in path.parents)


def why(error: OSError) -> str:
    """The system's description of an error, else the error's class name."""
    return error.strerror or type(error).__name__
