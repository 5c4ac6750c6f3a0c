"""Converts explicit results to nbgrader's rows: points and comments of one item."""

from __future__ import annotations

import math

from autograder.core.results import ItemResult, Status


def item_of(grade_id: str) -> str:
    """The item of a graded cell: `test_sample_gaussian` → `sample_gaussian`; `written_terms` is unchanged."""
    return grade_id.removeprefix("test_")


def clamped(score: float, most: float) -> float:
    """A score limited to 0 up to the maximum; 0 if it is not finite."""
    return min(max(float(score), 0.0), float(most)) if math.isfinite(score) else 0.0


def auto_score(item: ItemResult | None) -> float | None:
    """The automatic points of an item: None while it needs manual grading, 0 where there is no verdict."""
    if item is None:
        return 0.0
    return None if item.status is Status.MANUAL else clamped(item.score, item.max_score)


def auto_comment(item: ItemResult | None) -> str | None:
    """The examiner's comment on an item in the form grader; None if the item passed or is graded by hand."""
    if item is None or item.status in (Status.MANUAL, Status.PASSED):
        return None
    return item.message or None
