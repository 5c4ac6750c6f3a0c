"""Fills answers into the solution cells of a released notebook."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from nbformat import NotebookNode

from autograder.course.markers import without_markers
from autograder.course.problem import Problem
from autograder.release.notebook import released_notebook


def fill_in(released: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of a released notebook with these sources in the solution cells of their items.

    Args:
        released: the notebook as students get it; not changed.
        answers: item id → source of that item's solution cell. Other cells stay unchanged.

    Raises:
        KeyError: the notebook has no solution cell for one of the items.
    """
    notebook = copy.deepcopy(released)
    missing = set(answers)
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("solution") and nbgrader.get("grade_id") in answers:
            cell.source = answers[nbgrader["grade_id"]]
            missing.discard(nbgrader["grade_id"])
    if missing:
        raise KeyError(f"no solution cell for {', '.join(sorted(missing))} in this notebook")
    return notebook


def solved_notebook(problem: Problem) -> NotebookNode:
    """The released notebook with the reference solutions filled in."""
    return fill_in(released_notebook(problem), solution_answers(problem))


def solution_answers(problem: Problem) -> dict[str, str]:
    """Item id → the reference solution as a student would write it: no marker lines, no rubric."""
    return {item.id: without_markers(item.cell.source) for item in problem.items}
