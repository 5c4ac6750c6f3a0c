"""Reads a class's grades from the gradebook: points, open manual grading, submission times, curves, late penalties.

Curve and late penalty are computed here from the current points: the gradebook's number may be older than manual scores
that were given in nbgrader's form grader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autograder.core.errors import SourceError
from autograder.course.config import Course
from autograder.course.problem import load_problem
from autograder.gradebook.rows import Rows, class_rows, item_of


@dataclass(frozen=True)
class Account:
    """A student in the gradebook."""

    id: str
    """The name of the student's submission folder."""
    email: str
    """Empty unless staff entered it in the gradebook."""
    lms_user_id: str
    """Id on the course platform; empty unless staff entered it."""


@dataclass(frozen=True)
class Score:
    """One student's score for one problem."""

    student: str
    problem: str
    points: tuple[tuple[str, float], ...]
    """Item id → points so far, with manual scores and extra credit; in the order of the notebook."""
    max_score: float
    waiting: tuple[str, ...]
    """Ids of the items that need manual grading."""
    submitted_at: datetime | None
    """Submission time in UTC; None if unknown."""
    seconds_late: float
    """Seconds after the due date with this student's extension; 0 if in time."""
    penalty: float
    """Points that the late policy deducts from `score` and `curve`."""
    comments: tuple[tuple[str, str], ...] = ()
    """Item id → what a grader wrote, with the rubric in it (`core.rubric_lines`); in the order of the notebook."""
    curve: float = 0.0
    """Points that the course's curve adds."""

    @property
    def score(self) -> float:
        """Points of all items so far, before curve and late penalty; never negative."""
        return max(0.0, sum(points for _, points in self.points))

    @property
    def final(self) -> float:
        """The score with the curve, minus the late penalty; never negative."""
        return max(0.0, self.score + self.curve - self.penalty)


@dataclass(frozen=True)
class Grades:
    """The grades of all students."""

    accounts: tuple[Account, ...]
    """Sorted by id."""
    items: Mapping[str, tuple[tuple[str, float], ...]]
    """Problem → (item id, maximum points) in the order of the notebook, for every problem in the gradebook."""
    scores: Mapping[tuple[str, str], Score]
    """(Student, problem) → score, for recorded submissions."""

    def max_score(self, problem: str) -> float:
        """Maximum points of a problem."""
        return sum(points for _, points in self.items[problem])


def read_grades(gradebook: Any, course: Course) -> Grades:
    """Reads all that exports need from nbgrader's open `Gradebook`, with a few database queries per problem."""
    from nbgrader.api import Assignment, GradeCell, Notebook, Student

    rows = gradebook.db.query(Student.id, Student.email, Student.lms_user_id)
    accounts = tuple(Account(str(row[0]), row[1] or "", row[2] or "") for row in sorted(rows, key=lambda row: row[0]))
    worth: dict[str, dict[str, float]] = {str(name): {} for (name,) in gradebook.db.query(Assignment.name)}
    cells = (
        gradebook.db.query(Assignment.name, GradeCell.name, GradeCell.max_score)
        .join(Notebook, GradeCell.notebook_id == Notebook.id)
        .join(Assignment, Notebook.assignment_id == Assignment.id)
    )
    for problem, cell, most in cells:
        worth[problem][item_of(cell)] = float(most or 0.0)
    items = {problem: _in_order(course, problem, found) for problem, found in sorted(worth.items())}
    scores = {
        (student, problem): _score(course, student, problem, items[problem], rows)
        for problem in items
        for student, rows in class_rows(gradebook, problem).items()
    }
    return Grades(accounts, items, scores)


def _in_order(course: Course, problem: str, worth: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Items in the order of the notebook; items that are no longer in the source come last."""
    try:
        order = [item.id for item in load_problem(problem, course.root).items]
    except SourceError:
        order = []
    place = {item: number for number, item in enumerate(order)}
    return tuple(sorted(worth.items(), key=lambda pair: (place.get(pair[0], len(order)), pair[0])))


def _score(course: Course, student: str, problem: str, items: tuple[tuple[str, float], ...], rows: Rows) -> Score:
    written = {item: str(manual) for item, (_, manual) in rows.comments.items() if manual}
    points = {item_of(grade_id): grade.points for grade_id, grade in rows.grades.items()}
    waiting = {item_of(grade_id) for grade_id, grade in rows.grades.items() if grade.needs_grading}
    score = max(0.0, sum(points.values()))
    at = rows.submitted_at
    late = 0.0
    if at is not None and problem in course.problems:
        late = max(0.0, (at - course.due(problem, student)).total_seconds())
    most = sum(worth for _, worth in items)
    curve, penalty = course.curve_and_penalty(problem, score, most, late)
    return Score(
        student,
        problem,
        tuple((item, points.get(item, 0.0)) for item, _ in items),
        most,
        tuple(item for item, _ in items if item in waiting),
        at,
        late,
        penalty,
        tuple((item, written[item]) for item, _ in items if item in written),
        curve,
    )
