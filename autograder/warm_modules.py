"""Which modules are worth importing once, before any submission: those that a problem's given cells import."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.needed import imported_modules
from autograder.problem import Cell, Problem

NOT_RUN = frozenset({"train", "experiment", "log", "install"})
"""Tags of cells that grading never runs, on either side."""


def warm_modules(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The modules that the given cells of these problems may import, in order."""
    given = [cell.source for problem in problems for cell in problem.cells if may_run(cell) and not cell.solution]
    return tuple(imported_modules(given))


def may_run(cell: Cell) -> bool:
    """Is this a given or a solution cell that grading runs where it is needed?"""
    return cell.cell_type == "code" and not cell.is_test and not cell.is_manual and not cell.tags & NOT_RUN
