"""Rewrites a test cell for our form: `squares(3)` becomes `student.squares(3)`; comments and layout stay.

The places come from the syntax tree, the changes are made in the text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from autograder.course.markers import HIDDEN, begin, end, region, region_lines, replaced
from autograder.imports.soundness import graded_names


@dataclass(frozen=True)
class SoundTest:
    """One test cell of an item, whose test is sound."""

    grade_id: str
    points: float
    source: str
    imports: tuple[str, ...] = ()
    """Import statements of other test cells that it needs."""


def item_test(item: str, tests: Sequence[SoundTest], graded: Collection[str]) -> str:
    """The test cell of an item, from the test cells that nbgrader ran for it.

    One test cell stays all or nothing. Of several, each becomes a part (`homework.checks.part`) with its points; if it
    has visible and hidden checks, half of its points are for the visible ones and half for all.
    """
    visible, hidden = [], []
    for test in tests:
        source = "\n".join([*test.imports, test.source])
        shown = _with_student(replaced(source, HIDDEN, None), graded)
        whole = _with_student(_without_markers(source), graded) if region_lines(source, HIDDEN) else ""
        if len(tests) == 1:
            visible.append(shown)
            hidden += [_closed(_tail(source, graded) or whole)] if whole else []
        else:
            is_split = is_mixed(source, graded)
            points = test.points / 2 if is_split else test.points
            visible += [_part(test.grade_id, points, shown)] if is_split or not whole else []
            hidden += [_part(f"{test.grade_id}, all checks", points, _closed(whole))] if whole else []
    last = f'print("{item}: all visible checks passed")'
    below = [begin(HIDDEN), *hidden, end(HIDDEN)] if hidden else []
    return "\n".join(text for text in [*visible, last, *below] if text.strip())


def is_mixed(source: str, graded: Collection[str]) -> bool:
    """Whether a test cell has hidden checks and also visible ones, which call the student's code."""
    visible = replaced(source, HIDDEN, None)
    return bool(region_lines(source, HIDDEN) and graded_names(ast.parse(visible), graded))


def first_call(source: str, name: str) -> str:
    """The arguments of the first call of a function on constants only, in the visible checks; empty if there is none.

    A call that is expected to fail (in `try`, or below `with`) does not count.
    """
    tree = ast.parse(replaced(source, HIDDEN, None))
    for statement in tree.body:
        if isinstance(statement, ast.Assert | ast.Assign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                    if all(_is_constant(one) for one in arguments):
                        return ast.unparse(node).removeprefix(name)
    return ""


def first_use(source: str, name: str) -> str:
    """As `first_call`, for a class: the first object made of constants, and the first check of a member."""
    made: dict[str, str] = {}
    for statement in ast.parse(replaced(source, HIDDEN, None)).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            if call := first_call(ast.unparse(statement), name):
                made.setdefault(statement.targets[0].id, call)
        for node in ast.walk(statement) if isinstance(statement, ast.Assert) else ():
            arguments = [*node.args, *(one.value for one in node.keywords)] if isinstance(node, ast.Call) else []
            member = node.func if isinstance(node, ast.Call) else node
            if isinstance(member, ast.Attribute) and isinstance(member.value, ast.Name) and member.value.id in made:
                if all(map(_is_constant, arguments)):
                    return made[member.value.id] + ast.unparse(node).removeprefix(member.value.id)
    return ""


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _tail(source: str, graded: Collection[str]) -> str:
    """The hidden checks alone, if they stand below all visible code and at the top level; else empty."""
    lines = source.rstrip().split("\n")
    hidden = sorted(region_lines(source, HIDDEN))
    below = [line for line in lines[hidden[-1] + 1 :] if line.strip() and not line.lstrip().startswith("#")]
    one_region = hidden == list(range(hidden[0], hidden[-1] + 1))
    text = region(source, HIDDEN)
    try:
        ast.parse(text)
    except SyntaxError:  # inside of a block
        return ""
    return _with_student(text, graded) if one_region and not below else ""


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if line.strip() not in (begin(HIDDEN), end(HIDDEN)))


def _closed(source: str) -> str:
    """The code, which does not end with a bare expression: nbgrader would take its value as the score."""
    body: list[ast.stmt] = ast.parse(source).body
    while body and isinstance(body[-1], ast.With | ast.For | ast.While | ast.If):
        body = body[-1].body
    return f"{source.rstrip()}\npass" if body and isinstance(body[-1], ast.Expr) else source


def _part(name: str, points: float, body: str) -> str:
    return f"with part({json.dumps(name)}, {points:.12g}):\n{_indented(body)}"


def _indented(source: str) -> str:
    """The code one level deeper; the inner lines of long strings stay as they are."""
    tree = ast.parse(source)
    inside = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for number in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
    lines = source.rstrip().split("\n")
    deeper = [f"    {line}" if line.strip() and n not in inside else line for n, line in enumerate(lines, start=1)]
    return "\n".join([*deeper, *([] if tree.body else ["    pass"])])


def _with_student(source: str, graded: Collection[str]) -> str:
    """The code with `student.` in front of each graded name, and without its prints."""
    source = _without_prints(source)
    tree = ast.parse(source)
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    in_formatted = {id(inner) for node in formatted for inner in ast.walk(node)}
    places = [(node.lineno, node.col_offset) for node in graded_names(tree, graded) if id(node) not in in_formatted]
    lines = [line.encode() for line in source.split("\n")]
    for number, column in sorted(set(places), reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + b"student." + line[column:]
    changed = b"\n".join(lines).decode()
    names = "|".join(map(re.escape, sorted(graded)))
    for node in formatted:  # Python 3.11 does not tell the places inside
        text = ast.get_source_segment(source, node) or ""
        if text and graded_names(ast.Module([ast.Expr(node)], []), graded):
            changed = changed.replace(text, re.sub(rf"(?<![\w.])(?=(?:{names})\()", "student.", text))
    return changed


def _without_prints(source: str) -> str:
    """The code with the values that it prints computed only: the visible part has one print, its last line."""
    prints = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_print(node.value)
    ]
    lines = [line.encode() for line in source.split("\n")]
    for node in sorted(prints, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        assert isinstance(node.value, ast.Call) and node.end_lineno and node.end_col_offset is not None
        computed = [ast.unparse(one) for one in node.value.args if not isinstance(one, ast.Constant)]
        text = f"_ = [{', '.join(computed)}]" if computed else "pass"
        before, after = lines[node.lineno - 1][: node.col_offset], lines[node.end_lineno - 1][node.end_col_offset :]
        lines[node.lineno - 1 : node.end_lineno] = [before + text.encode() + after]
    return b"\n".join(lines).decode()


def _is_print(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "print"
