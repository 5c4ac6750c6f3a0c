"""Errors of student code as they come from its process: every field checked, every length bounded.

The process only says in which cell and line an error occurred. The function's name and the line's text are looked up
in the cell as it was submitted, because the process could put a test's hidden inputs there.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograder.core.text import well_formed
from autograder.course.python_cells import DEFINITIONS, syntax_tree

_MOST_LINES = 20
_MOST_DETAIL = 2000
_MOST_TEXT = 200
_LONGEST_CELL = 500
"""Lines of a cell up to which a place in it is told: in a hidden test, the number of a line may tell an input."""
MODULE = "<module>"
"""The function of a statement at a cell's top level, as in a traceback."""


class Line(NamedTuple):
    """One line of a traceback."""

    cell: str
    """The cell's id."""
    number: int
    """Counted from 1."""
    function: str
    """The innermost function or class around it, or `MODULE`."""
    text: str
    """The line without its indentation."""


@dataclass(frozen=True)
class StudentError:
    """An error of student code."""

    kind: str = "Exception"
    """Name of the built-in exception type, e.g. `ValueError`."""
    detail: str = ""
    """The exception's message, from the student's code."""
    lines: tuple[Line, ...] = ()
    """Traceback through the student's cells, the innermost call last."""
    out_of_memory: bool = False

    @staticmethod
    def of(told: Any, cells: Mapping[str, str]) -> StudentError:
        """The error from an untrusted description (`guest.errors.describe`); what is invalid is left out.

        Args:
            told: the description.
            cells: cell id → the cell's text, for the lines.
        """
        fields = told if type(told) is dict else {}
        kind, detail, lines = fields.get("type"), fields.get("message"), fields.get("lines")
        known = getattr(builtins, kind, None) if type(kind) is str else None
        is_error = isinstance(known, type) and issubclass(known, BaseException)
        places = [entry for entry in lines if _is_place(entry)] if type(lines) is list else []
        found = [_line(cells, cell, number) for cell, number in places[-_MOST_LINES:]]
        return StudentError(
            kind=str(kind) if is_error else "Exception",
            detail=well_formed(detail[:_MOST_DETAIL]) if type(detail) is str else "",
            lines=tuple(line for line in found if line is not None),
            out_of_memory=fields.get("memory") is True,
        )

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> StudentError:
        """Reads what `dataclasses.asdict` made of an error."""
        return StudentError(**{**record, "lines": tuple(Line(*line) for line in record["lines"])})


def _is_place(entry: Any) -> bool:
    return type(entry) is list and [type(part) for part in entry] == [str, int]


def _line(cells: Mapping[str, str], cell: str, number: int) -> Line | None:
    """The line with this number of a cell; None if there is none, or the cell is too long."""
    if cell not in cells:
        return None
    lines = _split(cells[cell])
    if not 1 <= number <= len(lines) <= _LONGEST_CELL:
        return None
    around = [(begin, name) for begin, end, name in _functions(cells[cell]) if begin <= number <= end]
    function = max(around)[1] if around else MODULE
    return Line(cell, number, function[:80], lines[number - 1].strip()[:_MOST_TEXT])


@functools.lru_cache(maxsize=256)
def _split(source: str) -> Sequence[str]:
    return source.rstrip("\n").split("\n")


@functools.lru_cache(maxsize=256)
def _functions(source: str) -> Sequence[tuple[int, int, str]]:
    """First and last line of the body, and the name, of each function and class in a cell."""
    tree = syntax_tree(source)
    blocks = [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, DEFINITIONS)]
    return [(node.body[0].lineno, node.end_lineno or node.lineno, node.name) for node in blocks]
