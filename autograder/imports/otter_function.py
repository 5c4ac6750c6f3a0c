"""Turns otter's tests that are functions (`def test_mean(mean): ...`) into plain code with the notebook's names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.imports.code_edits import inner_lines

_READ = re.compile(r"""\benv\[(["'])([A-Za-z_]\w*)\1\](?!\s*=[^=])""")
"""`env["x"]`, but not where it gets a value."""


def body_of(code: str, function: ast.FunctionDef) -> str:
    """The body of a test function as plain code: otter calls it with the notebook's values of its parameters.

    `env["x"]` is the notebook's `x`. A function stays one, and is called, if it may return early, uses `env` in another
    way, or has an `x` of its own.
    """
    parameters = _parameters(function)
    is_one_line = function.body[0].lineno == function.lineno
    body = "\n".join(map(ast.unparse, function.body)) if is_one_line else _dedented(code, function)
    plain = _READ.sub(r"\2", body) if "env" in parameters else body
    names = names_of(plain) or NO_NAMES
    own = names.binds & {found[2] for found in _READ.finditer(body)}
    returns = any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in _own_nodes(function))
    if not (own or returns or ("env" in parameters and "env" in names.uses)):
        return plain
    function.decorator_list = []
    arguments = ", ".join("env=globals()" if name == "env" else f"{name}={name}" for name in parameters)
    return f"{ast.unparse(function)}\n\n\n_ = {function.name}({arguments})"


def calls(node: ast.expr, function: ast.FunctionDef) -> bool:
    """Whether an expression calls a function with arguments that have the names of its parameters."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != function.name:
        return False
    given = [one.id if isinstance(one, ast.Name) else "" for one in node.args]
    given += [one.arg or "" if ast.unparse(one.value) == one.arg else "" for one in node.keywords]
    return given == _parameters(function)


def decorated(function: ast.FunctionDef) -> dict[str, Any]:
    """The settings in the decorator `@test_case(points=1, hidden=True)`; none without it."""
    return {
        keyword.arg: keyword.value.value
        for node in function.decorator_list
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "test_case"
        for keyword in node.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside of it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _dedented(code: str, function: ast.FunctionDef) -> str:
    """The lines of a function's body without its indentation; the inner lines of long strings stay as they are."""
    inside = inner_lines(function)
    first, depth = function.body[0].lineno, function.body[0].col_offset
    numbered = enumerate(code.split("\n")[first - 1 : function.end_lineno], start=first)
    return "\n".join(
        line if number in inside or not line[:depth].isspace() else line[depth:] for number, line in numbered
    )
