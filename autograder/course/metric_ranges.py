"""The expected ranges of a problem's metrics, read from its source as a literal, and the linter's rules about them.

The table is in the cell tagged `log`: `log.bands({metric id: {profile: (lowest, highest)}})`. Submissions cannot change
it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence

from autograder.core.errors import SourceError
from autograder.course.percent import TextCell
from autograder.course.problem import Problem
from autograder.course.python_cells import plain_python
from homework.hand_in.expected_ranges import Bands, wrong_with


@functools.lru_cache(maxsize=32)
def declared_ranges(problem: Problem) -> Bands:
    """The expected ranges that a problem's source declares; empty if it declares none.

    Raises:
        SourceError: the table is not a literal, a profile is unknown, or a range is invalid.
    """
    for cell in problem.cells:
        if "log" in cell.tags:
            for call in _calls(ast.parse(plain_python(cell.source)), "bands"):
                bands, wrong = _table(call)
                if wrong:
                    raise SourceError(f"{problem.path}: {wrong}; fix it in the cell tagged 'log'.")
                return bands
    return {}


def lint_bands(cells: Sequence[TextCell], problem_id: str) -> Iterator[tuple[int, str, str]]:
    """The linter's findings about expected ranges and metric ids, as (line, rule, message)."""
    for cell in cells:
        if cell.cell_type != "code" or "log" not in cell.tags or not cell.lines:
            continue
        try:
            tree = ast.parse(cell.text)
        except (SyntaxError, ValueError):
            continue  # the rule `syntax` reports it
        ast.increment_lineno(tree, cell.lines[0].number - 1)
        tables = list(_calls(tree, "bands"))
        for second in tables[1:]:
            yield second.lineno, "bands", "a second call of bands(...); remove one"
        for call in tables[:1]:
            bands, wrong = _table(call)
            if wrong:
                yield call.lineno, "bands", wrong
            for name in bands:
                if not name.startswith(f"{problem_id}/"):
                    yield call.lineno, "metric-id", _misnamed(name, problem_id)
        for call in _calls(tree, "metric"):
            beginning = _beginning(call.args[0]) if call.args else None
            if beginning is not None and not beginning.startswith(f"{problem_id}/"):
                yield call.lineno, "metric-id", _misnamed(beginning, problem_id)


def _calls(tree: ast.Module, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def _table(call: ast.Call) -> tuple[Bands, str]:
    """The table in a call of `bands`, and an error message, empty if the table is valid."""
    if len(call.args) != 1 or call.keywords:
        return {}, "bands(...) takes one table: {metric id: {profile: (lowest, highest)}}"
    try:
        table = ast.literal_eval(call.args[0])
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return {}, "the table of expected ranges must be a literal, because it is read without running the cell"
    wrong = wrong_with(table)
    return ({}, wrong) if wrong else (table, "")


def _beginning(node: ast.expr) -> str | None:
    """The text with which a metric id begins; None if it begins with a variable."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0] if node.values else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _misnamed(name: str, problem_id: str) -> str:
    return f"the metric id {name!r} must begin with '{problem_id}/'; the logs of all problems are read together"
