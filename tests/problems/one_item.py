"""Grades one item quickly: its test ends at the first lost part."""

from __future__ import annotations

import contextlib
from unittest.mock import patch

from autograder.batch.one_item import grade_item
from autograder.core.results import ItemResult
from autograder.course.problem import Problem
from autograder.grading import item_test, verdict


def graded(problem: Problem, item: str, answer: str) -> ItemResult:
    """The result of the item whose solution cell has this source; no points as soon as a part of the test fails."""
    with (
        patch.object(item_test, "recording", lambda: contextlib.nullcontext([])),
        patch.object(verdict, "weights_of", lambda item: {}),
    ):
        return grade_item(problem, item, answer, seed="of the tests")
