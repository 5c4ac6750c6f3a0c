"""Finds the helpers that a notebook gives to its tests: functions and classes that only tests and one another use.

In a visible test they run in the student's notebook. The grader defines them anew before a test, so that a notebook in
which they were redefined is tested with those of the source.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from autograder.course.cell_selection import asked_names, may_run
from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.problem import Cell, Problem
from autograder.course.python_cells import DEFINITIONS, syntax_tree

_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class GivenHelpers:
    """The helpers of one problem's tests."""

    names: frozenset[str]
    sources: tuple[str, ...]
    """The imports and constants that they need, then their definitions, in order."""
    uses: tuple[str, ...]
    """Other names of the notebook that they use, such as graded ones."""
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Other given names that tests or helpers take from the student → the statements that bind each."""

    def redefined_in(self, source: str) -> frozenset[str]:
        """The helpers that a student's cell binds to something else."""
        if not self.names & (names_of(source) or NO_NAMES).binds:
            return frozenset()
        return self.names & {name for one in _statements(source) if one.text not in self.sources for name in one.binds}

    def changed_in(self, source: str) -> frozenset[str]:
        """The names in `asked` that a student's cell binds to something else, or changes."""
        names = self.asked.keys() & (names_of(source) or NO_NAMES).binds
        changed = (one for one in _statements(source) if one.binds & names) if names else ()
        return frozenset(name for one in changed for name in one.binds & names if one.text not in self.asked[name])


@dataclass(frozen=True)
class _Statement:
    """One statement at a cell's top level."""

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    is_definition: bool
    is_import: bool
    is_constant: bool
    """Whether it gives names a value that is written there."""


def given_helpers(problem: Problem) -> GivenHelpers:
    """The helpers of a problem's tests.

    Raises:
        SourceError: a test or answers cell cannot be parsed.
    """
    asked, _ = asked_names(problem)
    graded = {item.id for item in problem.items}
    given = [one for cell in problem.cells if _is_given(cell) for one in _statements(cell.source)]
    besides = [one for cell in problem.cells if _is_other(cell) for one in _statements(cell.source)]
    defined = [one for one in given if one.is_definition and not one.binds & graded]
    used = {name for one in (*given, *besides) if one not in defined for name in one.uses}
    helpers = _only_of_helpers(defined, used)
    wanted = set(asked)
    while more := {name for one in helpers if one.binds & wanted for name in one.uses} - wanted:
        wanted |= more
    found = [one for one in helpers if one.binds & wanted]
    names = frozenset(name for one in found for name in one.binds)
    needed = {name for one in found for name in one.uses} - names
    constants = [one for one in given if one.is_constant and one.binds & needed]
    imports = [one for one in given if one.is_import and one.binds & needed]
    made = {name for one in (*imports, *constants) for name in one.binds}
    uses = sorted(name for name in needed - made if not hasattr(builtins, name))
    others = {name for one in given if one.is_definition for name in one.binds & asked} - names - graded
    others |= {name for one in given if not one.is_import for name in one.binds & {*uses}} - graded
    known = {name: frozenset(one.text for one in given if name in one.binds) for name in others}
    return GivenHelpers(names, tuple(one.text for one in (*imports, *constants, *found)), tuple(uses), known)


def _is_other(cell: Cell) -> bool:
    """Whether a name that this cell uses is not only for tests."""
    return cell.cell_type == "code" and not cell.is_test and "answers" not in cell.tags and not _is_given(cell)


def _is_given(cell: Cell) -> bool:
    return may_run(cell) and not cell.solution and "answers" not in cell.tags


def _only_of_helpers(defined: Iterable[_Statement], used: Iterable[str]) -> list[_Statement]:
    """The definitions whose names neither `used` nor a definition that is left out contains."""
    left, seen = list(defined), set(used)
    while out := [one for one in left if one.binds & seen]:
        left = [one for one in left if one not in out]
        seen |= {name for one in out for name in one.uses}
    return left


def _written(node: ast.stmt) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError, MemoryError):  # e.g. a character in an f-string that Python cannot write again
        return ""


def _statements(source: str) -> Iterator[_Statement]:
    tree = syntax_tree(source)
    for node in [] if tree is None else tree.body:
        text = _written(node)
        names = names_of(text) or NO_NAMES
        yield _Statement(
            text,
            names.binds,
            names.uses - names.binds,
            isinstance(node, DEFINITIONS),
            isinstance(node, _IMPORTS),
            isinstance(node, ast.Assign | ast.AnnAssign) and not names.uses and node.value is not None,
        )
