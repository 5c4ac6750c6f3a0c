"""Finds where a test reaches the student's process: what it calls and reads there, gives to it, and gets from it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_TAKES_FUNCTION = ("assert_raises", "assertRaises", "raises")
"""Helpers that get a function to call: `assert_raises(ValueError, squares, 0)`."""
_CHANGING = ("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "add", "discard")
"""Methods that change a list, a set or a dictionary in place."""


class Reached(NamedTuple):
    """The notebook's names that a test may reach in the student's process."""

    functions: frozenset[str] = frozenset()
    """Functions and classes, which it may call."""
    values: frozenset[str] = frozenset()
    """Variables, which it may read."""
    silent: frozenset[str] = frozenset()
    """Functions of the notebook that return nothing, in which process ever they run."""

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.functions | self.values


def places(tree: ast.Module, reached: Reached) -> list[ast.Name]:
    """The places where a test reaches the student's process: calls of functions, and reads of variables."""
    read = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return [*calls(tree, reached), *(node for node in read if node.id in reached.values)]


def calls(tree: ast.Module, reached: Reached) -> list[ast.Name]:
    """The places where a test calls functions, or hands them to a helper that calls them."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found += [node.func, *(node.args if function in _TAKES_FUNCTION else [])]
    return [node for node in found if isinstance(node, ast.Name) and node.id in reached.functions]


def arguments(tree: ast.Module, reached: Reached) -> list[tuple[str, tuple[int, int]]]:
    """The variables that a test gives to the student's code, each with the place where that call ends."""
    reads = places(tree, reached)
    return [
        (name.id, (node.end_lineno or 0, node.end_col_offset or 0))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.func in reads
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    ]


def reads_arguments(tree: ast.Module, reached: Reached) -> bool:
    """Whether a test reads a variable after it gave it to the student's code, which then must not change it.

    In a notebook the test would see the change; here it has the original.
    """
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    read = {(node.id, (node.lineno, node.col_offset)) for node in names}
    return any(name == other and place >= end for name, end in arguments(tree, reached) for other, place in read)


def changed_in_place(node: ast.AST) -> str:
    """The variable whose object a piece of code changes; empty if it is none."""
    changed: ast.AST | None = None
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        changed = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        changed = node.func.value
    elif isinstance(node, ast.AugAssign):
        changed = node.target
    while isinstance(changed, ast.Subscript | ast.Attribute):
        changed = changed.value
    return changed.id if isinstance(changed, ast.Name) else ""


def called(tree: ast.AST) -> list[ast.Name]:
    """The names of the functions that code calls."""
    functions = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [function for function in functions if isinstance(function, ast.Name)]


def results(tree: ast.Module, reached: Reached) -> set[str]:
    """The variables of a test that hold, or are computed from, what it got of the student's process."""
    made, before = set[str](), -1
    while len(made) > before:
        before = len(made)
        for node in ast.walk(tree):
            sources, targets = _assigned(node)
            names = {one.id for source in sources for one in ast.walk(source) if isinstance(one, ast.Name)}
            if names & (made | reached.names):
                made |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return made


def _assigned(node: ast.AST) -> tuple[list[ast.expr], list[ast.AST]]:
    """What a piece of code takes values from, and what gets them."""
    if isinstance(node, ast.Assign):
        return [node.value], list[ast.AST](node.targets)
    if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        return [node.value] if node.value else [], [node.target]
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter], [node.target]
    if isinstance(node, ast.withitem):
        return [node.context_expr], [node.optional_vars] if node.optional_vars else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # `found.append(f(x))`
        return list(node.args), [node.func.value]
    if isinstance(node, ast.FunctionDef):  # a function of the test that calls the student's
        return [one for one in ast.walk(node) if isinstance(one, ast.expr)], [ast.Name(node.name), node.args]
    return [], []


def silent_functions(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The functions at the top of these cells that return nothing, methods of unittest that have a name among them."""
    statements = [node for tree in trees for node in tree.body]
    functions = [node for node in statements if isinstance(node, ast.FunctionDef)]
    loud = {function.name for function in functions if any(map(_gives_value, _own_statements(function)))}
    names = {function.name for function in functions} | {name for node in statements for name in _checks(node)}
    return frozenset(names) - loud


def _checks(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives to a method of unittest: `equal = TestCase().assertEqual`."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr.startswith("assert"):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _own_statements(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The code of a function without that of the functions inside of it."""
    waiting: list[ast.AST] = [*function.body, *function.decorator_list]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _gives_value(node: ast.AST) -> bool:
    is_plain = isinstance(node, ast.Return) and (node.value is None or ast.unparse(node.value) == "None")
    return isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and not is_plain
