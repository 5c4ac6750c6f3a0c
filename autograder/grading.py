"""Grades one submission: bytes in, explicit results and an executed notebook out. No database."""

from __future__ import annotations

import atexit
import functools
import hashlib
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from autograder.doctor import insist
from autograder.examiner import Examined, examine
from autograder.executed import executed_notebook
from autograder.handed_in_log import disagreements, read_log
from autograder.problem import Problem, load_problem
from autograder.rebuild import Rebuilt, rebuild
from autograder.reference import reference
from autograder.release import released_notebook
from autograder.results import Flag, GradedLog, ItemResult, Outcome, Status
from autograder.sandbox import Host
from autograder.seed import fingerprint, grading_seed
from autograder.submission import LOG_NAME, MAX_LOG_BYTES, UnusableError, read_bytes, read_cells
from homework.source_hash import source_hash

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Grading:
    """One graded submission."""

    log: GradedLog
    notebook: NotebookNode
    """The executed notebook; for a submission that could not be read, the release with the reason on top."""
    seconds: float = 0.0
    """Wall time of the grading."""


def grade(
    problem: str, notebook_path: str | Path, *, student: str | None = None, root: Path | None = None
) -> GradedLog:
    """Grades one notebook file; a `submission_log.json` beside it is read too. Needs no database.

    Args:
        problem: problem id.
        notebook_path: the handed-in notebook.
        student: student id; the log's if not given, else `anonymous`.
        root: the course's root folder; found if not given.

    Returns:
        the graded log. A notebook that cannot be graded gets one too: score 0 and the reason in the messages.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: student code cannot be run on this machine.
    """
    return grade_file(problem, Path(notebook_path), student=student, root=root).log


def grade_file(
    problem_id: str,
    path: Path,
    *,
    student: str | None = None,
    root: Path | None = None,
    submitted: Path | None = None,
) -> Grading:
    """Like `grade`, with the executed notebook; below the folder `submitted` no link is followed."""
    problem = load_problem(problem_id, root)
    try:
        data = read_bytes(path, submitted)
    except UnusableError as error:
        return _unusable(problem, student or ANONYMOUS, error, None)
    log_path = path.parent / LOG_NAME
    log_bytes = None
    if log_path.is_file() and not log_path.is_symlink():
        with log_path.open("rb") as file:
            log_bytes = file.read(MAX_LOG_BYTES)
    handed_in_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return grade_notebook_bytes(
        problem_id, data, student=student, log=log_bytes, name=path.name, handed_in_at=handed_in_at, root=root
    )


def grade_notebook_bytes(
    problem_id: str,
    data: bytes,
    *,
    student: str | None = None,
    log: bytes | None = None,
    name: str = "the notebook",
    handed_in_at: datetime | None = None,
    root: Path | None = None,
) -> Grading:
    """Grades a notebook given as bytes.

    Args:
        problem_id: problem id.
        data: the notebook file's bytes, not trusted.
        student: student id; the log's if not given, else `anonymous`.
        log: the bytes of the student's `submission_log.json`, not trusted; None if there is none.
        name: what to call the file in messages.
        handed_in_at: when it was handed in; stands in the log if the student's own log has no date.
        root: the course's root folder; found if not given.
    """
    started = time.monotonic()
    problem = load_problem(problem_id, root)
    theirs, flags = read_log(log, problem.id)
    student = student or theirs.get("student") or ANONYMOUS
    assert student is not None
    try:
        rebuilt = rebuild(problem, read_cells(data, name), name)
    except UnusableError as error:
        return _unusable(problem, student, error, hashlib.sha256(data).hexdigest(), handed_in_at)
    course = problem.path.parent.parent
    seed = grading_seed(course)
    host = _host(reference(problem).modules, course)
    examined = examine(problem, rebuilt, host, student=student, seed=seed)
    flags += rebuilt.flags
    if theirs:
        flags += disagreements(theirs, rebuilt, examined.answers, student)
    flags.append(Flag("inputs", f"Inputs were drawn from the seed with fingerprint {fingerprint(seed)}."))
    flags.append(Flag("isolation", f"Student code ran at isolation level '{host.level}'."))
    digest = hashlib.sha256(data).hexdigest()
    graded = _log(problem, student, theirs, rebuilt, examined, tuple(flags), handed_in_at, digest)
    results = {result.id: result for result in examined.results}
    notebook = executed_notebook(problem, rebuilt, examined.runs, results)
    return Grading(graded, notebook, time.monotonic() - started)


@functools.cache
def _host(modules: tuple[str, ...], root: Path) -> Host:
    """This process's warm host for student code, its walls tried; ends with the process."""
    host = Host(modules)
    atexit.register(host.close)
    insist(host, root)
    return host


def _log(
    problem: Problem,
    student: str,
    theirs: dict[str, Any],
    rebuilt: Rebuilt,
    examined: Examined,
    flags: tuple[Flag, ...],
    handed_in_at: datetime | None,
    digest: str,
) -> GradedLog:
    codes = {item.id for item in problem.items if item.kind == "code"}
    return GradedLog(
        problem=problem.id,
        student=student,
        created_at=theirs.get("created_at") or _rfc3339(handed_in_at),
        profile=theirs.get("profile", "grade"),
        environment=theirs.get("environment") or environment(),
        answers=examined.answers,
        metrics=theirs.get("metrics", {}),
        code={item: source_hash(rebuilt.source(item)) for item in sorted(rebuilt.answered & codes)},
        notebook_sha256=digest,
        outcome=Outcome.GRADED,
        items=tuple(examined.results),
        flags=flags,
        process=theirs.get("process", {}) if isinstance(theirs.get("process", {}), dict) else {},
    )


def failed_grading(problem: Problem, student: str, reason: str) -> Grading:
    """The result of a submission on which the grader itself failed; staff must look at it."""
    message = f"The autograder failed on this submission ({reason}); this is not your fault, staff will look at it."
    return _unusable(problem, student, UnusableError(Outcome.GRADER_ERROR, message), None)


def _unusable(
    problem: Problem, student: str, error: UnusableError, digest: str | None, handed_in_at: datetime | None = None
) -> Grading:
    """The result of a submission that cannot be graded: nothing for any item, and the reason everywhere."""
    message = str(error)
    log = GradedLog(
        problem=problem.id,
        student=student,
        created_at=_rfc3339(handed_in_at),
        profile="grade",
        environment=environment(),
        answers={},
        metrics={},
        code={},
        notebook_sha256=digest,
        outcome=error.outcome,
        items=tuple(
            ItemResult(item.id, 0.0, item.points, Status.MISSING, message, manual=item.kind != "code")
            for item in problem.items
        ),
        flags=(Flag(str(error.outcome), message),),
    )
    notebook = released_notebook(problem)
    notebook.cells.insert(0, new_markdown_cell(f"**This submission could not be graded.** {message}", id="not-graded"))
    return Grading(log, notebook)


def environment() -> dict[str, str]:
    """Where grading runs, in the words of the log."""
    return {"python": platform.python_version(), "torch": str(torch.__version__), "device": "cpu"}


def _rfc3339(moment: datetime | None) -> str:
    """UTC to the second; an unknown moment is the epoch, so that equal input gives equal bytes."""
    return (moment or datetime.fromtimestamp(0, UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
