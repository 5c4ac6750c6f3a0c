"""Makes our answer cells from nbgrader's: the stub of a code item, and cells that are graded by hand."""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from autograder.course.mark_scheme import criteria
from autograder.course.markers import (
    HIDDEN,
    RUBRIC,
    SOLUTION,
    begin,
    end,
    region,
    region_lines,
    replaced,
    without_markers,
)
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.soundness import Reason

_Definition = ast.FunctionDef | ast.ClassDef
_RAISE = "raise NotImplementedError"


class CodeAnswer(NamedTuple):
    """The solution cell of a code item."""

    name: str
    """The function or class that it defines, which is the item's id."""
    source: str
    notes: tuple[str, ...]
    """What was changed, in words."""


def code_answer(source: str) -> CodeAnswer | Reason:
    """The solution cell of a code item: signature and docstring outside of the solution region, the body inside.

    Returns:
        The cell, or why it cannot be one, in which case the item is graded by hand.
    """
    solved = without_markers(source)
    tree = syntax_tree(solved)
    if tree is None or plain_python(solved) != solved:
        return Reason("the solution cell has a magic, or is not valid Python", "write plain Python")
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)]
    if len(defined) != 1 or isinstance(defined[0], ast.AsyncFunctionDef):
        names = ", ".join(f"`{node.name}`" for node in defined) or "no function or class"
        return Reason(f"the solution cell defines {names}", "let each solution cell define one function or class")
    name = defined[0].name
    notes = []
    if not _is_usable(source, name):
        if changing := _other_statements(tree):
            why = f"the solution cell also has `{changing}` outside of `{name}`, which students would see"
            return Reason(why, f"move it into `{name}`, or into a cell that students get")
        source = _wrapped(solved, name)
        notes.append("students now see its signature and docstring")
    if not _is_usable(source, name):
        return Reason(f"the body of `{name}` cannot be told from its signature", "put BEGIN/END SOLUTION into the body")
    if not ast.get_docstring(_definition(source, name)):
        source = _with_docstring(source, name)
        notes.append("it got a docstring; describe arguments and result there")
    return CodeAnswer(name, source, tuple(notes))


def by_hand(source: str, is_code: bool, points: float, tests: Sequence[tuple[str, float, str]] = ()) -> str:
    """A cell that is graded by hand, with a sample answer and a rubric; students see neither.

    Args:
        source: nbgrader's cell; without a solution region, all of it is the sample answer.
        is_code: whether it is a code cell.
        points: its own points, without those of its tests.
        tests: name, points and source of each test by which a grader decides; they are kept in the sample answer.
    """
    mark = "# " if is_code else ""
    scheme = textwrap.dedent(region(source, RUBRIC))
    lines = [f"{mark}{line}".rstrip() for line in rubric(scheme, points)] if points or scheme.strip() else []
    for name, worth, _ in tests:
        lines.append(f"{mark}- {_points(worth)}: passes the test {name!r} (below the sample answer)")
    answer = replaced(source, RUBRIC, None).strip("\n")
    if region(answer, SOLUTION) == "" or not _parses_without(answer, is_code):
        answer = without_markers(answer) or ("pass" if is_code else "(The original has no sample answer.)")
        answer = f"{begin(SOLUTION)}\n{answer}\n{end(SOLUTION)}"
    kept = "\n".join(_kept(name, test, is_code) for name, _, test in tests)
    if kept:
        before, closing, after = answer.rpartition(_last_end(answer))
        indent = closing[: len(closing) - len(closing.lstrip())]
        answer = f"{before}{textwrap.indent(kept, indent)}\n{closing}{after}"
    return "\n".join([answer, begin(RUBRIC), *lines, end(RUBRIC)])


def rubric(scheme: str, points: float) -> list[str]:
    """The lines of a rubric whose criteria add up to the points: the original's if they do, else one for all points."""
    lines = [line.strip().removeprefix("#").strip() for line in scheme.split("\n") if line.strip()]
    if math.isclose(sum(one.points for one in criteria("\n".join(lines))), points):
        return lines
    return [f"- {_points(points)}: the answer is right" + (", as described here" if lines else ""), *_quoted(lines)]


def _quoted(lines: Sequence[str]) -> list[str]:
    return [f"> {line}" for line in lines]


def _points(points: float) -> str:
    return f"{points:.12g} point" + ("" if points == 1 else "s")


def _last_end(answer: str) -> str:
    return next(line for line in reversed(answer.split("\n")) if line.strip() == end(SOLUTION))


def _kept(name: str, test: str, is_code: bool) -> str:
    """A test as comments or as a block of text; the markers of its hidden checks are written in other words."""
    words = {begin(HIDDEN): "# hidden from here", end(HIDDEN): "# hidden to here"}
    lines = [words.get(line.strip(), line) for line in test.split("\n")]
    if not is_code:
        return "\n".join([f"Test {name!r} of the original:", "", *(f"    {line}".rstrip() for line in lines)])
    return "\n".join([f"# test {name!r} of the original:", *(f"# | {line}".rstrip() for line in lines)])


def _parses_without(source: str, is_code: bool) -> bool:
    """Whether the cell with the stub in place of its solution can be run."""
    return not is_code or syntax_tree(replaced(source, SOLUTION, _RAISE)) is not None


def _definition(source: str, name: str) -> _Definition:
    tree = ast.parse(source)
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name)


def _is_usable(source: str, name: str) -> bool:
    """Whether there is a solution region, each is in the body of the definition, and the stub keeps the rest."""
    lines, inside = source.split("\n"), region_lines(source, SOLUTION)
    stub = syntax_tree(replaced(source, SOLUTION, _RAISE))
    if not inside or stub is None or syntax_tree(source) is None:
        return False
    if [node.name for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)] != [name]:
        return False
    for number, line in enumerate(lines):
        below = next((inner for inner in lines[number + 1 :] if inner.strip()), "")
        if line.strip() == begin(SOLUTION) and _indent(line) != _indent(below):
            return False
    node = _definition(source, name)
    kept = next(one for one in stub.body if isinstance(one, ast.FunctionDef | ast.ClassDef))
    is_inside = all(node.lineno < number <= (node.end_lineno or 0) for number in inside)
    return is_inside and ast.get_docstring(kept) == ast.get_docstring(node)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _other_statements(tree: ast.Module) -> str:
    """The first statement beside imports, texts and the definition; empty if there is none."""
    plain = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, plain) and not is_text:
            return ast.unparse(node).split("\n")[0][:60]
    return ""


def _wrapped(source: str, name: str) -> str:
    """The cell with markers around the body of its function, or of each method of its class."""
    if any(function.body[0].lineno == function.lineno for function in _functions(source, name)):
        source = ast.unparse(ast.parse(source))  # a body on the line of its signature gets lines of its own
    lines = source.split("\n")
    for function in reversed(_functions(source, name)):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body:
            first = (function.body[0].end_lineno or 0) if body is not function.body else _header_end(function, lines)
            last, indent = function.end_lineno or 0, " " * body[0].col_offset
            lines[first:last] = [indent + begin(SOLUTION), *lines[first:last], indent + end(SOLUTION)]
    return "\n".join(lines)


def _functions(source: str, name: str) -> list[ast.FunctionDef]:
    """The function itself, or the methods of the class."""
    node = _definition(source, name)
    return [
        one for one in ([node] if isinstance(node, ast.FunctionDef) else node.body) if isinstance(one, ast.FunctionDef)
    ]


def _with_docstring(source: str, name: str) -> str:
    """The cell with a docstring in its definition."""
    node = _definition(source, name)
    lines = source.split("\n")
    lines.insert(_header_end(node, lines), " " * node.body[0].col_offset + '"""Solves the task above."""')
    return "\n".join(lines)


def _header_end(node: _Definition, lines: Sequence[str]) -> int:
    """The last line of a definition's signature."""
    last = node.body[0].lineno - 1
    while last > node.lineno and not lines[last - 1].split("#")[0].rstrip().endswith(":"):
        last -= 1
    return last
