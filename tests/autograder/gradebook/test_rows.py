"""The rows of a submission in the gradebook: they are written again only if they are not right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autograder.core.results import ItemResult, Status
from autograder.course.config import load_course
from autograder.gradebook.rows import Points, Rows
from tests.autograder.graded_folder import log_of
from tests.autograder.toy import ROOT

NOON = datetime(2027, 1, 20, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
ITEMS = (
    ItemResult("standardize", 12.0, 12.0, Status.PASSED, "All checks passed."),
    ItemResult("Line", 4.0, 8.0, Status.PARTIAL, "look at the slope"),
    ItemResult("written_units", 0.0, 5.0, Status.MANUAL, "", manual=True),
)
LOG = log_of("bela", items=ITEMS)
COURSE = load_course(ROOT)


GRADES = {
    "test_standardize": Points(12.0, None, None, False),
    "test_Line": Points(4.0, None, None, False),
    "written_units": Points(None, None, None, True),
}
COMMENTS: dict[str, tuple[str | None, str | None]] = {"standardize": (None, None), "Line": ("look at the slope", None)}
ROWS = Rows(NAIVE, None, NAIVE + timedelta(days=1), None, GRADES, COMMENTS)
"""Rows that agree with the log."""


def with_grade(name: str, *row: Any) -> Rows:
    """The rows with another grade."""
    return replace(ROWS, grades={**GRADES, name: Points(*row)})


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (ROWS, True),
        (with_grade("written_units", None, 3.0, None, False), True),
        (with_grade("written_units", None, 3.0, None, True), False),
        (with_grade("written_units", 2.0, None, None, True), False),
        (with_grade("test_Line", 8.0, None, None, False), False),
        (with_grade("test_Line", None, None, None, False), False),
        (with_grade("test_Line", 4.0, 8.0, 1.0, False), True),
        (with_grade("test_new", 0.0, None, None, False), False),
        (replace(ROWS, grades={name: GRADES[name] for name in ("test_standardize", "written_units")}), False),
        (replace(ROWS, comments={"Line": (None, None)}), False),
        (replace(ROWS, comments={"Line": ("look at the slope", "yes")}), True),
        (replace(ROWS, timestamp=NAIVE - timedelta(seconds=1)), False),
        (replace(ROWS, timestamp=None), False),
        (replace(ROWS, extension=timedelta(days=2)), False),
        (replace(ROWS, penalty=1.6), False),
        (replace(ROWS, due=NAIVE - timedelta(hours=3), penalty=1.6), True),
        (replace(ROWS, due=NAIVE - timedelta(hours=3)), False),
    ],
)
def test_rows_that_differ_from_the_log_are_found(found: Rows, same: bool) -> None:
    assert found.equal(LOG, COURSE, NOON) is same


def test_manual_scores_extra_credit_and_comments_are_read() -> None:
    grades = {"test_Line": Points(4.0, None, 0.5, False), "written_units": Points(None, 3.0, None, False)}
    comments: dict[str, tuple[str | None, str | None]] = {"Line": (None, "well tried"), "standardize": (None, "why?")}
    given = replace(ROWS, grades=grades, comments=comments).given
    assert given == {"Line": (4.5, "well tried"), "written_units": (3.0, ""), "standardize": (None, "why?")}
