"""A problem as an instructor of stock nbgrader or otter-grader would write it: same questions, same tests.

The tests are taken from the course's own source, word for word, with three changes that the other systems need: the
student's functions are called by their plain names, what the reference solution is asked for is a function that stands
in the hidden tests, and each part with points of its own is a test cell (nbgrader) or a test case (otter) of its own.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, begin, end, region
from autograder.course.problem import Item, Problem, as_notebook
from autograder.release.fill import solution_answers
from autograder.release.notebook import released_notebook, stub

MARKS = ("hidden_x", "expected_standardize", "steep")
"""Words that stand in hidden tests only."""


@dataclass(frozen=True)
class HiddenPart:
    """Hidden tests that earn points together."""

    name: str
    points: float
    source: str


@dataclass(frozen=True)
class Tests:
    """The tests of one item."""

    item: str
    visible: str
    hidden: tuple[HiddenPart, ...]


def stock_tests(problem: Problem, item: Item) -> Tests:
    """The tests of an item in their stock form."""
    assert item.test is not None
    source = item.test.source.replace("student.", "")
    visible = source.partition(begin(HIDDEN))[0].rstrip()
    hidden = region(source, HIDDEN)
    expected = ""
    for name, answer in solution_answers(problem).items():
        if f"reference.{name}(" in hidden:
            expected += answer.replace(f"def {name}(", f"def expected_{name}(") + "\n\n\n"
            hidden = hidden.replace(f"reference.{name}(", f"expected_{name}(")
    setup, parts = _parts(hidden)
    whole = sum(weight for _, weight, _ in parts) or 1.0
    if not parts:
        return Tests(item.id, visible, (HiddenPart("all", item.points, expected + hidden),))
    listed = (HiddenPart(name, item.points * w / whole, f"{expected}{setup}\n{body}") for name, w, body in parts)
    return Tests(item.id, visible, tuple(listed))


def _parts(hidden: str) -> tuple[str, list[tuple[str, float, str]]]:
    """What stands outside of `with part(name, weight):`, and (name, weight, source) of each such part."""
    setup, parts = [], []
    for node in ast.parse(hidden).body:
        source = "\n".join(hidden.splitlines()[node.lineno - 1 : node.end_lineno])
        call = node.items[0].context_expr if isinstance(node, ast.With) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "part":
            name, weight = (ast.literal_eval(argument) for argument in call.args)
            parts.append((name, float(weight), textwrap.dedent(source.partition("\n")[2])))
        else:
            setup.append(source)
    return "\n".join(setup), parts


def nbgrader_source(problem: Problem, *, whole: bool = False) -> NotebookNode:
    """The instructor's notebook for stock nbgrader: answers, visible and hidden tests.

    Args:
        problem: the course's own source.
        whole: with all given cells, texts and figures as students get them; else only what graded items need, without
            what imports the course's helpers.
    """
    cells = []
    given = {cell.id: cell.source for cell in released_notebook(problem).cells} if whole else {}
    for cell in as_notebook(problem).cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        tags = cell.metadata.get("tags", ())
        if grade_id.startswith("test_"):
            cells += _test_cells(stock_tests(problem, problem.item(grade_id.removeprefix("test_"))))
        elif whole:
            cell.source = cell.source.partition(begin(RUBRIC))[0].rstrip() if grade_id else given[cell.id]
            cells.append(cell)
        elif cell.cell_type == "code" and grade_id and not grade_id.startswith("figure_"):
            cells.append(cell)
        elif grade_id.startswith("written_"):
            cell.source = cell.source.partition(begin(RUBRIC))[0].rstrip()
            cells.append(cell)
        elif cell.cell_type == "code" and not grade_id and "import torch" in cell.source and not tags:
            cells.append(new_code_cell(_imports(cell.source)))
        elif cell.cell_type == "markdown" and not cells:
            cells.append(new_markdown_cell(cell.source))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # the same at each run
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook: NotebookNode = new_notebook(cells=cells, metadata=kernel)
    return notebook


def _imports(source: str) -> str:
    """The cell of imports without what only our notebooks use; `close` stays, as a helper of the course's own."""
    ours = ("import homework", "from homework import", "from homework.show", "from homework.train", "run = ")
    lines = [line for line in source.splitlines() if not line.startswith(ours)]
    return "\n".join(lines).replace("from homework.checks import close, part", "from homework.checks import close")


def _test_cells(tests: Tests) -> list[NotebookNode]:
    cells = []
    for number, part in enumerate(tests.hidden):
        name = f"test_{tests.item}" + (re.sub(r"\W", "_", f"_{part.name}") if number else "")
        source = f"{begin(HIDDEN)}\n{part.source}\n{end(HIDDEN)}"
        nbgrader = {"grade": True, "grade_id": name, "locked": True, "points": part.points, "schema_version": 3}
        cell = new_code_cell(source if number else f"{tests.visible}\n{source}")
        cell.metadata["nbgrader"] = {**nbgrader, "solution": False, "task": False}
        cells.append(cell)
    return cells


def otter_tests(problem: Problem) -> dict[str, str]:
    """Test files in otter's OK format: file name -> text."""
    files = {}
    for item in problem.items:
        if item.test is None:
            continue
        tests = stock_tests(problem, item)
        cases = [{"code": _doctest(tests.visible), "hidden": False, "locked": False, "points": 0}]
        for part in tests.hidden:
            cases.append({"code": _doctest(part.source), "hidden": True, "locked": False, "points": part.points})
        suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        files[f"{item.id}.py"] = f"OK_FORMAT = True\n\ntest = { ({'name': item.id, 'suites': [suite]})!r}\n"
    return files


def _doctest(source: str) -> str:
    """Python statements as a doctest; what they would print is left out."""
    lines = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "print":
            continue
        first, *rest = "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno]).splitlines()
        lines += [f">>> {first}", *(f"... {line}" for line in rest)]
        if isinstance(node, ast.Expr):
            lines[-len(rest) - 1] = f">>> _ = {first}"
    return "\n".join(lines) + "\n"


def item_of(test_id: str, items: Iterable[str]) -> str:
    """Which item does a test cell of stock nbgrader belong to: `test_<item>` or `test_<item>_<part>`?"""
    return max((item for item in items if f"{test_id}_".startswith(f"test_{item}_")), key=len)


def otter_notebook(released: NotebookNode) -> NotebookNode:
    """A student's notebook for otter from one for nbgrader: test cells ask otter's checker.

    The metadata of nbgrader stay on the cells, so that the same attacks can be made; otter passes over them.
    """
    notebook = copy.deepcopy(released)
    graded = [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    items = [data["grade_id"] for data in graded if data["solution"]]
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.startswith("test_"):
            cell.source = f'grader.check("{item_of(grade_id, items)}")'
    notebook.cells.insert(0, new_code_cell("import otter\n\ngrader = otter.Notebook()"))
    for cell in notebook.cells:
        cell.pop("id", None)
    notebook.nbformat_minor = 4
    return notebook


def student_version(source: NotebookNode) -> NotebookNode:
    """The instructor's notebook without answers and hidden tests."""
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if begin(HIDDEN) in cell.source:
            cell.source = cell.source.partition(begin(HIDDEN))[0]
        if begin(SOLUTION) in cell.source:
            head, _, rest = cell.source.partition(begin(SOLUTION))
            indent = head[len(head.rstrip(" ")) :]
            cell.source = head.rstrip(" ") + indent + stub(grade_id, cell.cell_type) + rest.partition(end(SOLUTION))[2]
    return notebook
