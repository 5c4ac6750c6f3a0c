"""The feedback page of one student, with what the course adds to the log: curve, late penalty, regrade requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from autograder.core.results import GradedLog
from autograder.course.config import Course
from autograder.course.curve import curve_note
from autograder.course.late_policy import late_note
from autograder.course.problem import Problem
from autograder.course.regrades import Regrade, of_student
from autograder.feedback.page import feedback_html


def student_page(
    log: GradedLog, problem: Problem, course: Course | None, submitted_at: datetime | None, regrades: Sequence[Regrade]
) -> str:
    """Builds the page.

    Args:
        log: the student's graded log.
        problem: the problem.
        course: for curve and late penalty; None if it cannot be used.
        submitted_at: the submission time, with time zone; None if unknown.
        regrades: the course's regrade requests.
    """
    notes = (curve_note(course, log), late_note(course, problem.id, log.student, submitted_at))
    own = of_student(regrades, log.student, problem.id)
    return feedback_html(log, problem, counts=" ".join(filter(None, notes)), regrades=own)
