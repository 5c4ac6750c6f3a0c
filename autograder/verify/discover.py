"""Finds and reads the logs to check, in folders or as single files. Symbolic links are never followed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import AutograderError
from autograder.core.regular_file import is_behind_link
from autograder.core.results import Outcome
from autograder.submissions.reader import LOG_NAME, UnusableError, read_bytes
from homework.hand_in.log import MOST_BYTES

MOST_NOTEBOOK_BYTES = 32 * 2**20
"""A larger notebook beside a log is not read."""
_DEPTH = 2
"""Number of folder levels between a given folder and a log: `<student>/<problem>`."""


@dataclass(frozen=True, order=True)
class FoundLog:
    """A log file that is not read yet."""

    path: Path
    below: Path | None = None
    """The given folder; None if the file itself was given."""


def find_logs(paths: Iterable[str | Path]) -> list[FoundLog]:
    """Finds the logs of files and folders: in the given order, those of one folder in alphabetical order.

    In a folder these are `submission_log.json`, `*/submission_log.json` and `*/*/submission_log.json`.

    Raises:
        AutograderError: a path does not exist, or no log was found.
    """
    named = [Path(path) for path in paths]
    found: dict[str, FoundLog] = {}
    for path in named:
        if path.is_dir():
            new = [FoundLog(log, path) for log in _below(path, _DEPTH)]
        elif os.path.lexists(path):
            new = [FoundLog(path)]
        else:
            raise AutograderError(
                f"{path} does not exist; name logs, or folders that contain <student>/<problem>/{LOG_NAME}."
            )
        for log in new:
            found.setdefault(os.path.abspath(log.path), log)
    if not found:
        raise AutograderError(
            f"no {LOG_NAME} below {', '.join(map(str, named)) or 'nothing'}; "
            f"give logs, or folders with <student>/<problem>/{LOG_NAME}."
        )
    return list(found.values())


def read_found(log: FoundLog) -> bytes:
    """Reads a log.

    Raises:
        UnusableError: it is a link, not a regular file, too large, or cannot be read.
    """
    return _read(log.path, log.below, MOST_BYTES)


def read_notebook_beside(log: FoundLog, problem_id: str) -> tuple[str, bytes] | None:
    """Name and bytes of the notebook that was submitted with a log; None if there is none.

    This is `<problem>.ipynb` in the same folder, else the only `.ipynb` there. If the log's name does not begin with
    `submission_log`, no notebook is searched for, since the log was not submitted in this folder.

    Raises:
        UnusableError: it cannot be read.
    """
    if not log.path.name.startswith(LOG_NAME.removesuffix(".json")):
        return None
    beside = [log.path.parent / f"{problem_id}.ipynb"]
    if not os.path.lexists(beside[0]):
        beside = list(log.path.parent.glob("*.ipynb"))
    return (beside[0].name, _read(beside[0], log.below, MOST_NOTEBOOK_BYTES)) if len(beside) == 1 else None


def _read(path: Path, below: Path | None, most: int) -> bytes:
    if os.path.islink(path) or (below is not None and is_behind_link(path, below)):
        raise UnusableError(
            Outcome.UNREADABLE, f"{path.name} is a link or is reached through one; links are not followed."
        )
    with contextlib.suppress(OSError):  # reading it will report the error
        size = path.stat().st_size
        if size > most:
            raise UnusableError(Outcome.UNREADABLE, f"{path.name} has {size:,} bytes; the limit is {most:,}.")
    return read_bytes(path, below, most)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """Logs in a folder and up to `depth` levels below. A linked folder counts as having a log, which is refused."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder / LOG_NAME
        return
    for entry in entries:
        if entry.name == LOG_NAME:
            yield folder / LOG_NAME
        elif depth and entry.is_symlink() and os.path.isdir(entry.path):
            yield Path(entry.path) / LOG_NAME
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), depth - 1)
