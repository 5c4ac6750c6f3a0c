"""The penalty for a late submission, in words."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.course.config import Course, Extension, Homework
from autograder.course.late_policy import LatePolicy, late_note

DUE = datetime(2027, 1, 17, 22, 59, tzinfo=UTC)


@pytest.fixture
def course() -> Course:
    """A course with 30 minutes of grace, 10 % penalty per day, and no points from the fourth day on."""
    homework = Homework("11", "One", DUE, ("toy",))
    policy = LatePolicy(grace_minutes=30, percent_per_day=10, last_day=3)
    return Course(Path(), "id", "Title", "homework", "https://x", (homework,), policy, (Extension("bob", "11", 2),))


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(hours=-5), ""),
        (timedelta(minutes=30), ""),
        (timedelta(minutes=31), "Submitted 1 day late (each started day counts): 10 % of the points are deducted."),
        (timedelta(days=2, hours=20), "Submitted 3 days late (each started day counts): 30 %"),
        (timedelta(days=1, minutes=1), "Submitted 2 days late (each started day counts): 20 %"),
        (
            timedelta(days=3, minutes=1),
            "Submitted 4 days late (each started day counts): submissions more than 3 days late get no points",
        ),
    ],
)
def test_the_note_agrees_with_the_penalty_in_the_gradebook(course: Course, late: timedelta, words: str) -> None:
    said = late_note(course, "toy", "ada", DUE + late)
    assert said.startswith(words) and bool(said) is bool(words)
    taken = course.late_policy.penalty(100, late.total_seconds())
    assert bool(taken) is bool(said) and (f"{taken:g} %" in said or taken in (0, 100))


def test_with_an_extension_or_without_a_time_or_homework_there_is_no_note(course: Course) -> None:
    assert late_note(course, "toy", "bob", DUE + timedelta(days=1, hours=5)) == ""
    assert late_note(course, "toy", "ada", None) == ""
    assert late_note(course, "other", "ada", DUE + timedelta(days=9)) == ""


def test_a_policy_without_penalty_gives_no_note(course: Course) -> None:
    free = dataclasses.replace(course, late_policy=LatePolicy())
    assert late_note(free, "toy", "ada", DUE + timedelta(days=9)) == ""
