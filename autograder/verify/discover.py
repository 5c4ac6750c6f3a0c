"""Finds the logs to check, below folders and one by one, and reads them: links are never followed."""

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
"""Folders between the one that is named and a log: `<student>/<problem>`."""


@dataclass(frozen=True, order=True)
class FoundLog:
    """A log file, not read yet."""

    path: Path
    below: Path | None = None
    """The folder that was named; None for a file that was named itself."""


def find_logs(paths: Iterable[str | Path]) -> list[FoundLog]:
    """The logs that files and folders stand for: in the order given, those of one folder in alphabetical order.

    Below a folder these are `submission_log.json`, `*/submission_log.json` and `*/*/submission_log.json`.

    Raises:
        AutograderError: a path does not exist, or no log was found at all.
    """
    named = [Path(path) for path in paths]
    found: dict[str, FoundLog] = {}
    for path in named:
        if path.is_dir():
            new = [FoundLog(log, path) for log in _below(path, _DEPTH)]
        elif os.path.lexists(path):
            new = [FoundLog(path)]
        else:
            raise AutograderError(f"{path} does not exist; name logs, or folders with <student>/<problem>/{LOG_NAME}.")
        for log in new:
            found.setdefault(os.path.abspath(log.path), log)
    if not found:
        raise AutograderError(
            f"no {LOG_NAME} below {', '.join(map(str, named)) or 'nothing'}; "
            f"name logs, or folders with <student>/<problem>/{LOG_NAME}."
        )
    return list(found.values())


def read_found(log: FoundLog) -> bytes:
    """The bytes of a log.

    Raises:
        UnusableError: a link, no regular file, too large, or it cannot be read.
    """
    return _read(log.path, log.below, MOST_BYTES)


def read_notebook_beside(log: FoundLog, problem_id: str) -> tuple[str, bytes] | None:
    """Name and bytes of the notebook that was handed in with a log; None if there is none.

    That is `<problem>.ipynb` in the same folder, else the only `.ipynb` there. A log that goes by another name than
    `submission_log…` was put there by somebody else, and no notebook is looked for.

    Raises:
        UnusableError: it cannot be read.
    """
    if not log.path.name.startswith(LOG_NAME.removesuffix(".json")):
        return None
    beside = log.path.parent / f"{problem_id}.ipynb"
    if not os.path.lexists(beside):
        others = sorted(log.path.parent.glob("*.ipynb"))
        if len(others) != 1:
            return None
        beside = others[0]
    return beside.name, _read(beside, log.below, MOST_NOTEBOOK_BYTES)


def _read(path: Path, below: Path | None, most: int) -> bytes:
    if os.path.islink(path) or (below is not None and is_behind_link(path, below)):
        raise UnusableError(Outcome.UNREADABLE, f"{path.name} is a link or lies behind one; links are not followed.")
    with contextlib.suppress(OSError):  # reading it will say why
        size = path.stat().st_size
        if size > most:
            raise UnusableError(Outcome.UNREADABLE, f"{path.name} has {size:,} bytes; at most {most:,} are read.")
    return read_bytes(path, below, most)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """Logs in a folder and `depth` levels below. A folder behind a link counts as one that has a log: it is refused."""
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
