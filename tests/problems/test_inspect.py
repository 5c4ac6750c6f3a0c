"""Rewriting a test cell for `autograder inspect` changes nothing: the solution passes all checks, wrong ones do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem, problem_ids
from autograder.course.variants import variants
from autograder.inspect.inspection import inspect_items
from autograder.inspect.subject import Subject
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import rebuild
from tests.conftest import ROOT

pytestmark = [pytest.mark.long, pytest.mark.kernel]


def subject(problem_id: str, answers: dict[str, str]) -> Subject:
    """A submission with the solution, some answers replaced."""
    problem = load_problem(problem_id, ROOT)
    notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
    rebuilt = rebuild(problem, read_cells(notebook_text(notebook).encode(), problem_id), problem_id)
    return Subject(problem, "ada", Path(), Path(), rebuilt, "ada", "of the tests", None, None, ())


@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_the_solution_passes_every_check_and_a_wrong_solution_does_not(problem_id: str) -> None:
    right = subject(problem_id, {})
    codes = [item for item in right.problem.items if item.kind == "code"]
    for one in inspect_items(right, codes):
        assert not one.failed and not one.count("skipped"), one.item.id
        assert one.count("passed") > 0 and one.first_line > 0, one.item.id
    first = {variant.item: variant for variant in reversed(variants(right.problem, "wrong"))}
    wrong = subject(problem_id, {item: variant.source for item, variant in first.items()})
    for one in inspect_items(wrong, [item for item in codes if item.id in first]):
        assert bool(one.met) and one.result.score < one.result.max_score, one.item.id
        assert not any("__" in check.hint for check in one.failed), one.item.id
