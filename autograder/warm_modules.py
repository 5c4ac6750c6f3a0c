"""Which modules are worth importing once, before any submission: those that a problem's given cells import."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograder.graded_cells import graded_cells, may_run
from autograder.needed import imported_modules
from autograder.problem import Problem

OPTIMIZERS = "torch._dynamo"
"""What the first step of an optimizer imports, for most of a second."""
_OPTIMIZES = re.compile(r"\boptim\.|\boptimi[sz]ers?\b")


def warm_modules(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The modules that the given cells of these problems may import, in order, and what graded cells call for."""
    found: dict[str, None] = {}
    for problem in problems:
        given = [cell.source for cell in problem.cells if may_run(cell) and not cell.solution]
        found.update(dict.fromkeys(imported_modules(given)))
        if any(_OPTIMIZES.search(cell.source) for cell in graded_cells(problem)):
            found[OPTIMIZERS] = None
    return tuple(found)
