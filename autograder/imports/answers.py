"""Makes our answer cells from nbgrader's: the stub of a code item, and cells that are graded by hand."""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autograder.core.text import counted
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
from autograder.course.python_cells import DEFINITIONS, plain_python, syntax_tree
from autograder.imports.soundness import Reason

_Definition = ast.FunctionDef | ast.ClassDef
_RAISE = "raise NotImplementedError"


class CodeAnswer(NamedTuple):
    """The solution cell of a code item."""

    name: str
    """The function or class that it defines and nothing else; empty for any other cell."""
    source: str
    notes: tuple[str, ...]
    """What was changed, in words."""


def code_answer(source: str) -> CodeAnswer | Reason:
    """The solution cell of a code item.

    If it defines one function or class, signature and docstring are outside of the solution region, the body inside. Of
    any other cell, students get what the original shows of it: the lines outside of its solution regions.

    Returns:
        The cell, or why it cannot be one, in which case the item is graded by hand.
    """
    solved = without_markers(source)
    tree = syntax_tree(solved)
    if tree is None or plain_python(solved) != solved:
        return Reason("the solution cell has a magic, or is not valid Python", "write plain Python", by_hand=True)
    defined = [node for node in tree.body if isinstance(node, DEFINITIONS)]
    is_one = len(defined) == 1 and not isinstance(defined[0], ast.AsyncFunctionDef)
    return (_definition_answer(source, tree, defined[0].name) if is_one else None) or _other_answer(source, solved)


def _definition_answer(source: str, tree: ast.Module, name: str) -> CodeAnswer | None:
    """A cell that defines one function or class; None if its body cannot be told from the rest."""
    notes = []
    if not _is_usable(source, name):
        if region_lines(source, SOLUTION) or not _is_plain(source, tree):  # students would see more than signatures
            return None
        source = _wrapped(source)
        notes.append("students now see its signature and docstring")
    if not _is_usable(source, name):
        return None
    if not ast.get_docstring(_definition(source, name)):
        source = _with_docstring(source, name)
        notes.append("it got a docstring; describe arguments and result there")
    return CodeAnswer(name, source, tuple(notes))


def _other_answer(source: str, solved: str) -> CodeAnswer:
    """A cell whose answer is what its variables hold, or several definitions."""
    has_regions = bool(region_lines(source, SOLUTION))
    if has_regions and _has_stub(source):
        return CodeAnswer("", source, ())
    if not has_regions and _is_plain(solved, ast.parse(solved)) and _has_stub(wrapped := _wrapped(solved)):
        return CodeAnswer("", wrapped, ("students now see its signatures and docstrings",))
    return CodeAnswer("", f"{begin(SOLUTION)}\n{solved.strip()}\n{end(SOLUTION)}", ())


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
        lines.append(f"{mark}- {counted(f'{worth:.12g}', 'point')}: passes the test {name!r} (below the sample answer)")
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
    worth = counted(f"{points:.12g}", "point")
    return [f"- {worth}: the answer is right" + (", as described here" if lines else ""), *_quoted(lines)]


def _quoted(lines: Sequence[str]) -> list[str]:
    return [f"> {line}" for line in lines]


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
    inside = region_lines(source, SOLUTION)
    stub = syntax_tree(replaced(source, SOLUTION, _RAISE))
    if not inside or stub is None or not _has_stub(source):
        return False
    if [node.name for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)] != [name]:
        return False
    node = _definition(source, name)
    kept = next(one for one in stub.body if isinstance(one, ast.FunctionDef | ast.ClassDef))
    is_inside = all(node.lineno < number <= (node.end_lineno or 0) for number in inside)
    return is_inside and ast.get_docstring(kept) == ast.get_docstring(node)


def _has_stub(source: str) -> bool:
    """Whether the cell is valid with each solution region replaced by a line of the region's indentation."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        below = next((inner for inner in lines[number + 1 :] if inner.strip()), "")
        if line.strip() == begin(SOLUTION) and _indent(line) != _indent(below):
            return False
    return all(syntax_tree(one) is not None for one in (source, replaced(source, SOLUTION, _RAISE)))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_plain(source: str, tree: ast.Module) -> bool:
    """Whether a cell has nothing but definitions whose signatures say nothing of the solution, and no comment."""
    told = {line for node in tree.body for line in _lines_of_definition(node)}
    return bool(tree.body) and not any(
        line.strip() for number, line in enumerate(source.split("\n"), start=1) if number not in told
    )


def _lines_of_definition(node: ast.AST) -> Iterator[int]:
    """The lines of a function, or of the head and the methods of a class; without decorators and all else."""
    if isinstance(node, ast.FunctionDef):
        yield from range(node.lineno, (node.end_lineno or 0) + 1)
    elif isinstance(node, ast.ClassDef):
        yield from range(node.lineno, node.body[0].lineno)
        has_text = ast.get_docstring(node) is not None
        if has_text:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
        for one in node.body[1:] if has_text else node.body:
            yield from _lines_of_definition(one) if isinstance(one, ast.FunctionDef) else ()


def _wrapped(source: str) -> str:
    """The cell with markers around the body of each function, and of each method of a class."""
    if any(function.body[0].lineno == function.lineno for function in _functions(source)):
        source = ast.unparse(ast.parse(source))  # a body on the line of its signature gets lines of its own
    lines = source.split("\n")
    for function in reversed(_functions(source)):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body:
            first = (function.body[0].end_lineno or 0) if body is not function.body else _header_end(function, lines)
            last, indent = function.end_lineno or 0, " " * body[0].col_offset
            lines[first:last] = [indent + begin(SOLUTION), *lines[first:last], indent + end(SOLUTION)]
    return "\n".join(lines)


def _functions(source: str) -> list[ast.FunctionDef]:
    """The functions of a cell, and the methods of its classes, in order."""
    body = ast.parse(source).body
    inside = [inner for node in body for inner in (node.body if isinstance(node, ast.ClassDef) else [node])]
    return [one for one in inside if isinstance(one, ast.FunctionDef)]


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
