"""Grades single items of a notebook that is right everywhere else, from a warm process."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Mapping
from dataclasses import replace

from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult
from autograder.course.cell_selection import warm_modules
from autograder.course.problem import Problem
from autograder.grading.examiner import examine
from autograder.release.fill import solved_notebook
from autograder.sandbox.host import Host
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import Rebuilt, rebuild


def grade_item(problem: Problem, item: str, answer: str, *, seed: str) -> ItemResult:
    """The result of the item whose solution cell has this source, in a notebook that is right everywhere else.

    Args:
        problem: the problem.
        item: the item's id.
        answer: the source of its solution cell.
        seed: of the tests' inputs.
    """
    return grade_items(problem, {item: answer}, seed=seed)[item]


def grade_items(problem: Problem, answers: Mapping[str, str], *, seed: str) -> dict[str, ItemResult]:
    """Item id → result of the items whose solution cells have these sources, all in one notebook; see `grade_item`."""
    solved = _solved(problem)
    cells = [
        replace(one, source=answers.get(one.cell.grade_id, one.source)) if one.cell else one for one in solved.cells
    ]
    rebuilt = replace(solved, cells=tuple(cells))
    options = {"student": "ada", "seed": seed, "attempts": 1, "items": list(answers), "answers": False}
    examined = examine(problem, rebuilt, _host(problem), **options)  # type: ignore[arg-type]
    return {result.id: result for result in examined.results}


@functools.cache
def _solved(problem: Problem) -> Rebuilt:
    """The cells of the solved notebook, as grading sees them."""
    name = f"{problem.id}.ipynb"
    return rebuild(problem, read_cells(notebook_text(solved_notebook(problem)).encode(), name), name)


_hosts: dict[str, Host] = {}
"""The warm process for the latest problem."""


def _host(problem: Problem) -> Host:
    """A warm process for the problem; that of another problem is closed."""
    if problem.id not in _hosts:
        _close()
        _hosts[problem.id] = Host(warm_modules([problem]), huge_pages=True)
    return _hosts[problem.id]


@atexit.register
def _close() -> None:
    while _hosts:
        _hosts.popitem()[1].close()
