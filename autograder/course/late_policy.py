"""The penalty for late submissions, and the sentence about it for the student."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.course.config import Course


@dataclass(frozen=True)
class LatePolicy:
    """The penalty for late submissions."""

    grace_minutes: float = 0.0
    """Lateness up to this many minutes costs nothing."""
    percent_per_day: float = 0.0
    """Percent of the score deducted for each started day."""
    last_day: int | None = None
    """A submission that is more started days late gets no points; None: no such limit."""

    def days_late(self, seconds_late: float) -> int:
        """Number of started days late; 0 within the grace time."""
        return 0 if seconds_late <= self.grace_minutes * 60 else math.ceil(seconds_late / 86_400)

    def is_too_late(self, days: int) -> bool:
        """Returns whether a submission that is so many started days late gets no points."""
        return self.last_day is not None and days > max(0, self.last_day)

    def percent(self, days: int) -> float:
        """Percent of the score that so many started days cost; at most 100."""
        return 100.0 if self.is_too_late(days) else min(100.0, self.percent_per_day * days)

    def penalty(self, score: float, seconds_late: float) -> float:
        """Points deducted from `score` if a submission is `seconds_late` seconds late; between 0 and `score`."""
        return max(0.0, score) * self.percent(self.days_late(seconds_late)) / 100


def late_note(course: Course | None, problem: str, student: str, submitted_at: datetime | None) -> str:
    """A sentence for the student on the penalty of a late submission; empty if there is no penalty.

    The score in the log stays unchanged.

    Args:
        course: with due dates, extensions and the late policy; if None, no submission is late.
        problem: problem id; a problem in no homework has no due date.
        student: student id.
        submitted_at: the submission time, with time zone; None if unknown.
    """
    if course is None or submitted_at is None or problem not in course.problems:
        return ""
    policy = course.late_policy
    days = policy.days_late((submitted_at - course.due(problem, student)).total_seconds())
    late = f"Submitted {days} day{'s' if days > 1 else ''} late (each started day counts)"
    if policy.is_too_late(days):
        last = policy.last_day
        return f"{late}: submissions more than {last} days late get no points, so the score above does not count."
    percent = policy.percent(days)
    return (
        f"{late}: {percent:g} % of the points are deducted. The score above does not include this." if percent else ""
    )
