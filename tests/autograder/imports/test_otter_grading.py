"""Imported assignments of otter, in both formats: linted, released without secrets, and graded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from autograder.cli.check import check, failures
from autograder.core.notebook_io import notebook_text
from autograder.core.results import Status
from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.imports.assignment import import_assignment
from autograder.release.fill import fill_in
from autograder.release.lint import lint_problem, lint_source
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.autograder.imports.notebooks import graded_import, written_to
from tests.autograder.imports.otter_notebooks import SAMPLE, code, current_rents, older_rents, raw, solved

pytestmark = pytest.mark.kernel

SECRETS = (
    *("sum(values)", "min(values)", "max(values)", "plt.hist", "mean(rents)", SAMPLE),
    *("[2, 2, 5]", "[7]", "(7, 7)", "for us only", "otter", "grader.", "SOLUTION", "PROMPT", "HIDDEN"),
)
FORMATS = [current_rents, older_rents]


@pytest.fixture(params=FORMATS, ids=["current", "older"])
def rents(course: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The course after the import of the assignment."""
    make: Callable[[Path], Path] = request.param
    (one,) = import_assignment(make(tmp_path), "otter", to=course / "solutions")
    assert "Points: 9 before, 9 after." in one.report
    return course


graded = partial(graded_import, "rents")


def test_the_source_is_clean_and_the_release_has_no_secret(rents: Path) -> None:
    assert lint_source(rents / "solutions" / "rents.py") == [] == lint_problem("rents", rents)
    released = notebook_text(released_notebook(load_problem("rents", rents)))
    assert [secret for secret in SECRETS if secret in released] == []
    for shown in ("# low = ...", "# high = ...", "return low, high", "student.mean([1, 2, 3]) == 2.0", "**5.**"):
        assert shown in released


def test_the_solution_gets_full_marks_and_the_untouched_notebook_none(rents: Path) -> None:
    assert failures(check(["rents"], root=rents)) == []


def test_each_test_has_its_points(rents: Path) -> None:
    visible_only = "def mean(values):\n    return 2.0 if len(values) == 3 else values[0]"
    assert graded(rents, mean=visible_only).item("mean").score == 2
    nothing = "def spread(values):\n    return None"
    assert graded(rents, spread=nothing).item("spread").score == 0
    first_only = "def spread(values):\n    return min(values), 3"
    is_split = 'part("q2 - 1"' in load_problem("rents", rents).text  # the current format says: all or nothing
    assert graded(rents, spread=first_only).item("spread").score == (1 if is_split else 0)
    assert graded(rents, mean_rent="mean_rent = 1").item("mean_rent").score == 0


def test_tests_that_are_functions_have_the_names_that_otter_gives_them(course: Path, tmp_path: Path) -> None:
    hidden = '""" # BEGIN TEST CONFIG\nhidden: true\npoints: 3\n""" # END TEST CONFIG\n'
    own_name = "def test_env(env):\n    square = 4\n    assert env['square'](square) == 16"
    shown = "def test_square(square):\n    assert square(3) == 9\n\ntest_square(square) # IGNORE"
    answer = "def square(x):\n    return x * x # SOLUTION"
    cells = solved(answer, code(shown), code(hidden + own_name), settings="name: q1\npoints: 4")
    config = raw("# ASSIGNMENT CONFIG", "tests: {ok_format: false}")
    import_assignment(written_to(tmp_path / "rents.ipynb", config, *cells), "otter", to=course / "solutions")
    assert graded(course).item("square").score == 4
    assert graded(course, square="def square(x):\n    return 9").item("square").score == 1


def test_an_answer_below_a_text_with_comments_of_otter_is_found(rents: Path) -> None:
    problem = load_problem("rents", rents)
    notebook = fill_in(released_notebook(problem), {"written_q3": "The median."})
    answer = next(n for n, cell in enumerate(notebook.cells) if cell.source == "The median.")
    above = notebook.cells[answer - 1]
    above.source = f"<!-- BEGIN QUESTION -->\n\n{above.source}"
    for cell in notebook.cells:
        cell.metadata = {}
        cell.id = f"other-{notebook.cells.index(cell)}"
    log = grade_submission("rents", Submission("ada", notebook=notebook_text(notebook).encode()), root=rents).log
    assert log.item("written_q3").status is Status.MANUAL
    above.source, notebook.cells[answer].source = (
        f"{above.source}\n<!-- x",
        "_Type your answer here, replacing this text._",
    )
    log = grade_submission("rents", Submission("ada", notebook=notebook_text(notebook).encode()), root=rents).log
    assert log.item("written_q3").status is Status.MISSING
