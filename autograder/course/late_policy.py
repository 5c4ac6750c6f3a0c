"""A sentence for the student on the late penalty. The score in the log stays unchanged."""

from __future__ import annotations

from datetime import datetime

from autograder.course.config import Course


def late_note(course: Course | None, problem: str, student: str, submitted_at: datetime | None) -> str:
    """A sentence on the penalty of a late submission; empty if there is no penalty.

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
    if days and policy.last_day is not None and days > policy.last_day:
        last = policy.last_day
        return f"{late}: submissions more than {last} days late get no points, so the score above does not count."
    percent = min(100.0, policy.percent_per_day * days)
    return (
        f"{late}: {percent:g} % of the points are deducted. The score above does not include this." if percent else ""
    )
