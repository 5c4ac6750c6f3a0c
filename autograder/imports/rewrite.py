"""Rewrites a test cell for our form: `squares(3)` becomes `student.squares(3)`; comments and layout stay.

The places come from the syntax tree, the changes are made in the text. A test that runs inside the student's process
stays as it is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.course.markers import HIDDEN, begin, end, region, region_lines, replaced
from autograder.imports.code_edits import Edit, edited, inner_lines
from autograder.imports.reach import Reached, places

_NO_CHECKS = ("print", "display", "seed", "manual_seed")
"""Functions whose call alone is no check."""


@dataclass(frozen=True)
class ItemPart:
    """One test cell of an item."""

    grade_id: str
    points: float
    source: str
    imports: tuple[str, ...] = ()
    """Import statements of other test cells that it needs."""


def item_test(item: str, tests: Sequence[ItemPart], reached: Reached | None) -> str:
    """The test cell of an item, from the original test cells.

    One test cell stays all or nothing. Of several, each becomes a part (`homework.checks.part`) with its points; if it
    has visible and hidden checks, half of its points are for the visible ones and half for all.

    Args:
        item: the item.
        tests: its test cells.
        reached: what they reach in the student's process; None if they run inside it.
    """
    visible, hidden = [], []
    for test in tests:
        source = "\n".join([*test.imports, test.source])
        shown = _rewritten(replaced(source, HIDDEN, None), reached)
        whole = _rewritten(_without_markers(source), reached) if region_lines(source, HIDDEN) else ""
        if len(tests) == 1:
            visible.append(shown)
            hidden += [_secret(_tail(source, reached) or whole)] if whole else []
        else:
            is_split = is_mixed(source, reached)
            points = test.points / 2 if is_split else test.points
            visible += [_part(test.grade_id, points, shown)] if is_split or not whole else []
            hidden += [_part(f"{test.grade_id}, all checks", points, _secret(whole))] if whole else []
    has_visible = any(_checks(replaced(test.source, HIDDEN, None), reached) for test in tests)
    said = (
        "all visible checks passed"
        if has_visible or not hidden
        else "has no visible check; hidden ones run after you submit"
    )
    last = f'print("{item}: {said}")'
    below = [begin(HIDDEN), *hidden, end(HIDDEN)] if hidden else []
    return "\n".join(text for text in [*visible, last, *below] if text.strip())


def is_mixed(source: str, reached: Reached | None) -> bool:
    """Whether a test cell has hidden checks and also visible ones, which check the student's code."""
    return bool(region_lines(source, HIDDEN)) and _checks(replaced(source, HIDDEN, None), reached)


def _checks(source: str, reached: Reached | None) -> bool:
    """Whether code checks what the student's code does: making values, defining helpers and printing are no checks."""
    tree = ast.parse(source)
    is_reaching = reached is None or bool(places(tree, reached))
    return is_reaching and any(map(_is_check, _run_directly(tree)))


def _run_directly(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, without the bodies of functions and classes."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _run_directly(node)


def _is_check(node: ast.AST) -> bool:
    if isinstance(node, ast.withitem):
        return "raises" in ast.unparse(node.context_expr).lower()
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).rpartition(".")[2] not in _NO_CHECKS
    return isinstance(node, ast.Assert | ast.Raise)


def _tail(source: str, reached: Reached | None) -> str:
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
    return _rewritten(text, reached) if one_region and not below else ""


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
    inside = inner_lines(tree)
    lines = source.rstrip().split("\n")
    deeper = [f"    {line}" if line.strip() and n not in inside else line for n, line in enumerate(lines, start=1)]
    return "\n".join([*deeper, *([] if tree.body else ["    pass"])])


def _rewritten(source: str, reached: Reached | None) -> str:
    """The code with `student.` in front of each name that it reaches in the student's process, and without its prints.

    Code that runs inside that process stays as it is: it may look at what it prints.
    """
    if reached is None:
        return source
    source = _without_prints(source)
    return edited(source, _prefixes(ast.parse(source), reached))


def _prefixes(tree: ast.Module, reached: Reached) -> Iterable[Edit]:
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(inner) for node in formatted for inner in ast.walk(node) if inner is not node}
    yield from ((node, f"student.{node.id}") for node in places(tree, reached) if id(node) not in inside)
    for node in formatted:  # Python 3.11 does not tell the places inside
        found = [] if id(node) in inside else places(ast.Module([ast.Expr(node)], []), reached)
        if found:
            prefixed = {id(one): f"student.{one.id}" for one in found}
            yield node, ast.unparse(_Replaced(prefixed).visit(node))


class _Replaced(ast.NodeTransformer):
    def __init__(self, texts: dict[int, str]) -> None:
        self._texts = texts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replaces a name."""
        text = self._texts.get(id(node))
        return node if text is None else ast.parse(text, mode="eval").body


def _secret(source: str) -> str:
    """Hidden checks as the source needs them: no message shows values, and the last line has none either."""
    shown = [node.msg for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) and node.msg]
    values = [one for one in shown if not isinstance(one, ast.Constant)]
    return _closed(edited(source, ((one, repr("a hidden check failed")) for one in values)))


def _without_prints(source: str) -> str:
    """The code with the values that it prints computed only: the visible part has one print, its last line."""
    prints = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_print(node.value)
    ]
    values = {id(node): [one for one in _arguments(node) if not isinstance(one, ast.Constant)] for node in prints}
    computed = {key: ", ".join(map(ast.unparse, found)) for key, found in values.items()}
    return edited(
        source, ((node.value, f"_ = [{computed[id(node)]}]" if computed[id(node)] else "pass") for node in prints)
    )


def _arguments(node: ast.Expr) -> Sequence[ast.expr]:
    return node.value.args if isinstance(node.value, ast.Call) else ()


def _is_print(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "print"
