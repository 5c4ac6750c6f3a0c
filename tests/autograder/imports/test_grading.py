"""Imported tests grade: classes, arrays, errors, parts, hidden checks and helpers of given cells."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from autograder.cli.check import check, failures
from autograder.core.notebook_io import notebook_text
from autograder.core.results import Status
from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.imports.assignment import import_assignment
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.autograder.imports.notebooks import given, graded_by, graded_import, manual, solution, text, written_to

pytestmark = pytest.mark.kernel

ACCOUNT = '''class Account:
    """An account."""

    def __init__(self, balance=0):
        ### BEGIN SOLUTION
        self.balance = balance
        ### END SOLUTION

    def withdraw(self, amount):
        ### BEGIN SOLUTION
        if amount > self.balance:
            raise ValueError("not enough")
        self.balance -= amount
        return self.balance
        ### END SOLUTION'''
CELLS = [
    text("# A bank"),
    given("import math\nimport numpy as np\n\ndef near(a, b):\n    return math.isclose(a, b, rel_tol=1e-6)"),
    solution(ACCOUNT, "account"),
    graded_by(
        "account = Account(5)\nassert account.balance == 5\nassert account.withdraw(2) == 3\n"
        "### BEGIN HIDDEN TESTS\ntry:\n    account.withdraw(4)\n"
        "except ValueError:\n    pass\nelse:\n    assert 0\n### END HIDDEN TESTS",
        "t1",
        2,
    ),
    solution("def mean(x):\n    return np.sum(x) / len(x)", "cell-2"),
    graded_by("from numpy.testing import assert_allclose\nassert_allclose(mean(np.array([1.0, 3.0])), 2)", "t2", 1),
    graded_by(
        "assert_allclose(mean([1, 2]), 1.5)\nprint('so far')\nassert near(mean([4]), 4), f'{mean([4])}'", "t3", 1
    ),
    graded_by(
        "assert mean([2]) == 2\n### BEGIN HIDDEN TESTS\nfor n in (1, 2, 4):\n    assert_allclose(mean([n, -n]), 0)\n"
        "### END HIDDEN TESTS",
        "t4",
        2,
    ),
]


@pytest.fixture
def bank(course: Path, tmp_path: Path) -> Path:
    import_assignment(written_to(tmp_path / "bank.ipynb", *CELLS), "nbgrader", to=course / "solutions")
    return course


graded = partial(graded_import, "bank")


def test_the_solution_gets_full_marks_and_the_untouched_notebook_none(bank: Path) -> None:
    assert failures(check(["bank"], root=bank)) == []


def test_points_are_those_of_the_test_cells(bank: Path) -> None:
    first_only = "def mean(x):\n    return 2.0 if len(x) == 2 and x[0] == 1.0 and x[1] == 3.0 else None"
    assert graded(bank, mean=first_only).item("mean").score == 1
    visible_only = "def mean(x):\n    return x[0] if len(x) == 1 else (x[0] + x[1]) / 2 + (x[0] == 4)"
    assert graded(bank, mean=visible_only).item("mean").score == 1 + 1 + 2 / 2
    never_raises = ACCOUNT.replace("amount > self.balance", "False")
    assert graded(bank, Account=never_raises).item("Account").score == 0


PLACED = [
    given("import numpy as np\nTOL = 1e-6\ndata = np.arange(5.0)\ndef near(a, b):\n    return abs(a - b) < TOL"),
    solution("def spread(x):\n    return np.std(x, ddof=1)", "spread"),
    graded_by("assert abs(spread(data) - data.std(ddof=1)) < TOL\nassert near(spread(data), 1.5811388)", "t1", 1),
    solution("def ordered(x):\n    return sorted(x)", "ordered"),
    graded_by("a = [3, 1, 2]\nassert ordered(a) == [1, 2, 3]\nassert a == [3, 1, 2]", "t2", 1),
    solution("def without(frame):\n    return frame.assign(z=1)", "without"),
    graded_by(
        "import pandas as pd\nd = pd.DataFrame({'x': [1]})\nassert 'z' in without(d)\nassert 'z' not in d", "t3", 1
    ),
    solution("def grid(n):\n    return [[0] * n for _ in range(n)]", "grid"),
    graded_by("g = grid(2)\ng[0].append(5)\nassert g[1] == [0, 0]", "t4", 1),
    solution("def largest(values):\n    return max(values)\n\nbest = largest(data)", "largest"),
    graded_by("assert best == 4 and largest([1, 2]) == 2\nassert data.tolist() == [0, 1, 2, 3, 4]", "t5", 1),
]


def test_a_student_can_neither_set_what_is_given_nor_change_what_the_test_reads(course: Path, tmp_path: Path) -> None:
    import_assignment(written_to(tmp_path / "placed.ipynb", *PLACED), "nbgrader", to=course / "solutions")
    problem = load_problem("placed", course)
    assert {item.id for item in problem.items if item.is_in_process} == {"grid", "largest"}
    wrong = {
        "spread": "TOL = 1e9\ndata = np.zeros(2)\ndef near(*_):\n    return True\ndef spread(x):\n    return 0.0",
        "ordered": "def ordered(x):\n    x.sort()\n    return x",
        "without": "def without(frame):\n    frame['z'] = 1\n    return frame",
        "grid": "def grid(n):\n    return [[0] * n] * n",
        "largest": "def largest(values):\n    values[:4] = 0\n    return max(values)\n\nbest = largest(data)",
    }
    for answers, points in ((wrong, 0), ({"spread": "def spread(x):\n    return float(np.std(x, ddof=1))"}, 5)):
        notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
        submission = Submission("ada", "placed.ipynb", notebook_text(notebook).encode())
        assert grade_submission("placed", submission, root=course).log.score == points


def test_an_answer_graded_by_hand_is_found_by_its_id_in_the_original(course: Path, tmp_path: Path) -> None:
    cells = [text("# One"), text("Why?", "why", 1), manual("plot(1)", "plot-it", 2)]
    import_assignment(written_to(tmp_path / "one.ipynb", *cells), "nbgrader", to=course / "solutions")
    cells[1].source, cells[2].source = "Because.", "plot(2)"
    submission = Submission("ada", notebook=written_to(tmp_path / "in.ipynb", *cells).read_bytes())
    log = grade_submission("one", submission, root=course).log
    assert [item.status for item in log.items] == [Status.MANUAL, Status.MANUAL]
