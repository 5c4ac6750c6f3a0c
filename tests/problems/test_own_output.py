"""What is told of wrong answers to the real problems: no number of the right one, no line of a hidden test."""

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
NOBODY = GradedLog("", "ada", "2026-11-21T10:00:00Z", "grade", {}, {}, {}, {}, None, Outcome.GRADED, ())
NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:e[−+]\d+)?")


class _Text(HTMLParser):
    """The text of a page, a line for each of its pieces."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


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
    """The digits of a number that say something: `0.0120` → `12`."""
    return re.sub(r"e.*", "", word).replace("−", "").replace(".", "").strip("0")


def told(problem: Problem) -> Iterator[tuple[ItemResult, list[float]]]:
    """A result for every known wrong solution that answers, with all that is told of it, and the right numbers."""
    ours = reference(problem)
    for item in problem.items:
        for slug, names in known_misconceptions(ours, item).items() if item.kind == "code" else ():
            right = expected(ours, item, "ada")
            try:
                got = answer(ours, item, names, "ada")
            except Exception:
                continue
            lines = compare(got, right.value, right.precision)
            yield (
                ItemResult(item.id, 0.0, item.points, Status.FAILED, slug, output=lines),
                list(numbers_of(right.value)),
            )


@pytest.mark.filterwarnings("ignore:std\\(\\):UserWarning")  # one of the wrong solutions: the deviation of one number
@pytest.mark.parametrize("problem_id", PROBLEMS)
def test_no_page_gives_a_right_number_or_a_hidden_line_away(problem_id: str) -> None:
    problem = load_problem(problem_id, ROOT)
    with quiet_process():
        results = list(told(problem))
    assert len(results) > 20
    helped = 0
    pages = {}
    for result, right in results:
        helped += "what is expected" not in result.output[0]
        exact = {digits_of(f"{number:.3g}") for number in right if len(digits_of(f"{number:.3g}")) > 2}
        for word in NUMBER.findall(" ".join(result.output)):
            assert len(digits_of(word)) <= 2 or ("." not in word and digits_of(word) not in exact), (result, word)
        log = dataclasses.replace(NOBODY, problem=problem_id, items=(result,))
        pages[result.message] = "\n".join(_Text(feedback_html(log, problem)).pieces)
    assert leaks(problem, pages) == []
    assert helped > len(results) / 3, "of many wrong answers it can say what is wrong"
