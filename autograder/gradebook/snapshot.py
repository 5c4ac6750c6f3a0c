"""Keeps the gradebook's rows of one problem as plain JSON, and brings the tests' part of them back.

Manual scores and comments that graders gave meanwhile are never taken back: they belong to people.
"""

from __future__ import annotations

from typing import Any

from autograder.gradebook.own_tables import TESTED_WITH, forget, note
from autograder.gradebook.rows import class_rows
from autograder.gradebook.tested import tested_with
from autograder.gradebook.worth import graded_with, restore_graded_with


def snapshot(gradebook: Any, problem_id: str) -> dict[str, Any]:
    """The rows of nbgrader's open `Gradebook`: student → scores, comments, penalty, the items' worth and tests."""
    worth, tests = graded_with(gradebook, problem_id), tested_with(gradebook, problem_id)
    return {
        student: {
            "penalty": rows.penalty,
            "grades": {cell: list(grade) for cell, grade in sorted(rows.grades.items())},
            "comments": {cell: list(comments) for cell, comments in sorted(rows.comments.items())},
            "worth": worth.get(student),
            "tests": tests.get(student),
        }
        for student, rows in sorted(class_rows(gradebook, problem_id).items())
    }


def restore(gradebook: Any, problem_id: str, kept: dict[str, Any]) -> list[str]:
    """Brings back scores of tests, comments of tests and penalties of these rows; returns sentences on what it left.

    Students who have rows now but not in `kept` are removed, unless a grader gave them points or comments.
    """
    left = []
    for student, rows in class_rows(gradebook, problem_id).items():
        if student in kept:
            _restore_one(gradebook, problem_id, student, kept[student])
        elif rows.given:
            left.append(f"{student} stays in the gradebook: a grader gave points or comments")
        else:
            gradebook.remove_submission(problem_id, student)
            forget(gradebook, problem_id, student)
    restore_graded_with(gradebook, problem_id, {student: one["worth"] for student, one in kept.items()})
    note(gradebook, TESTED_WITH, problem_id, {student: one.get("tests") for student, one in kept.items()})
    gradebook.db.commit()
    absent = sorted(kept.keys() - class_rows(gradebook, problem_id).keys())
    return [*left, *(f"{student} is not in the gradebook any more; grade again" for student in absent)]


def _restore_one(gradebook: Any, problem_id: str, student: str, kept: dict[str, Any]) -> None:
    notebook = gradebook.find_submission_notebook(problem_id, problem_id, student)
    for grade in notebook.grades:
        if grade.name not in kept["grades"]:
            continue
        auto, manual, _, needs = kept["grades"][grade.name]
        grade.auto_score = auto
        is_graded_since = grade.manual_score is not None and grade.manual_score != manual
        grade.needs_manual_grade = bool(needs) and not is_graded_since
    for comment in notebook.comments:
        if comment.name in kept["comments"]:
            comment.auto_comment = kept["comments"][comment.name][0]
    notebook.late_submission_penalty = kept["penalty"]
