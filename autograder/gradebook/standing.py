"""Reads the gradebook's rows of a class for one problem, so that submissions that are recorded already are skipped.

Recording one submission takes tens of database queries; reading a whole class takes three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from autograder.core.results import GradedLog
from autograder.course.config import Course
from autograder.gradebook.points import auto_comment, auto_score, clamped, item_of

_SAME = 1e-9
"""Two roundings of one number may differ by this many points."""


@dataclass
class Standing:
    """The gradebook's rows of one student for one problem."""

    timestamp: datetime | None
    """Submission time, UTC without time zone."""
    extension: timedelta | None
    due: datetime | None
    penalty: float | None
    grades: dict[str, tuple[float | None, float | None, float | None, bool]] = field(default_factory=dict)
    """Grade id → automatic points, manual points, extra credit, whether it needs manual grading."""
    comments: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Item id → automatic comment, manual comment."""

    @property
    def given(self) -> dict[str, tuple[float | None, str]]:
        """Manual scores and comments; see `database.manual_points`."""
        found: dict[str, tuple[float | None, str]] = {}
        for name, (auto, manual, extra, _) in self.grades.items():
            if manual is not None or extra:
                own = auto if manual is None else manual
                found[item_of(name)] = (float(own or 0.0) + float(extra or 0.0), "")
        for name, (_, comment) in self.comments.items():
            if comment:
                found[name] = (found.get(name, (None, ""))[0], str(comment))
        return found

    def says(self, log: GradedLog, course: Course, handed_in_at: datetime | None) -> bool:
        """Whether the rows equal what recording this log would write, provided its written answers did not change."""
        results = {item.id: item for item in log.items}
        for name, (auto, manual, _, waits) in self.grades.items():
            item = results.get(item_of(name))
            wanted = auto_score(item)
            if (wanted is None) != (auto is None) or (auto is not None and abs(auto - (wanted or 0.0)) > _SAME):
                return False
            if waits != (wanted is None and manual is None):
                return False
        if any(auto != auto_comment(results.get(name)) for name, (auto, _) in self.comments.items()):
            return False
        graded = {item_of(name) for name in self.grades}
        return graded == set(results) and self._is_late_as(log, course, handed_in_at)

    def _is_late_as(self, log: GradedLog, course: Course, handed_in_at: datetime | None) -> bool:
        if log.problem not in course.problems:
            return True
        days = course.extension_days(log.problem, log.student)
        moment = self.timestamp if handed_in_at is None else handed_in_at.astimezone(UTC).replace(tzinfo=None)
        if moment != self.timestamp or (self.extension or timedelta()) != timedelta(days=days):
            return False
        late = 0.0
        if self.timestamp is not None and self.due is not None:
            late = max(0.0, (self.timestamp - self.due - (self.extension or timedelta())).total_seconds())
        score = sum(
            float((auto if manual is None else manual) or 0.0) + float(extra or 0.0)
            for auto, manual, extra, _ in self.grades.values()
        )
        return abs(clamped(course.late_policy.penalty(score, late), score) - (self.penalty or 0.0)) <= _SAME


def standings(gradebook: Any, problem: str) -> Mapping[str, Standing]:
    """Returns student → rows of the gradebook, for every student who has rows for this problem.

    Args:
        gradebook: nbgrader's `Gradebook`, open.
        problem: problem id.
    """
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
    found = {row[0]: (row[1], Standing(row[2], row[3], row[4], row[5])) for row in submitted}
    grades = gradebook.db.query(
        Grade.notebook_id,
        BaseCell.name,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
    ).join(BaseCell, Grade.cell_id == BaseCell.id)
    for notebook, name, auto, manual, extra, waits in grades:
        if notebook in found:
            found[notebook][1].grades[name] = (auto, manual, extra, bool(waits))
    comments = gradebook.db.query(
        Comment.notebook_id, BaseCell.name, Comment.auto_comment, Comment.manual_comment
    ).join(BaseCell, Comment.cell_id == BaseCell.id)
    for notebook, name, automatic, manual in comments:
        if notebook in found:
            found[notebook][1].comments[name] = (automatic, manual)
    return dict(found.values())
