"""Atomic writes: a file appears complete or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file beside `path` and renames it to `path` when the block succeeds.

    If the block or the disk fails, the temporary file is removed and an earlier file at `path` is unchanged.

    Args:
        path: the file to create or replace; its folder must exist.

    Raises:
        OSError: the file cannot be written, e.g. because the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as handle:
            yield handle
            handle.flush()
            _sync(handle)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync(handle: BinaryIO) -> None:
    try:
        os.fsync(handle.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network folders do not support it
            raise


def disk_is_full(error: BaseException | None) -> bool:
    """Did a full disk cause the error? torch raises a RuntimeError of its own while it handles the disk's error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
