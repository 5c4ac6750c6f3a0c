"""File locks that keep two commands from writing the same files. The system frees a lock when its process ends."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.core.errors import SetupError

_LOOK_SECONDS = 0.05
"""Seconds between two attempts."""


@contextmanager
def locked(path: Path, busy: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Holds a lock while the block runs.

    The lock file is not removed: otherwise two processes could hold the lock, one on the old and one on the new file.
    On a file system without locks the block runs without one, after a warning (logger `autograder`).

    Args:
        path: the lock file; created if missing.
        busy: the message of the error.
        wait_seconds: how long to wait for another holder.

    Raises:
        SetupError: another process, or another block of this one, holds the lock; or the file cannot be created.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}; make room or fix the folder.") from error
    try:
        end = time.monotonic() + wait_seconds
        while not _is_taken(file, path):
            if time.monotonic() >= end:
                raise SetupError(busy)
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(file)


def _is_taken(file: int, path: Path) -> bool:
    """Tries to take the lock and returns whether it did; True also on a file system without locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        logging.getLogger("autograder").warning(
            "%s cannot be locked (%s); run only one command at a time on this folder.", path, error.strerror
        )
    return True
