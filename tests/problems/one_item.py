"""Grades one item of a notebook that is right everywhere else, in the sandbox."""

from __future__ import annotations

import atexit
import contextlib
import functools
from dataclasses import replace
from unittest.mock import patch

from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult
from autograder.course.cell_selection import warm_modules
from autograder.course.problem import Problem
from autograder.grading import examiner, misconceptions
from autograder.grading.examiner import examine
from autograder.release.fill import solved_notebook
from autograder.sandbox.host import Host
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import Rebuilt, rebuild


def graded(problem: Problem, item: str, answer: str) -> ItemResult:
    """The result of the item whose solution cell has this source; no points as soon as a part of the test fails."""
    solved = _solved(problem)
    cells = [replace(one, source=answer) if one.cell and one.cell.grade_id == item else one for one in solved.cells]
    rebuilt = replace(solved, cells=tuple(cells))
    options = {"student": "ada", "seed": "of the tests", "attempts": 1, "items": [item]}
    unmatched = patch.object(misconceptions, "recognise", return_value="")  # runs all wrong variants, for a name only
    unasked = patch.object(misconceptions, "answer", return_value=None)  # answers on per-student inputs give no points
    until_lost = patch.object(examiner, "recording", lambda: contextlib.nullcontext(()))  # ends at the first lost part
    with unmatched, unasked, until_lost:
        (result,) = examine(problem, rebuilt, _host(problem), **options).results  # type: ignore[arg-type]
    return result


@functools.cache
def _solved(problem: Problem) -> Rebuilt:
    name = f"{problem.id}.ipynb"
    return rebuild(problem, read_cells(notebook_text(solved_notebook(problem)).encode(), name), name)


_hosts: dict[str, Host] = {}
"""The warm process of the latest problem."""


def _host(problem: Problem) -> Host:
    """A warm process for the problem; the one of another problem is closed."""
    if problem.id not in _hosts:
        _close()
        _hosts[problem.id] = Host(warm_modules([problem]), huge_pages=True)
    return _hosts[problem.id]


@atexit.register
def _close() -> None:
    while _hosts:
        _hosts.popitem()[1].close()
