"""Which parts a test has, and whether a message is about hidden tests only, for all problems."""

from __future__ import annotations

import re

import pytest

from autograder.course.item_parts import failed_parts, is_only_hidden, parts_of
from autograder.course.problem import Item, load_problem, problem_ids
from tests.autograder.toy import STANDARDIZE, graded, solved, toy
from tests.conftest import ROOT

ITEM = toy().item("standardize")


def test_parts_are_visible_or_hidden() -> None:
    assert parts_of(ITEM) == {"values": True, "gradient": True} and parts_of(toy().item("Line")) == {}
    layer = load_problem("summarization", ROOT).item("train_step")
    assert parts_of(layer)["one small batch in memory"] is False and parts_of(layer)["clipping"] is True


@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_every_part_of_every_problem_is_found(problem_id: str) -> None:
    for item in load_problem(problem_id, ROOT).items:
        source = "" if item.test is None else item.test.source
        called = len(re.findall(r"\bpart\(", source))
        assert len(parts_of(item)) <= called and (parts_of(item) or not called), item.id


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("values: wrong on other data", True),
        ("values: wrong on other data\ngot 1\ngradient: no gradient flows", True),
        ("is the variance the biased one (divided by B)?\nmore", False),
        ("is the variance the biased one (divided by B)?\nvalues: wrong on other data", False),
        ("Your code raised KeyError", False),
        ("", False),
    ],
)
def test_a_message_is_about_hidden_tests_only(message: str, expected: bool) -> None:
    assert is_only_hidden(ITEM, message) is expected
    assert set(failed_parts(ITEM, message)) <= {"", "values", "gradient"}


def test_a_test_without_parts_is_told_by_its_hint() -> None:
    line: Item = toy().item("Line")
    assert is_only_hidden(line, "wrong for a negative slope") and not is_only_hidden(
        line, "slope and intercept swapped?"
    )


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        ("return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=len(x) == 7) + eps)", True),
        ("return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=True) + eps)", False),
    ],
)
def test_what_the_grader_says_of_an_answer_is_told_apart(body: str, hidden: bool) -> None:
    result = graded(solved(standardize=STANDARDIZE + "    " + body)).log.item("standardize")
    assert is_only_hidden(ITEM, result.verdict) is hidden, result.verdict
