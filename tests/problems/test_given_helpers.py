"""Redefining the helpers that a notebook gives to its tests changes no points, in any item whose test uses them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from autograder.batch.one_item import grade_items
from autograder.course.given_helpers import GivenHelpers, given_helpers
from autograder.course.name_analysis import names_of
from autograder.course.problem import Item, Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.release.fill import solution_answers
from tests.problems.one_item import together
from tests.problems.run_source import ROOT

LIES = {
    "always true": "\ndef {name}(*_, **__): return True\n",
    "from within": "\nglobals()['{name}'] = lambda *_, **__: 1.0\n",
    "removed": "\ndel {name}\n",
}
"""Kinds of redefinitions, below the answer."""


def cases() -> Iterator[tuple[str, str]]:
    """Each problem and item whose test uses a helper."""
    for name in problem_ids(ROOT):
        problem = load_problem(name, ROOT)
        helpers = given_helpers(problem)
        for item in problem.items:
            if helpers_of(item, helpers):
                yield name, item.id


def helpers_of(item: Item, helpers: GivenHelpers) -> frozenset[str]:
    """The helpers that an item's test uses."""
    names = None if item.test is None else names_of(item.test.source)
    return frozenset() if names is None else names.attributes & helpers.names


CASES = list(cases())


def test_there_are_items_whose_tests_use_helpers() -> None:
    assert len({name for name, _ in CASES}) >= 6


def check(name: str, item: str, lie: str, most: int) -> None:
    """The solution and so many wrong answers have the same points with helpers redefined in this way."""
    problem = load_problem(name, ROOT)
    helpers = sorted(helpers_of(problem.item(item), given_helpers(problem)))
    lies = "".join(LIES[lie].format(name=helper) for helper in helpers)
    right = solution_answers(problem)[item]
    wrong = [one.source for one in variants(problem, "wrong") if one.item == item][:most]
    expected = [problem.item(item).points, *(score(problem, item, source) for source in wrong)]
    for source, points in zip((right, *wrong), expected, strict=True):
        assert score(problem, item, f"{source}\n{lies}") == points


def score(problem: Problem, item: str, source: str) -> float:
    """The points of an answer."""
    return grade_items(problem, {item: source}, seed="helpers")[item].score


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "item"), together(CASES))
def test_points_stay_if_the_helpers_are_redefined(name: str, item: str) -> None:
    check(name, item, random.Random(item).choice(sorted(LIES)), most=0)


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize(("name", "item"), together(CASES))
@pytest.mark.parametrize("lie", LIES)
def test_points_of_wrong_answers_stay_whatever_becomes_of_the_helpers(name: str, item: str, lie: str) -> None:
    check(name, item, lie, most=2)


def test_a_students_own_function_of_a_helpers_name_is_theirs() -> None:
    problem = load_problem("rlhf", ROOT)
    own = "def length_of(values, default=0):\n    return len(values) or default\n\n\n"
    right = solution_answers(problem)["GroupedRandomSampler"]
    used = right + "\n\nassert length_of([1], default=3) == 1\n_before = GroupedRandomSampler.__len__\n"
    used += "GroupedRandomSampler.__len__ = lambda self: length_of([0] * _before(self), default=0)\n"
    assert score(problem, "GroupedRandomSampler", own + used) == problem.item("GroupedRandomSampler").points
