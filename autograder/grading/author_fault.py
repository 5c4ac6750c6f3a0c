"""Recognises errors of a test itself: a name that it misspelt, in a line that only some answers reach.

Such an error is the author's: no answer could avoid it. All other errors of a test may come from what it was given.
"""

from __future__ import annotations

import ast
import functools
import traceback
from types import ModuleType

from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.problem import Item, Problem
from autograder.course.python_cells import syntax_tree
from autograder.grading.reference import Names
from autograder.sandbox import proxy
from autograder.sandbox.proxy import RemoteError


class AuthorFaultError(Exception):
    """An error of a test itself, with identifier and line, in words for staff."""


def author_fault(error: Exception, problem: Problem, item: Item) -> AuthorFaultError | None:
    """The author's fault of which an error of an item's test comes; None if it may come from the answer.

    It must be raised in a line of the test itself: further inside, a value of the student's may cause it.
    """
    assert item.test is not None
    frames = list(traceback.extract_tb(error.__traceback__))
    if any(frame.filename == proxy.__file__ for frame in frames):  # in a call by the student's code
        return None
    if frames and frames[-1].name == "__getattr__":  # of the reference or a module
        frames = frames[:-1]
    if not frames or frames[-1].filename != f"<{item.test.grade_id}>":
        return None
    what = _identifier(error, item)
    where = problem.path.name + _line(frames[-1].lineno or 0, problem, item)
    return AuthorFaultError(f"the test of `{item.id}` uses {what}; fix {where}") if what else None


def _identifier(error: Exception, item: Item) -> str:
    """The identifier that can never be found, in words; empty if the error may come from the answer."""
    assert item.test is not None
    if isinstance(error, RemoteError | UnboundLocalError):
        return ""
    if isinstance(error, NameError):  # whether a name that the test binds anywhere has a value may depend on the answer
        return "" if error.name in _bound(item.test.source) else f"the name `{error.name}`, which is not defined"
    if isinstance(error, AttributeError) and isinstance(error.obj, Names):
        return f"`reference.{error.name}`, which the source does not define"
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return f"`{error.obj.__name__}.{error.name}`, which does not exist"
    return ""


@functools.lru_cache(maxsize=256)
def _bound(source: str) -> frozenset[str]:
    """The names that a test binds in any scope."""
    tree = syntax_tree(source)
    found = set((names_of(source) or NO_NAMES).binds)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        found |= {name for key in ("name", "arg", "asname") if isinstance(name := getattr(node, key, None), str)}
    return frozenset(found)


def _line(number: int, problem: Problem, item: Item) -> str:
    """The line of the source that is this line of the item's test, in words; empty if it is not known."""
    assert item.test is not None
    above, found, _ = problem.text.partition(item.test.source)
    return f", line {above.count(chr(10)) + number}" if number and found else ""
