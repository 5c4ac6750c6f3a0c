"""Selects the modules to import once before grading: those that the problems' given cells import."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograder.course.cell_selection import graded_cells, may_run
from autograder.course.name_analysis import imported_modules
from autograder.course.problem import Problem

DYNAMO = "torch._dynamo"
"""Imported by optimizers and `torch.func` at first use, which takes most of a second."""
_WANTS_DYNAMO = re.compile(r"\boptim\b|\boptimi[sz]ers?\b|\btorch\.func\b|\bvmap\b")


def warm_modules(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The modules that given cells of these problems may import, in order, and `DYNAMO` if graded cells need it."""
    found: dict[str, None] = {}
    for problem in problems:
        given = [cell.source for cell in problem.cells if may_run(cell) and not cell.solution]
        found.update(dict.fromkeys(imported_modules(given)))
        if any(_WANTS_DYNAMO.search(cell.source) for cell in graded_cells(problem)):
            found[DYNAMO] = None
    return tuple(found)
