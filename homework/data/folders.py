"""Folders with data on this machine: a prepared folder, and the cache."""

from __future__ import annotations

import os
from pathlib import Path

from homework.atomic import disk_is_full, whole_file
from homework.errors import DataError


def data_folder(*parts: str) -> Path | None:
    """`parts` below `$HOMEWORK_DATA`; None if that is not set."""
    folder = os.environ.get("HOMEWORK_DATA", "").strip()
    return Path(folder).expanduser().joinpath(*parts) if folder else None


def cache_folder(*parts: str) -> Path:
    """The folder for downloaded data: `parts` below `$HOMEWORK_CACHE`, else below `~/.cache/homework`."""
    folder = os.environ.get("HOMEWORK_CACHE", "").strip() or "~/.cache/homework"
    return Path(folder).expanduser().joinpath(*parts)


def save(contents: bytes, path: Path) -> None:
    """Writes a file of the cache atomically; creates its folder.

    Raises:
        DataError: it cannot be written; the message says what to do.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as handle:
            handle.write(contents)
    except OSError as error:
        raise unsaved(path, error, len(contents)) from error


def unsaved(path: Path, error: Exception, size: int) -> DataError:
    """The error for a path that cannot be written."""
    why = f"the disk is full; free {size / 1e6:.0f} MB" if disk_is_full(error) else error
    return DataError(f"{path} cannot be saved: {why}, or set HOMEWORK_CACHE to a folder with room where you may write.")
