"""Curve and late policy in nbgrader's gradebook: what is deducted from a submission's points, as one number.

nbgrader knows a late penalty only, which its exports and feedback pages deduct from the score. Here it is the late
policy's penalty minus what the curve adds, so it can be negative.
"""

from __future__ import annotations

from typing import Any

from autograder.course.config import Course
from autograder.gradebook.rows import SAME, class_rows, rows_of


def write_deduction(gradebook: Any, course: Course, problem: str, student: str) -> None:
    """Writes the deduction from the points that one submission has now in nbgrader's open `Gradebook`."""
    notebook = gradebook.find_submission_notebook(problem, problem, student)
    gradebook.db.expire(notebook)  # the database computes its maximum
    gradebook.db.expire(notebook.assignment)
    now = rows_of(notebook).deduction(course, problem, float(notebook.max_score))
    notebook.late_submission_penalty = now or None
    gradebook.db.commit()


def write_deductions(gradebook: Any, course: Course, problem: str) -> None:
    """Writes the deductions of all submissions of a problem whose points or whose curve changed since."""
    max_score = float(gradebook.find_notebook(problem, problem).max_score)
    for student, rows in class_rows(gradebook, problem).items():
        if abs(rows.deduction(course, problem, max_score) - (rows.penalty or 0.0)) > SAME:
            write_deduction(gradebook, course, problem, student)
