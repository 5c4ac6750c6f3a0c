"""Manual scores and comments in nbgrader's gradebook, as nbgrader's form grader keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.gradebook.rows import class_rows, item_of


@dataclass(frozen=True)
class ManualScore:
    """What a grader gave for one item."""

    points: float | None
    """None: no points were given."""
    comment: str = ""


def manual_scores(gradebook: Any, problem: str) -> dict[tuple[str, str], ManualScore]:
    """(student, item) → what graders gave, for every row of nbgrader's open `Gradebook`."""
    found = {}
    for student, rows in class_rows(gradebook, problem).items():
        for name, grade in rows.grades.items():
            item = item_of(name)
            comment = rows.comments.get(item, (None, None))[1] or ""
            found[student, item] = ManualScore(grade.manual, comment)
    return found


def write_manual(gradebook: Any, problem: str, student: str, item: str, given: ManualScore) -> None:
    """Writes what a grader gave for an item that is graded by hand; the caller commits.

    Raises:
        MissingEntry: of nbgrader's: the gradebook has no such row.
    """
    grade = gradebook.find_grade(item, problem, problem, student)
    grade.manual_score = given.points
    grade.needs_manual_grade = given.points is None and grade.auto_score is None
    gradebook.find_comment(item, problem, problem, student).manual_comment = given.comment or None
