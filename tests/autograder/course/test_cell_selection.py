"""Modules that are slow to import are imported once before the first submission, if graded code uses them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.cell_selection import DYNAMO, uses_torch, warm_modules
from autograder.course.problem import load_problem, problem_ids
from tests.autograder.numpy_toy import PROBLEM, numpy_course
from tests.conftest import ROOT

_ANSWERED = """
import sys
from pathlib import Path
from autograder.release.fill import solution_answers
from autograder.course.problem import load_problem
from autograder.grading.preflight import load
from autograder.sandbox.launch import WARM_MODULES
from autograder.sandbox.guest.forkserver import warm_up
from autograder.course.cell_selection import warm_modules
from benchmarks.grading.floor import floor
from benchmarks.grading.submissions import Submission

problem = load_problem(sys.argv[1], Path.cwd())
warm_up([*WARM_MODULES, *warm_modules([problem])])
load(problem, many=True)
before = set(sys.modules)
points = floor(problem, Submission("ada", "solution", solution_answers(problem), 1)).scores
assert sum(points.values()) > 0, points
print(len(set(sys.modules) - before), sorted(set(sys.modules) - before)[:20])
"""


@pytest.mark.long
@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_grading_a_solution_imports_few_more_modules(problem_id: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _ANSWERED, problem_id]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, _, names = done.stdout.strip().splitlines()[-1].partition(" ")
    assert int(count) < 40, f"every submission would import {count} modules anew: {names}"


def test_modules_for_optimizers_are_imported_only_if_graded_code_uses_one() -> None:
    modules = {problem_id: warm_modules([load_problem(problem_id, ROOT)]) for problem_id in ("vae", "gan")}
    assert DYNAMO in modules["gan"] and DYNAMO not in modules["vae"]


def test_what_only_a_function_imports_that_no_test_needs_is_not_imported() -> None:
    modules = warm_modules([load_problem("summarization", ROOT)])
    assert "transformers.T5ForConditionalGeneration" in modules
    assert not [name for name in modules if "Trainer" in name], "training cells are not graded"


def test_torch_is_preloaded_only_if_the_source_imports_it_or_the_course_says_so(tmp_path: Path) -> None:
    root = numpy_course(tmp_path)
    problem = load_problem(PROBLEM, root)
    assert not uses_torch(problem) and not [name for name in warm_modules([problem]) if name.startswith("torch")]
    source = problem.path.read_text()
    problem.path.write_text(
        source.replace("### BEGIN HIDDEN TESTS\n", "### BEGIN HIDDEN TESTS\nfrom torch import nn\n")
    )
    tested = load_problem(PROBLEM, root)
    assert uses_torch(tested) and "torch" in warm_modules([tested]) and DYNAMO not in warm_modules([tested])
    course = root / "course.toml"
    course.write_text(course.read_text().replace("[[homework]]", 'preload = ["torch", "xml.dom"]\n[[homework]]'))
    assert warm_modules([problem])[:2] == ("torch", "xml.dom")
