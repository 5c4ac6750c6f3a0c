"""What the gradebook says of a class: a submission whose rows are right is not written again, any other is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.config import load_course
from autograder.gradebook.rows import Points, Rows

NOON = datetime(2027, 1, 20, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
ITEMS = (
    ItemResult("standardize", 12.0, 12.0, Status.PASSED, "All checks passed."),
    ItemResult("Line", 4.0, 8.0, Status.PARTIAL, "look at the slope"),
    ItemResult("written_units", 0.0, 5.0, Status.MANUAL, "", manual=True),
)
LOG = GradedLog("toy", "bela", "", "grade", {}, {}, {}, {}, None, Outcome.GRADED, ITEMS)


def rows(**changes: object) -> Rows:
    """Rows that say what the log says, some of them changed."""
    grades: dict[str, Points] = {
        "test_standardize": Points(12.0, None, None, False),
        "test_Line": Points(4.0, None, None, False),
        "written_units": Points(None, None, None, True),
    }
    comments: dict[str, tuple[str | None, str | None]] = {
        "standardize": (None, None),
        "Line": ("look at the slope", None),
    }
    found = Rows(NAIVE, None, NAIVE + timedelta(days=1), None, grades, comments)
    return replace(found, **changes)  # type: ignore[arg-type]


def with_grade(name: str, row: Points) -> Rows:
    """The rows with another grade."""
    return rows(grades={**rows().grades, name: row})


@pytest.fixture
def toy_root(root: Path) -> Path:
    """The course of the tests."""
    return root / "tests" / "autograder" / "fixture_course"


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (rows(), True),
        (with_grade("written_units", Points(None, 3.0, None, False)), True),
        (with_grade("written_units", Points(None, 3.0, None, True)), False),
        (with_grade("written_units", Points(2.0, None, None, True)), False),
        (with_grade("test_Line", Points(8.0, None, None, False)), False),
        (with_grade("test_Line", Points(None, None, None, False)), False),
        (with_grade("test_Line", Points(4.0, 8.0, 1.0, False)), True),
        (with_grade("test_new", Points(0.0, None, None, False)), False),
        (rows(comments={"Line": (None, None)}), False),
        (rows(comments={"Line": ("look at the slope", "yes")}), True),
        (rows(timestamp=NAIVE - timedelta(seconds=1)), False),
        (rows(timestamp=None), False),
        (rows(extension=timedelta(days=2)), False),
        (rows(penalty=1.6), False),
        (rows(due=NAIVE - timedelta(hours=3), penalty=1.6), True),
        (rows(due=NAIVE - timedelta(hours=3)), False),
    ],
)
def test_rows_that_differ_are_seen(found: Rows, same: bool, toy_root: Path) -> None:
    assert found.equal(LOG, load_course(toy_root), NOON) is same


def test_an_item_that_the_gradebook_lacks_is_seen(toy_root: Path) -> None:
    grades = {name: row for name, row in rows().grades.items() if name != "test_Line"}
    assert not rows(grades=grades).equal(LOG, load_course(toy_root), NOON)


def test_what_people_gave() -> None:
    grades = {"test_Line": Points(4.0, None, 0.5, False), "written_units": Points(None, 3.0, None, False)}
    comments = {"Line": (None, "well tried"), "standardize": (None, "why?")}
    given = rows(grades=grades, comments=comments).given
    assert given == {"Line": (4.5, "well tried"), "written_units": (3.0, ""), "standardize": (None, "why?")}
