"""Runs tests inside the student's process, for imported tests that mean something only there.

Such a test reads, replaces or watches what a notebook's own names hold. So student code can reach it, and forge its
result: this is weaker than a test outside, and each log says so (`FlagKind.IN_PROCESS`). Still, the process that gets
hidden checks is a fork that ends after them, and says only whether each one passed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

RUN = "__run_in_process__"
"""Name of the function that runs code in the student's process: it returns True, or raises what the code raised."""


def sent(statements: Sequence[ast.stmt], source: str) -> list[ast.stmt]:
    """Statements that send each statement of a test to the student's process; those of a part one by one.

    Args:
        statements: of the test cell.
        source: the cell's text, as plain Python.
    """
    lines = source.split("\n")
    return [new for node in statements for new in _sent(node, statements, lines)]


def _sent(node: ast.stmt, beside: Sequence[ast.stmt], lines: Sequence[str]) -> Iterator[ast.stmt]:
    if isinstance(node, ast.With) and all(map(_is_part, node.items)):
        body = [new for inner in node.body for new in _sent(inner, node.body, lines)]
        yield ast.copy_location(ast.With(node.items, body), node)
        return
    call = ast.Call(ast.Name(RUN, ast.Load()), [ast.Constant(_text(node, beside, lines))], [])
    new = ast.Assert(call) if isinstance(node, ast.Assert) else ast.Expr(call)
    yield ast.fix_missing_locations(ast.copy_location(new, node))


def _text(node: ast.stmt, beside: Sequence[ast.stmt], lines: Sequence[str]) -> str:
    """A statement's text, on the lines that it has in the cell, so that tracebacks name these."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first, last = min([node.lineno, *(one.lineno for one in decorators)]), node.end_lineno or node.lineno
    shared = [one for one in beside if one is not node and first <= (one.end_lineno or 0) and one.lineno <= last]
    if shared or (node.col_offset and first == 1):  # `a = 1; assert a`
        return "\n" * (first - 1) + ast.unparse(node)
    text = "\n".join(lines[first - 1 : last])
    if not node.col_offset:
        return "\n" * (first - 1) + text
    return "\n" * (first - 2) + f"if True:\n{text}"


def _is_part(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "part"
