"""Grades one item of a notebook in which all the rest is the solution, as grading does it: in a process of its own."""

from __future__ import annotations

import atexit
import functools

from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.warm_modules import warm_modules
from autograder.grading.examiner import examine
from autograder.release.fill import fill_in, solved_notebook
from autograder.sandbox.host import Host
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import rebuild
from tests.problems.run_source import ROOT


def graded(problem: Problem, item: str, answer: str) -> ItemResult:
    """How the item goes.

    Args:
        problem: the problem.
        item: its id.
        answer: source of its solution cell.
    """
    notebook = fill_in(_solved(problem), {item: answer})
    name = f"{problem.id}.ipynb"
    rebuilt = rebuild(problem, read_cells(notebook_text(notebook).encode(), name), name)
    [result] = examine(problem, rebuilt, _host(), student="ada", seed="of the tests", lives=1, items=[item]).results
    return result


_solved = functools.cache(solved_notebook)


@functools.cache
def _host() -> Host:
    """One warm process for all problems; ends with this one."""
    host = Host(warm_modules([load_problem(problem, ROOT) for problem in problem_ids(ROOT)]))
    atexit.register(host.close)
    return host
