"""Reads and writes the gradebook's rows: the points and comments of submissions.

Recording one submission takes tens of database queries, reading a whole class takes three: so submissions that are
recorded already are skipped (`Rows.equal`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from autograder.core.errors import CourseError
from autograder.core.results import GradedLog, ItemResult, Status, clamped
from autograder.course.config import Course

SAME = 1e-9
"""Two roundings of one number may differ by this many points."""


def item_of(grade_id: str) -> str:
    """The item of a graded cell: `test_sample_gaussian` → `sample_gaussian`; `written_terms` is unchanged."""
    return grade_id.removeprefix("test_")


def auto_score(item: ItemResult | None) -> float | None:
    """The automatic points of an item: None while it needs manual grading, 0 where there is no verdict."""
    if item is None:
        return 0.0
    return None if item.status is Status.MANUAL else clamped(item.score, item.max_score)


def auto_comment(item: ItemResult | None) -> str | None:
    """The examiner's comment on an item in the form grader; None if the item passed or is graded by hand."""
    if item is None or item.status in (Status.MANUAL, Status.PASSED):
        return None
    return item.message or None


class Points(NamedTuple):
    """The points of one row."""

    auto: float | None
    manual: float | None
    extra: float | None
    needs_grading: bool
    """Whether it needs manual grading."""

    @property
    def points(self) -> float:
        """The points that count: manual ones before automatic ones, and extra credit."""
        return _number(self.auto if self.manual is None else self.manual) + _number(self.extra)


def _number(value: float | None) -> float:
    return float(value) if value is not None and math.isfinite(value) else 0.0


@dataclass
class Rows:
    """The gradebook's rows of one student for one problem."""

    timestamp: datetime | None
    """Submission time, UTC without time zone."""
    extension: timedelta | None
    due: datetime | None
    penalty: float | None
    """What nbgrader deducts from the points: the late penalty minus what a curve adds."""
    grades: dict[str, Points] = field(default_factory=dict)
    """Grade id → points."""
    comments: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Item id → automatic comment, manual comment."""

    @property
    def submitted_at(self) -> datetime | None:
        """Submission time, with time zone."""
        return None if self.timestamp is None else self.timestamp.replace(tzinfo=UTC)

    @property
    def given(self) -> dict[str, tuple[float | None, str]]:
        """Manual scores and comments: item id → (points, or None if only a comment; comment, or empty)."""
        found: dict[str, tuple[float | None, str]] = {
            item_of(name): (grade.points, "")
            for name, grade in self.grades.items()
            if grade.manual is not None or grade.extra
        }
        for name, (_, comment) in self.comments.items():
            if comment:
                found[name] = (found.get(name, (None, ""))[0], str(comment))
        return found

    def equal(self, log: GradedLog, course: Course, submitted_at: datetime | None) -> bool:
        """Whether the rows equal what recording this log would write, provided its written answers did not change."""
        results = {item.id: item for item in log.items}
        for name, grade in self.grades.items():
            score = auto_score(results.get(item_of(name)))
            if (score is None) != (grade.auto is None) or abs((grade.auto or 0.0) - (score or 0.0)) > SAME:
                return False
            if grade.needs_grading != (score is None and grade.manual is None):
                return False
        if any(auto != auto_comment(results.get(name)) for name, (auto, _) in self.comments.items()):
            return False
        graded = {item_of(name) for name in self.grades}
        if graded != set(results) or not self._is_late_as(log, course, submitted_at):
            return False
        return abs(self.deduction(course, log.problem, log.max_score) - (self.penalty or 0.0)) <= SAME

    def _is_late_as(self, log: GradedLog, course: Course, submitted_at: datetime | None) -> bool:
        if log.problem not in course.problems:
            return True
        days = course.extension_days(log.problem, log.student)
        moment = self.timestamp if submitted_at is None else submitted_at.astimezone(UTC).replace(tzinfo=None)
        return moment == self.timestamp and (self.extension or timedelta()) == timedelta(days=days)

    def deduction(self, course: Course, problem: str, max_score: float) -> float:
        """The late penalty for the points of these rows, minus what a curve adds; negative if the curve adds more.

        Args:
            problem: the problem of these rows.
            max_score: the problem's maximum.
        """
        late = 0.0
        if self.timestamp is not None and self.due is not None:
            late = (self.timestamp - self.due - (self.extension or timedelta())).total_seconds()
        score = sum(grade.points for grade in self.grades.values())
        curve, penalty = course.curve_and_penalty(problem, score, max_score, late)
        return penalty - curve


def class_rows(gradebook: Any, problem: str) -> Mapping[str, Rows]:
    """Returns student → rows of nbgrader's open `Gradebook`, for every student who has rows for this problem."""
    from nbgrader.api import Assignment, BaseCell, Comment, Grade, SubmittedAssignment, SubmittedNotebook

    submitted = (
        gradebook.db.query(
            SubmittedNotebook.id,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
            Assignment.duedate,
            SubmittedNotebook.late_submission_penalty,
        )
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .filter(Assignment.name == problem)
    )
    found = {notebook: (student, Rows(*times)) for notebook, student, *times in submitted}
    grades = gradebook.db.query(
        Grade.notebook_id,
        BaseCell.name,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
    ).join(BaseCell, Grade.cell_id == BaseCell.id)
    for notebook, name, auto, manual, extra, needs_grading in grades:
        if notebook in found:
            found[notebook][1].grades[name] = Points(auto, manual, extra, bool(needs_grading))
    comments = gradebook.db.query(
        Comment.notebook_id, BaseCell.name, Comment.auto_comment, Comment.manual_comment
    ).join(BaseCell, Comment.cell_id == BaseCell.id)
    for notebook, name, automatic, manual in comments:
        if notebook in found:
            found[notebook][1].comments[name] = (automatic, manual)
    return dict(found.values())


def rows_of(notebook: Any) -> Rows:
    """The points and comments of one submission, nbgrader's `SubmittedNotebook`."""
    grades = {
        grade.name: Points(grade.auto_score, grade.manual_score, grade.extra_credit, bool(grade.needs_manual_grade))
        for grade in notebook.grades
    }
    comments = {comment.name: (comment.auto_comment, comment.manual_comment) for comment in notebook.comments}
    submission = notebook.assignment
    times = (submission.timestamp, submission.extension, submission.assignment.duedate)
    return Rows(*times, notebook.late_submission_penalty, grades, comments)


def write_scores(gradebook: Any, log: GradedLog, settled: frozenset[str] = frozenset()) -> None:
    """Writes one submission's results through nbgrader's open `Gradebook`.

    Every autograded row gets its explicit score, or 0 where there is no verdict. An item that is graded by hand gets no
    automatic score and is marked as needing manual grading, unless it is `settled` (its answer already has points).

    Args:
        settled: grade ids of manual answers that did not change since the last recording.

    Raises:
        CourseError: the gradebook does not know the problem, or one of its items.
    """
    from nbgrader.api import MissingEntry
    from sqlalchemy.exc import SAWarning

    try:
        gradebook.find_notebook(log.problem, log.problem)
    except MissingEntry:
        raise CourseError(
            f"the gradebook does not know {log.problem!r}; run `autograder release {log.problem}`."
        ) from None
    gradebook.update_or_create_student(log.student)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader builds the rows of a submission before it adds them
        gradebook.update_or_create_submission(log.problem, log.student)
    notebook = gradebook.find_submission_notebook(log.problem, log.problem, log.student)
    results = {item.id: item for item in log.items}
    unknown = results.keys() - {item_of(grade.name) for grade in notebook.grades}
    if unknown:
        raise CourseError(
            f"the gradebook does not know these items of {log.problem!r}: {', '.join(sorted(unknown))}. Were they "
            f"added or renamed after the last `autograder release {log.problem}`? Release again, or restore the old "
            "names: manual scores belong to the old items."
        )
    for grade in notebook.grades:
        score = auto_score(results.get(item_of(grade.name)))
        grade.auto_score = score
        is_read = grade.manual_score is not None and not grade.needs_manual_grade and grade.name in settled
        grade.needs_manual_grade = score is None and not is_read
    for comment in notebook.comments:
        comment.auto_comment = auto_comment(results.get(comment.name))
    gradebook.db.commit()
