"""Grades one item quickly: its test ends at the first lost part, and tests of one problem share its warm process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import pytest

from autograder.batch.one_item import grade_item
from autograder.core.results import ItemResult
from autograder.course.problem import Problem
from autograder.grading import item_test, verdict


def together(cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Parameters of tests whose first value is a problem or its id; those of one problem run one after the other.

    The process that `grade_item` keeps for a problem is then made once.
    """

    def name(problem: Problem | str) -> str:
        return problem if isinstance(problem, str) else problem.id

    return [pytest.param(*case, marks=pytest.mark.xdist_group(f"answers to {name(case[0])}")) for case in cases]


def graded(problem: Problem, item: str, answer: str) -> ItemResult:
    """The result of the item whose solution cell has this source; no points as soon as a part of the test fails."""
    with (
        patch.object(item_test, "recording", lambda: contextlib.nullcontext([])),
        patch.object(verdict, "weights_of", lambda item: {}),
    ):
        return grade_item(problem, item, answer, seed="of the tests")
