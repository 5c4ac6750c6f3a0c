"""Keeps the tracebacks of the autograder's own errors in a batch: one file for each, apart from the students' files."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import replace
from pathlib import Path

from autograder.core.files import write_atomically
from autograder.core.flags import Flag, FlagKind
from autograder.core.results import Grading

FOLDER = "errors"
"""Name of the folder, in the folder of the results."""
_ODD = re.compile(r"[^\w.@+-]+", re.ASCII)
_LONGEST = 80
"""Maximum number of characters of a student's name in a file name."""


def fault_file(out: Path, student: str, problem: str) -> Path:
    """The file for the traceback of one submission: a unique name in plain ASCII."""
    plain = _ODD.sub("_", student)[:_LONGEST]
    if plain != student:
        plain += "~" + hashlib.sha256(student.encode()).hexdigest()[:12]
    return out / FOLDER / f"{plain}-{problem}.log"


def keep_traceback(out: Path, grading: Grading) -> Grading:
    """Writes the traceback of a grading that failed and adds a flag with its path; removes the file of an earlier run.

    Args:
        out: the folder of the results.
        grading: a result. Its flags are for staff; its messages, which students read, do not change.

    Raises:
        SetupError: the file cannot be written.
    """
    log = grading.log
    path = fault_file(out, log.student, log.problem)
    if not grading.traceback:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return grading
    write_atomically(path, grading.traceback)
    where = f"The traceback is in {path.relative_to(out).as_posix()} in the folder of the results."
    flags = tuple(
        Flag(flag.kind, f"{flag.message} {where}") if flag.kind == FlagKind.GRADER_ERROR else flag for flag in log.flags
    )
    return replace(grading, log=replace(log, flags=flags))
