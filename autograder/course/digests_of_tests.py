"""Compares the tests with which items were graded with those of the source, by their digests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from autograder.core.results import ItemResult
from autograder.course.problem import Item, Problem


def digests(items: Iterable[ItemResult | Item]) -> dict[str, str]:
    """Item id → digest of its test, where it is known."""
    return {item.id: item.test_digest for item in items if item.test_digest}


def changed_items(problem: Problem, tested: Mapping[str, str]) -> list[str]:
    """The items whose tests or solutions are others now.

    Args:
        problem: the problem.
        tested: item id → digest of the test with which it was graded; items that are not known are left out.
    """
    now = digests(problem.items)
    return [item for item in now if tested.get(item, now[item]) != now[item]]
