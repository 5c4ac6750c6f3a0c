"""Atomic writing of files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from autograder.core.errors import SetupError

_OF_ONE_PATH = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ),
    }
)
"""Errors that concern one path only; files in other folders can still be written."""


class PathError(SetupError):
    """This file cannot be written, because of what is at its path or its folder's permissions; others may be."""


def write_atomically(path: Path, text: str) -> bool:
    """Writes a text file atomically and returns whether its bytes changed.

    Raises:
        PathError: something else is at this path, or its folder cannot be written.
        SetupError: the disk is full or broken; the old file is untouched.
    """
    return write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> bool:
    """Like `write_atomically`, for bytes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        kind = PathError if error.errno in _OF_ONE_PATH else SetupError
        raise kind(f"{path} cannot be written: {error.strerror or error}; make room or fix the folder.") from error
    return True
