"""Chooses which cells of a rebuilt notebook are run for some items."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from autograder.course.cell_selection import NOT_RUN
from autograder.course.name_analysis import NO_NAMES, names_of, needed
from autograder.course.problem import Item, Problem
from autograder.submissions.rebuild import Built, Rebuilt


@dataclass(frozen=True)
class ChosenCells:
    """The cells to run, and the tests of the wanted items, in the notebook's order."""

    cells: tuple[Built, ...]
    unsure: frozenset[str]
    """Ids of the cells that no known name needs and that are run nevertheless."""
    left_out: bool
    """Whether cells of the student's were left out, or an original was run below what the student made of it."""


def chosen_cells(
    problem: Problem, rebuilt: Rebuilt, wanted: Sequence[Item], names: Collection[str], *, whole: bool
) -> ChosenCells:
    """The cells that some items need.

    Args:
        problem: the problem.
        rebuilt: the notebook.
        wanted: the items. Cells below the last of some items are not run.
        names: what tests need from the notebook.
        whole: whether to run all of the student's cells that do not train, what the student changed in given cells, the
            visible tests, and the given cells that those need, instead of only the cells that the items seem to need.
    """
    cells = rebuilt.as_submitted if whole else rebuilt.cells
    sources = [_runnable(built) for built in cells]
    chosen = needed(sources, names)
    always = {"test", "answer"}  # an answer that cannot be parsed binds no name; it is run to report the error
    chosen |= {
        n
        for n, built in enumerate(cells)
        if built.role in always and built.cell_type == "code" and not _is_manual(built)
    }
    own = {n for n, built in enumerate(cells) if sources[n] is not None and _is_own(built)} - chosen
    edited = any(_is_own(built) and built.edited is not None for built in cells)
    if whole:
        uses = {name for n in own for name in (names_of(cells[n].source) or NO_NAMES).uses}
        own |= needed(sources, uses) - chosen
    unsure = own if whole else set[int]()
    tests = {item.test.grade_id for item in wanted if item.test is not None}
    is_asked = [built.cell is not None and built.cell.grade_id in tests for built in cells]
    last = max((n for n, asked in enumerate(is_asked) if asked), default=-1)
    end = len(cells) if len(wanted) == len(problem.items) else last + 1
    return ChosenCells(
        tuple(
            built
            for n, built in enumerate(cells[:end])
            if n in chosen | unsure and (built.role != "test" or is_asked[n])
        ),
        frozenset(cells[n].id for n in unsure),
        (bool(own) or edited) and not whole,
    )


def _runnable(built: Built) -> str | None:
    """The cell's text if it may run in the sandbox, else None."""
    if built.cell_type != "code" or built.role == "test":
        return None
    if _is_manual(built) or (built.cell is not None and built.cell.tags & NOT_RUN):
        return None
    return built.source


def _is_own(built: Built) -> bool:
    """Returns whether this is a cell of the student's, and not a training or plotting cell that the student edited."""
    return built.role == "free" and not (built.edited is not None and built.edited.tags & NOT_RUN)


def _is_manual(built: Built) -> bool:
    return built.cell is not None and built.cell.is_manual
