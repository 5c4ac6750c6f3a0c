"""Finds the statements below one that failed, and the names that a statement binds or changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_OWN_NAMES = (*_SCOPES, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Nodes whose inner assignments bind no name of the notebook."""


def remaining_statements(statements: Sequence[ast.stmt], line: int) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements that failed and those below them, in order.

    Args:
        statements: of a cell.
        line: the line that raised; of an `if` or `with` only the part up to this line counts as failed.

    Returns:
        The failed statement, at most one, and the statements below it. Both empty if no statement is on that line.
    """
    for place, statement in enumerate(statements):
        if not statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            continue
        below = list(statements[place + 1 :])
        if isinstance(statement, (ast.If, ast.With)):
            for block in (statement.body, statement.orelse if isinstance(statement, ast.If) else []):
                failed, rest = remaining_statements(block, line)
                if failed:
                    return failed, rest + below
        return [statement], below
    return [], []


def names_changed(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names of the notebook that a statement binds, and those whose objects it changes in place.

    A star import binds `*`; a magic may bind any name and changes `*`.
    """
    binds: set[str] = set()
    changes: set[str] = set()
    for node in _at_top_level(statement):
        if isinstance(node, _SCOPES):
            binds.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            binds |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            binds.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            binds.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            changes |= _base(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            changes |= _base(node.func)
        elif isinstance(node, ast.Name) and node.id == "get_ipython":
            changes.add("*")
    return binds, changes


def _base(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _at_top_level(node: ast.AST) -> Iterator[ast.AST]:
    """The node and its descendants that run in the notebook's own namespace."""
    yield node
    if not isinstance(node, _OWN_NAMES):
        for child in ast.iter_child_nodes(node):
            yield from _at_top_level(child)
