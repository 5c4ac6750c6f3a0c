"""Takes in the files of one student: chooses notebook and log and writes them where `autograder grade` reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.core.files import write_bytes
from autograder.core.text import listed, printable
from autograder.course.problem import Problem
from autograder.submissions.archives import MAX_FILES, ArchiveError, Found, is_tar
from autograder.submissions.notebook_choice import Candidate, by_name, chosen
from autograder.submissions.reader import (
    FOUND_NAME,
    LOG_NAME,
    MAX_BYTES,
    MAX_LOG_BYTES,
    UnusableError,
    is_overgrown,
    read_cells,
    wanted,
)
from autograder.submissions.student_ids import LOG

MAX_TOTAL = 500 * 2**20
"""Maximum bytes to read for one student."""
MAX_COMPARED = 20
"""Maximum number of a student's notebooks whose answers are compared."""


@dataclass
class IntakeResult:
    """The result of intake for one student."""

    student: str
    notebook: str = ""
    """Path of the notebook in the source; empty if there is none."""
    notes: list[str] = field(default_factory=list)
    """Problems found, for staff."""
    ask_for: str = ""
    """What staff should ask the student for; empty if nothing."""
    is_doubtful: bool = False
    """Whether staff should check that the right one of two notebooks was used, or whose it is."""

    @property
    def needs_review(self) -> bool:
        """Whether staff must do something."""
        return self.is_doubtful or self.ask_for != ""


def import_student(student: str, files: Sequence[Found], problem: Problem, to: Path) -> IntakeResult:
    """Chooses notebook and log of one student and writes them to `<to>/<student>/<problem>`."""
    taken = IntakeResult(student, notes=[f"{file.path} {file.fault}" for file in files if file.fault])
    if sum(file.is_relevant for file in files) > MAX_FILES:
        taken.notes.append(f"more than {MAX_FILES:,} files; the others were ignored")
    folder = to / student / problem.id
    notebook = _take_notebook(taken, files, problem, folder)
    _take_log(taken, files, notebook, folder)
    return taken


def _take_notebook(taken: IntakeResult, files: Sequence[Found], problem: Problem, to: Path) -> Found | None:
    """Chooses and writes the notebook; only if there is none, one under another ending or a checkpoint."""
    files = [file for file in files if not LOG.fullmatch(file.name)]
    notebooks = [file for file in files if file.is_notebook and not file.is_checkpoint]
    texts = [file for file in files if file.name.lower().endswith((".txt", ".json"))]
    checkpoints = [file for file in files if file.is_checkpoint]
    room = [MAX_TOTAL]
    unusual = ""
    candidates = _candidates(taken, notebooks, problem, room)
    if not candidates:
        unusual = "is a notebook under another ending"
        candidates = _candidates(taken, texts, problem, room)
    if not candidates:
        unusual = "is a checkpoint of Jupyter's, not the saved notebook"
        candidates = _candidates(taken, checkpoints, problem, room)
    if not candidates:
        _note_missing(taken, files, problem, to)
        return None
    choice = chosen(candidates, problem.id)
    file = choice.candidate.file
    taken.notebook = file.path
    if not unusual and any(map(is_tar, PurePosixPath(file.path).parts[:-1])):
        unusual = "is in a tar archive"
    if unusual:
        taken.notes.append(f"{file.path} {unusual}; it was used anyway")
        taken.ask_for = wanted(problem.id)
    elif file.name != f"{problem.id}.ipynb":
        taken.notes.append(f"{file.path} is not named {problem.id}.ipynb; it was used anyway")
    if choice.note:
        taken.notes.append(choice.note)
    taken.is_doubtful = choice.is_doubtful
    write_bytes(to / f"{problem.id}.ipynb", choice.candidate.data)
    (to / FOUND_NAME).unlink(missing_ok=True)  # of an earlier submission
    return file


def _candidates(taken: IntakeResult, files: Sequence[Found], problem: Problem, room: list[int]) -> list[Candidate]:
    """The files that may be notebooks of the problem, with notes on the others.

    Args:
        taken: gets the notes.
        files: the files to read.
        problem: the problem.
        room: one number, the bytes that may still be read for this student; updated.
    """
    found: list[Candidate] = []
    for file in sorted(files, key=lambda file: by_name(file, problem.id), reverse=True):
        if room[0] < 0 or len(found) >= MAX_COMPARED:
            why = "too large" if room[0] < 0 else "too many"
            taken.notes.append(f"{file.path} was ignored: the files before it are {why}")
            continue
        try:
            data = file.read()
        except (ArchiveError, OSError) as error:
            taken.notes.append(f"{file.path} cannot be read: {error}")
            room[0] -= MAX_BYTES  # upper bound of what was read
            continue
        room[0] -= len(data)
        if len(data) > MAX_BYTES or room[0] < 0:
            taken.notes.append(f"{file.path} is too large")
        elif not (file.is_notebook or _is_notebook(data)):
            continue
        elif (named := problem_of(data)) not in ("", problem.id):
            taken.notes.append(f"{file.path} is the notebook of another problem ({named})")
        else:
            found.append(Candidate(file, data, problem))
    return found


def _note_missing(taken: IntakeResult, files: Sequence[Found], problem: Problem, to: Path) -> None:
    """Notes what was found in place of the notebook, for staff and for the student's result."""
    of_problem = f" of {problem.id}" if any(file.is_notebook for file in files) else ""
    only = f", only {listed([file.path for file in files], 5)}" if files else ""
    taken.notes.append(f"no notebook{of_problem} was submitted{only}")
    taken.ask_for = wanted(problem.id)
    to.mkdir(parents=True, exist_ok=True)  # so that grading reports the missing notebook
    if files:
        names = "\n".join(printable(file.name) for file in files)
        write_bytes(to / FOUND_NAME, names.encode("utf-8", "replace"))
    else:
        (to / FOUND_NAME).unlink(missing_ok=True)


def _take_log(taken: IntakeResult, files: Sequence[Found], notebook: Found | None, to: Path) -> None:
    """Takes the log beside the notebook, else the only log."""
    if notebook is None and any(to.glob("*.ipynb")):
        taken.notes.append("the notebook and the log of an earlier submission are kept")
        return
    logs = [file for file in files if LOG.fullmatch(file.name)]
    here = PurePosixPath(notebook.path).parent if notebook else None
    beside = [log for log in logs if log.name == LOG_NAME and here in (None, PurePosixPath(log.path).parent)]
    if notebook:
        (to / LOG_NAME).unlink(missing_ok=True)  # of an earlier submission
    if len(beside) != 1 and len(logs) > 1:
        taken.notes.append(f"several logs, but none beside the notebook is named {LOG_NAME}; none was read")
        return
    for log in (beside or logs)[:1]:
        try:
            data = log.read()
        except (ArchiveError, OSError) as error:
            taken.notes.append(f"{log.path} cannot be read: {error}")
            return
        if not beside:
            taken.notes.append(f"{log.path} was used as {LOG_NAME}")
        write_bytes(to / LOG_NAME, data[: MAX_LOG_BYTES + 1])


def _is_notebook(data: bytes) -> bool:
    try:
        return bool(read_cells(data, ""))
    except UnusableError:
        return False


def problem_of(data: bytes) -> str:
    """The problem id in a notebook's metadata; empty if there is none or the notebook cannot be read."""
    if is_overgrown(data):
        return ""
    try:
        named = json.loads(data.decode("utf-8-sig"))["metadata"]["homework"]["problem"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""
