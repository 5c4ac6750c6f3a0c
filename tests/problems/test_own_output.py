"""Feedback on wrong answers to the real problems shows no number of the right answer and no line of a hidden test."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.feedback.page import feedback_html
from autograder.grading.answer_diff import compare
from autograder.grading.misconceptions import answer, expected, known_misconceptions
from autograder.grading.reference import quiet_process, reference
from autograder.release.leaks import leaks
from tests.problems.run_source import ROOT

QUICK = ("vae", "rlhf")
PROBLEMS = [pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in problem_ids(ROOT)]
EMPTY = GradedLog("", "ada", "2026-11-21T10:00:00Z", "grade", {}, {}, {}, {}, None, Outcome.GRADED, ())
NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:e[−+]\d+)?")


def text_of(page: str) -> str:
    """The text of a page, a line for each of its pieces."""
    pieces: list[str] = []
    parser = HTMLParser()
    parser.handle_data = pieces.append  # type: ignore[method-assign, assignment]
    parser.feed(page)
    return "\n".join(pieces)


def numbers_of(value: Any) -> Iterator[float]:
    """The finite numbers of an answer."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from numbers_of(part)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield float(value)


def digits_of(word: str) -> str:
    """The significant digits of a number: `0.0120` → `12`."""
    return re.sub(r"e.*", "", word).replace("−", "").replace(".", "").strip("0")


def feedback_on_wrong_answers(problem: Problem) -> Iterator[tuple[ItemResult, list[float]]]:
    """A result with its feedback for every known wrong solution that gives an answer, and the right numbers."""
    ours = reference(problem)
    for item in problem.items:
        for slug, names in known_misconceptions(ours, item).items() if item.kind == "code" else ():
            right = expected(ours, item, "ada")
            try:
                got = answer(ours, item, names, "ada")
            except Exception:
                continue
            lines = compare(got, right.value, right.precision)
            result = ItemResult(item.id, 0.0, item.points, Status.FAILED, slug, output=lines)
            yield result, list(numbers_of(right.value))


@pytest.mark.filterwarnings("ignore:std\\(\\):UserWarning")  # one of the wrong solutions: the deviation of one number
@pytest.mark.parametrize("problem_id", PROBLEMS)
def test_no_page_shows_a_right_number_or_a_hidden_line(problem_id: str) -> None:
    problem = load_problem(problem_id, ROOT)
    with quiet_process():
        results = list(feedback_on_wrong_answers(problem))
    assert len(results) > 20
    helped = 0
    pages = {}
    for result, right in results:
        helped += "what is expected" not in result.output[0]
        exact = {digits_of(f"{number:.3g}") for number in right if len(digits_of(f"{number:.3g}")) > 2}
        for word in NUMBER.findall(" ".join(result.output)):
            assert len(digits_of(word)) <= 2 or ("." not in word and digits_of(word) not in exact), (result, word)
        log = dataclasses.replace(EMPTY, problem=problem_id, items=(result,))
        pages[result.message] = text_of(feedback_html(log, problem))
    assert leaks(problem, pages) == []
    assert helped > len(results) / 3, "for many wrong answers it says what is wrong"
