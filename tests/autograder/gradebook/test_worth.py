"""Dropped and bonus items in nbgrader's own totals; points of graders are set aside, never lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.core.counts import Counts
from autograder.core.errors import CourseError
from autograder.core.notebook_io import graded_text
from autograder.core.results import GradedLog, Grading
from autograder.course.problem import load_problem
from autograder.gradebook.database import manual_points, opened, recording
from autograder.gradebook.snapshot import restore, snapshot
from autograder.gradebook.worth import apply_worth, require_agreement
from tests.autograder.graded_folder import log_of, with_item
from tests.autograder.toy import edit_source, released

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader builds rows before adding them


def counted(student: str, **counts: Counts) -> GradedLog:
    """The log of a student who passed all tests, some items counted otherwise."""
    log = log_of(student)
    return replace(log, items=tuple(item.counted(counts.get(item.id, Counts.NORMALLY)) for item in log.items))


def record(root: Path, *logs: GradedLog, known: bool = False) -> list[GradedLog]:
    """Records a class; returns its logs with manual scores."""
    with recording(root) as write:
        return [write(Grading(log, graded_text(released()), is_known=known)) for log in logs]


def give(root: Path, student: str, cell: str, **points: float) -> None:
    """Gives points in the form grader."""
    with opened(root) as gradebook:
        grade = gradebook.find_grade(cell, "toy", "toy", student)
        for name, number in points.items():
            setattr(grade, name, number)
        grade.needs_manual_grade = False
        gradebook.db.commit()


def totals(root: Path) -> dict[str, tuple[float, float]]:
    """Student → nbgrader's own score and maximum."""
    with opened(root) as gradebook:
        return {one.student_id: (one.score, one.max_score) for one in gradebook.assignment_submissions("toy")}


def test_nbgraders_totals_follow_and_points_come_back(course: Path) -> None:
    record(course, counted("ada"), counted("bela"))
    give(course, "ada", "written_units", manual_score=2.0, extra_credit=0.5)
    assert totals(course) == {"ada": (22.5, 25), "bela": (20, 25)}
    dropped = {"written_units": Counts.DROPPED}
    (ada,) = record(course, counted("ada", **dropped))  # bela is not graded again
    assert ada.score == 20 and ada.max_score == 22 and not ada.item("written_units").graded_by_hand
    assert totals(course) == {"ada": (20, 22), "bela": (20, 22)}
    with opened(course) as gradebook:
        assert not gradebook.find_grade("written_units", "toy", "toy", "bela").needs_manual_grade
    assert manual_points(course, "toy")("ada")["written_units"] == (2.5, "")
    bonus = {"written_units": Counts.BONUS, "Line": Counts.BONUS}
    ada, bela = record(course, counted("ada", **bonus), counted("bela", **bonus))
    assert (ada.score, ada.max_score) == (22.5, 14) and (bela.score, bela.max_score) == (20, 14)
    assert totals(course) == {"ada": (22.5, 14), "bela": (20, 14)}
    with opened(course) as gradebook:
        assert gradebook.find_grade("written_units", "toy", "toy", "bela").needs_manual_grade
        assert not gradebook.find_grade("written_units", "toy", "toy", "ada").needs_manual_grade
    record(course, counted("ada"), counted("bela"), known=True)
    assert totals(course) == {"ada": (22.5, 25), "bela": (20, 25)}


def test_dropped_tests_lose_their_manual_scores_only_for_a_while(course: Path) -> None:
    failed = with_item(log_of("ada"), "Line", score=0.0)
    record(course, failed)
    give(course, "ada", "test_Line", manual_score=6.0)
    (ada,) = record(course, failed)
    assert ada.item("Line").score == 6 and ada.item("Line").tests_score == 0
    items = (item.counted(Counts.DROPPED) if item.id == "Line" else item for item in failed.items)
    (ada,) = record(course, replace(failed, items=tuple(items)))
    assert (ada.score, ada.max_score) == (12, 17) and totals(course)["ada"] == (12, 17)
    (ada,) = record(course, failed)
    assert ada.score == 18 and manual_points(course, "toy")("ada") == {"Line": (6.0, "")}


@pytest.mark.parametrize("points", ["8", "10"])
def test_scores_for_other_points_are_refused(points: str, course: Path) -> None:
    record(course, counted("ada"), counted("bela"))
    edit_source(
        course, {'"test_Line", "locked": true, "points": 8': f'"test_Line", "locked": true, "points": {points}'}
    )
    problem = load_problem("toy", course)

    def agree() -> None:
        with opened(course) as gradebook:
            require_agreement(gradebook, problem)

    if points == "8":
        agree()
        return
    with pytest.raises(CourseError, match="Line: 8, in the source 10"):
        agree()
    with opened(course) as gradebook:
        apply_worth(gradebook, "toy", {item.id: item.worth for item in problem.items}, [])
    with pytest.raises(CourseError, match="2 submissions were graded with other points"):
        agree()
    new = [with_item(counted(student), "Line", score=10.0, max_score=10.0) for student in ("ada", "bela")]
    record(course, new[0])
    with pytest.raises(CourseError, match="1 submission was graded .*bela"):
        agree()
    record(course, new[1], known=True)
    agree()


def test_rows_come_back_and_what_people_gave_stays(course: Path) -> None:
    record(course, counted("ada"), counted("bela"))
    give(course, "ada", "written_units", manual_score=1.0)
    with opened(course) as gradebook:
        kept = snapshot(gradebook, "toy")
    record(course, *(with_item(counted(student), "Line", score=0.0) for student in ("ada", "bela", "chen", "dora")))
    give(course, "ada", "written_units", manual_score=3.0)
    give(course, "bela", "figure_loss", manual_score=2.0)
    give(course, "dora", "figure_loss", manual_score=2.0)
    with opened(course) as gradebook:
        left = restore(gradebook, "toy", kept)
    assert left == ["dora stays in the gradebook: a grader gave points or comments"]
    assert totals(course) == {"ada": (23, 25), "bela": (22, 25), "dora": (14, 25)}


def log_items(log: GradedLog) -> list[Any]:
    """The items of a log."""
    return list(log.items)


def test_a_log_with_dropped_and_bonus_items_can_be_read_again() -> None:
    log = counted("ada", Line=Counts.BONUS, written_units=Counts.DROPPED)
    again = GradedLog.from_json(log.as_json())
    assert log_items(again) == log_items(log) and again.max_score == 14 and again.score == 20
    assert again.item("written_units").with_grading_by_hand(3.0, "well said").score == 0
