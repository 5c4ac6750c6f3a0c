"""Writes a student's feedback page again, so that it shows a regrade request and its decision at once."""

from __future__ import annotations

import logging
from pathlib import Path

from autograder.batch.submitted_folder import submitted_folder
from autograder.core.errors import AutograderError
from autograder.core.files import write_atomically
from autograder.core.results import GradedLog
from autograder.core.strict_json import read_json
from autograder.course.config import load_course
from autograder.course.problem import load_problem
from autograder.course.regrades import read_regrades
from autograder.feedback.student_page import student_page
from autograder.submissions.class_folder import notebook_path
from autograder.submissions.reader import LOG_NAME, read_bytes
from autograder.submissions.timestamps import submission_time_or_warning

_log = logging.getLogger("autograder")


def write_feedback_again(out: Path, student: str, problem_id: str, root: Path) -> Path | None:
    """Writes the feedback page from the recorded log; None if it cannot be written now, then the next grading does it.

    Without the submissions' folder the page is left as it is, because the late penalty is not known.

    Args:
        out: the folder that `autograder grade` wrote.
        student: the name of the student's folder.
        problem_id: problem id.
        root: the course's root folder.
    """
    submitted = submitted_folder(out, problem_id)
    folder = out / student / problem_id
    try:
        if submitted is None:
            return None
        log = GradedLog.from_json(read_json(read_bytes(folder / LOG_NAME, out)))
        submitted_at = submission_time_or_warning(notebook_path(submitted, student, problem_id).parent, _log)
        page = student_page(log, load_problem(problem_id, root), load_course(root), submitted_at, read_regrades(root))
        write_atomically(folder / "feedback.html", page)
    except (AutograderError, ValueError, KeyError, TypeError):
        return None
    return folder / "feedback.html"
