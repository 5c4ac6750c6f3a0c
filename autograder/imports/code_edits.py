"""Edits code in place of its syntax tree: all that is not replaced stays as it was written."""

from __future__ import annotations

import ast
from collections.abc import Iterable

Edit = tuple[ast.expr | ast.stmt, str]
"""A node, and the text in its place."""


def edited(source: str, edits: Iterable[Edit]) -> str:
    """The code with texts in the place of nodes that do not overlap."""
    lines = [line.encode() for line in source.split("\n")]
    places = {(node.lineno, node.col_offset): (node, text) for node, text in edits}
    for _, (node, text) in sorted(places.items(), reverse=True):
        assert node.end_lineno and node.end_col_offset is not None
        before, after = lines[node.lineno - 1][: node.col_offset], lines[node.end_lineno - 1][node.end_col_offset :]
        lines[node.lineno - 1 : node.end_lineno] = [before + text.encode() + after]
    return b"\n".join(lines).decode()


def with_decorators(source: str, node: ast.stmt) -> str:
    """The text of a statement; `ast.get_source_segment` leaves out the decorators of a function."""
    decorators = getattr(node, "decorator_list", ())
    text = ast.get_source_segment(source, node) or ""
    return "\n".join([*(f"@{ast.get_source_segment(source, one)}" for one in decorators), text])


def inner_lines(tree: ast.AST) -> set[int]:
    """The numbers of the lines that are inside of long strings, whose indentation belongs to the string."""
    return {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for number in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
