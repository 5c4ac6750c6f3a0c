"""Selects the cells of a problem that grading runs, the names that they need, and the modules to import beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograder.core.errors import SourceError
from autograder.course.config import COURSE_FILE, load_course
from autograder.course.name_analysis import imported_modules, names_of, needed
from autograder.course.problem import Cell, Problem

NOT_RUN = frozenset({"train", "experiment", "log", "install"})
"""Tags of cells that grading never runs, neither the student's nor the reference's."""


def may_run(cell: Cell) -> bool:
    """Returns whether this is a given or solution cell that grading may run."""
    return cell.cell_type == "code" and not cell.is_test and not cell.is_manual and not cell.tags & NOT_RUN


def asked_names(problem: Problem) -> tuple[frozenset[str], frozenset[str]]:
    """Names that tests and answers cells take from the student, and global names that these cells read themselves.

    Raises:
        SourceError: a test or answers cell cannot be parsed.
    """
    asked = {item.id for item in problem.items if item.kind == "code"}
    read = {"personal_answers"}
    for cell in problem.cells:
        if cell.cell_type != "code" or not (cell.is_test or "answers" in cell.tags):
            continue
        names = names_of(cell.source)
        if names is None:
            raise SourceError(f"{problem.path}: cell {cell.id} cannot be parsed.")
        asked |= names.attributes
        if cell.runs_in_process:
            asked |= names.uses - names.binds
        else:
            read |= names.uses
    return frozenset(asked), frozenset(read)


def graded_cells(problem: Problem) -> list[Cell]:
    """The given and solution cells that tests and answers cells need, in order.

    Raises:
        SourceError: a test or answers cell cannot be parsed.
    """
    runnable = [cell if may_run(cell) else None for cell in problem.cells]
    asked, read = asked_names(problem)
    chosen = needed([None if cell is None else cell.source for cell in runnable], asked | read)
    return [cell for n, cell in enumerate(runnable) if cell is not None and n in chosen]


DYNAMO = "torch._dynamo"
"""Imported by optimizers and `torch.func` at first use, which takes most of a second."""
_WANTS_DYNAMO = re.compile(r"\boptim\b|\boptimi[sz]ers?\b|\btorch\.func\b|\bvmap\b")


def uses_torch(problem: Problem) -> bool:
    """Whether a cell that grading may run, or a test, imports torch."""
    sources = [cell.source for cell in problem.cells if may_run(cell) or (cell.cell_type == "code" and cell.is_test)]
    return any(name.partition(".")[0] == "torch" for name in imported_modules(sources))


def warm_modules(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The modules that a host for these problems imports beforehand.

    These are `preload` of `course.toml`, then what given cells import, in order, torch if another cell imports it, and
    `DYNAMO` if graded cells need it. Functions that no test needs, e.g. those that train, are not called.

    Raises:
        CourseError: a module of `preload` is not installed.
    """
    found: dict[str, None] = {}
    for problem in problems:
        root = problem.path.parent.parent
        if (root / COURSE_FILE).is_file():
            found.update(dict.fromkeys(load_course(root).modules_to_preload()))
        graded = graded_cells(problem)
        for cell in problem.cells:
            if may_run(cell) and not cell.solution:
                found.update(dict.fromkeys(imported_modules([cell.source], called=cell in graded)))
        if uses_torch(problem):
            found["torch"] = None
            if any(_WANTS_DYNAMO.search(cell.source) for cell in graded):
                found[DYNAMO] = None
    return tuple(found)
