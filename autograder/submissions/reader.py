"""Reads a submitted notebook, which is untrusted, without running it.

Only these parts of each cell are read: type, text, nbgrader's grade id, cell id, attached pictures, and the texts and
pictures of its outputs. A file that is not a notebook raises `UnusableError`, whose message says what to do.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.core.errors import AutograderError
from autograder.core.regular_file import NotRegularError, is_behind_link, opened, why
from autograder.core.results import Outcome
from autograder.core.text import listed, printable, well_formed
from autograder.course.python_cells import MAX_SOURCE
from autograder.submissions.outputs import Output, outputs_in
from autograder.submissions.pictures import SubmittedPicture, attached_to
from autograder.submissions.timestamps import TIME_FILE

MAX_BYTES = 200 * 2**20
"""A larger file is not read."""
LOG_NAME = "submission_log.json"
FOUND_NAME = "found_instead.txt"
"""File in place of a missing notebook: the names of the files that were submitted; `autograder intake` writes it."""
MAX_VALUES = 4_000_000
"""Maximum number of values in a notebook's JSON; each takes up to a hundred bytes of memory."""
MAX_LOG_BYTES = 2 * 2**20
"""Maximum bytes read of a student's log; a valid log has at most half as many."""

MAX_CELLS = 5_000
MAX_CELL_CHARACTERS = 1_000_000
MAX_TEXT_CHARACTERS = 20_000_000
"""Maximum length of all cells together; pictures that were pasted into text cells count."""
MAX_CODE_CHARACTERS = 1_000_000
"""Maximum length of all code cells together that are short enough to be parsed."""


class UnusableError(AutograderError):
    """A submission cannot be graded at all; has the submission's outcome."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def _unreadable(message: str) -> UnusableError:
    return UnusableError(Outcome.UNREADABLE, message)


@dataclass(frozen=True)
class Submission:
    """One student's submission for one problem, as untrusted bytes."""

    student: str | None = None
    """The student's id; None: the student named in the log."""
    name: str = "the notebook"
    """Name of the file in messages."""
    notebook: bytes = b""
    log: bytes | None = None
    """The student's `submission_log.json`; None if there is none."""
    submitted_at: datetime | None = None
    """Modification time of the notebook file; used as the log's date if the student's log has none."""
    fault: tuple[Outcome, str] | None = None
    """Why the notebook could not be read; None if it was read."""
    log_fault: str = ""
    """Why the log beside the notebook could not be read; empty if there was no error."""

    @property
    def notebook_sha256(self) -> str | None:
        """SHA-256 of the notebook file; None if it could not be read."""
        return None if self.fault else hashlib.sha256(self.notebook).hexdigest()

    @functools.cached_property
    def digest(self) -> str:
        """Fingerprint of everything that may affect the result; includes `submitted_at` only if there is no log."""
        found = hashlib.sha256()
        moment = "" if self.submitted_at is None or self.log is not None else self.submitted_at.isoformat()
        for part in (
            self.notebook,
            self.log,
            repr((self.student, self.name, moment, self.fault, self.log_fault)).encode(),
        ):
            data = b"none" if part is None else b"some" + part
            found.update(len(data).to_bytes(8, "big") + data)
        return found.hexdigest()


@dataclass(frozen=True)
class SubmittedCell:
    """One cell of a submitted notebook."""

    cell_type: str
    source: str
    grade_id: str
    """The grade id in nbgrader's metadata; empty if there is none."""
    cell_id: str
    outputs: tuple[Output, ...] = ()
    """What it printed and drew in the student's run, see `submissions.outputs`."""
    attached: tuple[SubmittedPicture, ...] = ()
    """The pictures that are attached to it, not decoded; see `submissions.pictures`."""

    @property
    def drawn(self) -> tuple[SubmittedPicture, ...]:
        """All its pictures."""
        return (*(output for output in self.outputs if isinstance(output, SubmittedPicture)), *self.attached)


def read_submission(path: Path, student: str | None = None, below: Path | None = None) -> Submission:
    """Reads the notebook at `path` and the `submission_log.json` beside it; read errors become the submission's faults.

    Args:
        path: the notebook.
        student: the student's id.
        below: the folder with the submissions; no folder between it and the file may be a link.
    """
    name = printable(path.name)
    try:
        data, modified = _read(path, below, MAX_BYTES)
    except UnusableError as error:
        return Submission(student, name, fault=(error.outcome, str(error)))
    log, log_fault = _read_log(path.parent / LOG_NAME)
    return Submission(student, name, data, log, _moment(modified), log_fault=log_fault)


def _read_log(path: Path) -> tuple[bytes | None, str]:
    """The log beside a notebook, None if there is none, and the read error, empty if there is none."""
    try:
        with opened(path) as file:
            return file.read(MAX_LOG_BYTES), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, why(error)


def _moment(seconds: float) -> datetime | None:
    """A file's time in UTC; None if it is out of range, which archives may contain."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_bytes(path: Path, below: Path | None = None, most: int | None = None) -> bytes:
    """The bytes of a submitted file.

    Args:
        path: the file.
        below: the folder with the submissions; no folder between it and the file may be a link.
        most: maximum size in bytes; `MAX_BYTES` if not given.

    Raises:
        UnusableError: the file is missing, not a regular file, too large or cannot be read.
    """
    return _read(path, below, MAX_BYTES if most is None else most)[0]


def _read(path: Path, below: Path | None, most: int) -> tuple[bytes, float]:
    """The bytes and the modification time of a file; raises the same errors as `read_bytes`."""
    shown = printable(path.name)
    if below is not None and is_behind_link(path, below):
        raise _unreadable(f"{shown} is behind a symbolic link; submit the notebook itself.")
    try:
        with opened(path) as file:
            about = os.fstat(file.fileno())
            data = file.read(most + 1) if about.st_size <= most else b""
    except FileNotFoundError:
        raise UnusableError(Outcome.MISSING, f"{shown} is missing: {_found_instead(path)}.") from None
    except NotRegularError:
        raise _unreadable(f"{shown} is not a regular file; submit the notebook itself.") from None
    except OSError as error:
        raise _unreadable(f"{shown} cannot be read: {why(error)}.") from None
    if max(about.st_size, len(data)) > most:
        raise _unreadable(
            f"{shown} has {about.st_size / 2**20:,.0f} MiB; at most {most / 2**20:,.0f} MiB are read; "
            "clear the outputs (Edit > Clear all outputs), save and submit again."
        )
    return data, about.st_mtime


def _found_instead(path: Path) -> str:
    """Says which files were found in place of the notebook, and what to do."""
    advice = f"submit {wanted(path.stem)}"
    with contextlib.suppress(OSError), opened(path.parent / FOUND_NAME) as file:
        submitted = file.read(MAX_LOG_BYTES).decode("utf-8", "replace").splitlines()
        return f"only {_named(submitted)} was submitted; {advice}"
    there: list[str] = []
    with contextlib.suppress(OSError):
        there = sorted(name for name in os.listdir(path.parent) if not name.startswith("."))
    if names := [name for ending in (".ipynb", ".zip") for name in there if name.endswith(ending)]:
        return f"there is only {_named(names)}; `autograder intake` handles other names and zips"
    if names := [name for name in there if name not in (LOG_NAME, TIME_FILE)]:
        return f"there is only {_named(names)}; {advice}"
    return "nothing was submitted under this name"


def _named(names: Sequence[str]) -> str:
    return listed(list(map(printable, names)), 5)


def wanted(problem_id: str) -> str:
    """The file to submit, and how a student gets it."""
    return f"{problem_id}.ipynb (File > Download > .ipynb)"


def read_cells(data: bytes, name: str) -> list[SubmittedCell]:
    """The cells of a notebook in format 4.

    Args:
        data: the file's bytes.
        name: name of the file in messages.

    Raises:
        UnusableError: not UTF-8, not JSON, not a notebook, or a notebook in another format.
    """
    document = _document(data, name)
    major = document.get("nbformat")
    if "worksheets" in document or (type(major) is int and major < 4):
        raise _unreadable(
            f"{name} is a notebook in the old format {major}; open it in Jupyter, save it (or run "
            "`jupyter nbconvert --to notebook`) and submit the new file."
        )
    cells = document.get("cells")
    if type(cells) is not list or major != 4:
        raise _unreadable(f"{name} is JSON but not a Jupyter notebook (it has no list of cells in format 4).")
    if len(cells) > MAX_CELLS:
        raise _unreadable(f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} are read.")
    read = [found for cell in cells if type(cell) is dict and (found := _cell(cell))]
    whole = sum(len(cell.source) for cell in read)
    if whole > MAX_TEXT_CHARACTERS:
        raise _unreadable(
            f"{name} has {whole:,} characters in its cells; at most {MAX_TEXT_CHARACTERS:,} are read. Delete the cells "
            "that belong to no answer, save and submit again."
        )
    code = sum(len(cell.source) for cell in read if cell.cell_type == "code" and len(cell.source) <= MAX_SOURCE)
    if code > MAX_CODE_CHARACTERS:
        raise _unreadable(
            f"{name} has {code:,} characters of code; at most {MAX_CODE_CHARACTERS:,} are read. Delete the cells that "
            "belong to no answer, save and submit again."
        )
    return read


def is_overgrown(data: bytes) -> bool:
    """Returns whether this JSON has too many values for memory; estimated without parsing it."""
    return len(data) > 2 * MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES


def _document(data: bytes, name: str) -> dict[str, Any]:
    if is_overgrown(data):
        raise _unreadable(
            f"{name} contains more than {MAX_VALUES:,} values; clear the outputs (Edit > Clear all outputs), save and "
            "submit again."
        )
    if not data.strip():
        raise _unreadable(f"{name} is empty; save the notebook and submit it again.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(
            f"{name} is not UTF-8 text (byte {error.start:,}); download it again as .ipynb and submit that file."
        ) from None
    try:
        document = json.loads(text)
    except RecursionError:
        raise _unreadable(f"{name} is nested too deeply to be a notebook.") from None
    except ValueError as error:
        first = str(error).splitlines()[0][:120]
        raise _unreadable(f"{name} is not a notebook: it is not JSON ({first}); download it again as .ipynb.") from None
    if type(document) is not dict:
        raise _unreadable(f"{name} is JSON but not a Jupyter notebook.")
    return document


def _cell(cell: Mapping[str, Any]) -> SubmittedCell | None:
    """Reads one cell; None if it has no valid text."""
    source = cell.get("source")
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    if type(source) is not str or len(source) > MAX_CELL_CHARACTERS:
        return None
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if type(metadata) is dict else None
    grade_id = nbgrader.get("grade_id") if type(nbgrader) is dict else None
    return SubmittedCell(
        cell_type=_text(cell.get("cell_type")),
        source=well_formed(source.replace("\r\n", "\n")),
        grade_id=_text(grade_id),
        cell_id=_text(cell.get("id")),
        outputs=outputs_in(cell),
        attached=attached_to(cell),
    )


def _text(value: Any) -> str:
    return well_formed(value[:200]) if type(value) is str else ""
