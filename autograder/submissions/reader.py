"""Reads a notebook that somebody handed in. Nothing of it is run here and none of it is trusted.

All that is taken from the file is a list of cells: type, text, nbgrader's grade id, cell id, and the pictures among the
outputs. A file that is no notebook raises `UnusableError`, whose message says what to do.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.core.errors import AutograderError
from autograder.core.regular_file import NotRegularError, is_behind_link, opened, why
from autograder.core.results import Outcome
from autograder.core.text import printable, well_formed
from autograder.submissions.pictures import Drawn, drawn_in

MAX_BYTES = 200 * 2**20
"""A larger file is not read."""
LOG_NAME = "submission_log.json"
MAX_VALUES = 4_000_000
"""Values in a notebook's JSON; each takes up to a hundred bytes of memory."""
MAX_LOG_BYTES = 2 * 2**20
"""What is read of a student's log; a valid one is half as large."""
_LONGEST_PATH = 1_000
"""Characters of a path in a message."""
MAX_CELLS = 5_000
MAX_CELL_CHARACTERS = 1_000_000


class UnusableError(AutograderError):
    """A submission that cannot be graded at all, with the outcome it gets."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one problem, as bytes; nothing of it is trusted."""

    student: str | None = None
    """The student's id; None: whoever the log names."""
    name: str = "the notebook"
    """What to call the file in messages."""
    notebook: bytes = b""
    log: bytes | None = None
    """The student's `submission_log.json`; None if there is none."""
    handed_in_at: datetime | None = None
    """Stands in the log if the student's own log has no date."""
    fault: tuple[Outcome, str] | None = None
    """Why the notebook could not be read."""
    log_fault: str = ""
    """Why the log that lies beside the notebook could not be read."""

    @property
    def notebook_sha256(self) -> str | None:
        """Of the notebook file; None if it could not be read."""
        return None if self.fault else hashlib.sha256(self.notebook).hexdigest()

    @functools.cached_property
    def digest(self) -> str:
        """A fingerprint of all that may decide over the result; when it was handed in counts only without a log."""
        found = hashlib.sha256()
        moment = "" if self.handed_in_at is None or self.log is not None else self.handed_in_at.isoformat()
        for part in (
            self.notebook,
            self.log,
            repr((self.student, self.name, moment, self.fault, self.log_fault)).encode(),
        ):
            data = b"none" if part is None else b"some" + part
            found.update(len(data).to_bytes(8, "big") + data)
        return found.hexdigest()


@dataclass(frozen=True)
class HandedIn:
    """One cell of a handed-in notebook."""

    cell_type: str
    source: str
    grade_id: str
    """What nbgrader's metadata call it; empty if there are none."""
    cell_id: str
    drawn: tuple[Drawn, ...] = ()
    """The pictures among its outputs and attachments as they stand in the file; see `submissions.pictures`."""


def read_submission(path: Path, student: str | None = None, below: Path | None = None) -> Submission:
    """The notebook at `path`, with the `submission_log.json` beside it; a file that cannot be read is a fault in it.

    Args:
        path: the notebook.
        student: the student's id.
        below: the folder that holds the hand-ins: between it and the file nothing may be a link.
    """
    name = printable(path.name)
    try:
        data, modified = _read(path, below, MAX_BYTES)
    except UnusableError as error:
        return Submission(student, name, fault=(error.outcome, str(error)))
    log, log_fault = _read_log(path.parent / LOG_NAME)
    return Submission(student, name, data, log, _moment(modified), log_fault=log_fault)


def _read_log(path: Path) -> tuple[bytes | None, str]:
    """The log beside a notebook, None if there is none; and why it could not be read."""
    try:
        with opened(path) as file:
            return file.read(MAX_LOG_BYTES), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, why(error)


def _moment(seconds: float) -> datetime | None:
    """A file's time; None for one that no calendar has, as archives may carry it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_bytes(path: Path, below: Path | None = None, most: int | None = None) -> bytes:
    """The bytes of a handed-in file.

    Args:
        path: the file.
        below: the folder that holds the hand-ins: between it and the file nothing may be a link.
        most: a larger file is not read; `MAX_BYTES` if not given.

    Raises:
        UnusableError: it is missing, not a regular file, too large or cannot be read.
    """
    return _read(path, below, MAX_BYTES if most is None else most)[0]


def _read(path: Path, below: Path | None, most: int) -> tuple[bytes, float]:
    """The bytes of a file and when it was changed last; raises as `read_bytes` does."""
    shown = printable(str(path), _LONGEST_PATH)
    if below is not None and is_behind_link(path, below):
        raise UnusableError(Outcome.UNREADABLE, f"{shown} lies behind a link; hand in the notebook itself.")
    try:
        with opened(path) as file:
            about = os.fstat(file.fileno())
            data = file.read(most + 1) if about.st_size <= most else b""
    except FileNotFoundError:
        raise UnusableError(Outcome.MISSING, f"{shown} is missing: {_found_instead(path)}.") from None
    except NotRegularError:
        raise UnusableError(
            Outcome.UNREADABLE, f"{shown} is not a regular file; hand in the notebook itself."
        ) from None
    except OSError as error:
        raise UnusableError(Outcome.UNREADABLE, f"{shown} cannot be read: {why(error)}.") from None
    if max(about.st_size, len(data)) > most:
        raise UnusableError(
            Outcome.UNREADABLE,
            f"{shown} has {about.st_size / 2**20:,.0f} MiB, more than the {most / 2**20:,.0f} MiB that are read; "
            "clear the outputs (Edit > Clear all outputs), save and hand in again.",
        )
    return data, about.st_mtime


def _found_instead(path: Path) -> str:
    """What lies where the notebook should be."""
    try:
        there = sorted(os.listdir(path.parent))
    except OSError:
        there = []
    names = [printable(name) for ending in (".ipynb", ".zip") for name in there if name.endswith(ending)]
    if not names:
        return "nothing was handed in under this name"
    return f"there is only {', '.join(names[:5])}; `autograder intake` sorts out other names and zips"


def read_cells(data: bytes, name: str) -> list[HandedIn]:
    """The cells of a notebook in format 4.

    Args:
        data: the file's bytes.
        name: what to call the file in messages.

    Raises:
        UnusableError: not UTF-8, not JSON, not a notebook, or a notebook of another format.
    """
    document = _document(data, name)
    major = document.get("nbformat")
    if "worksheets" in document or (type(major) is int and major < 4):
        raise UnusableError(
            Outcome.UNREADABLE,
            f"{name} is a notebook in the old format {major}; open it in Jupyter, save it (or run "
            "`jupyter nbconvert --to notebook`) and hand in the new file.",
        )
    cells = document.get("cells")
    if type(cells) is not list or major != 4:
        raise UnusableError(
            Outcome.UNREADABLE, f"{name} is JSON but no Jupyter notebook (it has no list of cells in format 4)."
        )
    if len(cells) > MAX_CELLS:
        raise UnusableError(Outcome.UNREADABLE, f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} are read.")
    read = [_cell(cell) for cell in cells if type(cell) is dict]
    return [cell for cell in read if cell is not None]


def is_overgrown(data: bytes) -> bool:
    """Would so many values come out of this JSON that they fill the memory? Counted without reading it."""
    return len(data) > 2 * MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES


def _document(data: bytes, name: str) -> dict[str, Any]:
    if is_overgrown(data):
        raise UnusableError(
            Outcome.UNREADABLE,
            f"{name} holds more than {MAX_VALUES:,} values; clear the outputs (Edit > Clear all outputs), save and "
            "hand in again.",
        )
    if not data.strip():
        raise UnusableError(Outcome.UNREADABLE, f"{name} is empty; save the notebook and hand it in again.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableError(
            Outcome.UNREADABLE,
            f"{name} is not UTF-8 text (byte {error.start:,}); download it again as .ipynb and hand that in.",
        ) from None
    try:
        document = json.loads(text)
    except RecursionError:
        raise UnusableError(Outcome.UNREADABLE, f"{name} is nested too deeply to be a notebook.") from None
    except ValueError as error:
        raise UnusableError(
            Outcome.UNREADABLE,
            f"{name} is not a notebook: it is not JSON ({_first_line(error)}); download it again as .ipynb.",
        ) from None
    if type(document) is not dict:
        raise UnusableError(Outcome.UNREADABLE, f"{name} is JSON but no Jupyter notebook.")
    return document


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:120]


def _cell(cell: Mapping[str, Any]) -> HandedIn | None:
    """One cell, or None if it has no readable text."""
    source = cell.get("source")
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    if type(source) is not str or len(source) > MAX_CELL_CHARACTERS:
        return None
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if type(metadata) is dict else None
    grade_id = nbgrader.get("grade_id") if type(nbgrader) is dict else None
    return HandedIn(
        cell_type=_text(cell.get("cell_type")),
        source=well_formed(source.replace("\r\n", "\n")),
        grade_id=_text(grade_id),
        cell_id=_text(cell.get("id")),
        drawn=drawn_in(cell),
    )


def _text(value: Any) -> str:
    return well_formed(value[:200]) if type(value) is str else ""
