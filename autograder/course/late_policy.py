"""What the course's late policy takes away, in a sentence for the student. The log's score stays as it is."""

from __future__ import annotations

from datetime import datetime

from autograder.course.config import Course


def late_note(course: Course | None, problem: str, student: str, handed_in_at: datetime | None) -> str:
    """A sentence on a late hand-in; empty if it costs nothing.

    Args:
        course: with due dates, extensions and the late policy; without one nothing is late.
        problem: problem id; one of no homework has no due date.
        student: student id.
        handed_in_at: when the course platform got it, with time zone; None if nobody knows.
    """
    if course is None or handed_in_at is None or problem not in course.problems:
        return ""
    policy = course.late_policy
    days = policy.days_late((handed_in_at - course.due(problem, student)).total_seconds())
    late = f"Handed in {days} day{'s' if days > 1 else ''} late (a day that has begun counts)"
    if days and policy.last_day is not None and days > policy.last_day:
        return f"{late}: more than {policy.last_day} days late is worth nothing, so the points above do not count."
    percent = min(100.0, policy.percent_per_day * days)
    return f"{late}: {percent:g} % of the points are taken off. The score above is from before that." if percent else ""
