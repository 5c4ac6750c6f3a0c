"""A problem as an instructor of stock nbgrader or otter-grader would write it: same questions, same tests.

The tests are the course's own, word for word, with three changes that the other systems need: they call the student's
functions by their plain names, the hidden tests define the functions of the reference solution themselves, and each
part with points of its own is a test cell (nbgrader) or a test case (otter) of its own.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterable

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from autograder.course.markers import HIDDEN, RUBRIC, begin, end, region
from autograder.course.problem import Item, Problem, as_notebook
from autograder.release.fill import solution_answers
from autograder.release.notebook import released_notebook

Part = tuple[str, float, str]
"""Tests that earn points together: name, points, source."""

PART = r"with part\(\".*\", ([0-9.]+)\):"
"""A part's first line; its weight."""


def grade_id(cell: NotebookNode) -> str:
    """The cell's grade id; empty if it has none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def stock_tests(problem: Problem, item: Item) -> tuple[Part, list[Part]]:
    """The visible test of an item, with the points of the parts in it, and its hidden tests, in their stock form."""
    assert item.test is not None
    source = item.test.source.replace("student.", "")
    hidden, expected = region(source, HIDDEN), ""
    visible = source.partition(begin(HIDDEN))[0].rstrip()
    shown = sum(float(weight) for weight in re.findall(PART, visible))
    visible = re.sub(PART, "if True:", visible)
    for name, answer in solution_answers(problem).items():
        if f"reference.{name}(" in hidden:
            expected += answer.replace(f"def {name}(", f"def expected_{name}(") + "\n\n\n"
            hidden = hidden.replace(f"reference.{name}(", f"expected_{name}(")
    setup, parts = expected, list[Part]()
    for node in ast.parse(hidden).body:
        text = "\n".join(hidden.splitlines()[node.lineno - 1 : node.end_lineno])
        call = node.items[0].context_expr if isinstance(node, ast.With) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "part":
            name, weight = (ast.literal_eval(argument) for argument in call.args)
            parts.append((name, float(weight), textwrap.dedent(text.partition("\n")[2])))
        else:
            setup += f"{text}\n"
    if not parts:
        setup, parts = "", [("all", item.points - shown, expected + hidden)]
    scale = item.points / (shown + sum(weight for _, weight, _ in parts))
    return ("visible", scale * shown, visible), [(name, scale * weight, setup + body) for name, weight, body in parts]


def nbgrader_source(problem: Problem, *, whole: bool = False) -> NotebookNode:
    """The instructor's notebook for stock nbgrader: answers, visible and hidden tests.

    Args:
        problem: the course's own source.
        whole: with all given cells, texts and figures as students get them; else only what graded items need, without
            what imports the course's helpers.
    """
    cells: list[NotebookNode] = []
    given = {cell.id: cell.source for cell in released_notebook(problem).cells} if whole else {}
    for cell in as_notebook(problem).cells:
        name = grade_id(cell)
        if name.startswith("test_"):
            cells += _test_cells(problem, problem.item(name.removeprefix("test_")))
        elif name and (whole or not name.startswith("figure_")):
            cell.source = cell.source.partition(begin(RUBRIC))[0].rstrip()
            cells.append(cell)
        elif whole:
            cell.source = given[cell.id]
            cells.append(cell)
        elif "import torch" in cell.source and not name and not cell.metadata.get("tags"):
            cells.append(new_code_cell(_imports(cell.source)))
        elif not cells:
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


def _test_cells(problem: Problem, item: Item) -> list[NotebookNode]:
    cells = []
    (_, shown, visible), hidden = stock_tests(problem, item)
    parts = [(part, points, f"{begin(HIDDEN)}\n{text}\n{end(HIDDEN)}") for part, points, text in hidden]
    if shown:
        parts.insert(0, ("", shown, visible))
    else:
        part, points, text = parts[0]
        parts[0] = (part, points, f"{visible}\n{text}")
    for number, (part, points, source) in enumerate(parts):
        name = f"test_{item.id}" + (re.sub(r"\W", "_", f"_{part}") if number else "")
        nbgrader = {"grade": True, "grade_id": name, "locked": True, "points": points, "schema_version": 3}
        cell = new_code_cell(source)
        cell.metadata["nbgrader"] = {**nbgrader, "solution": False, "task": False}
        cells.append(cell)
    return cells


def item_of(test_id: str, items: Iterable[str]) -> str:
    """The item that a test cell of stock nbgrader, `test_<item>` or `test_<item>_<part>`, belongs to."""
    return max((item for item in items if f"{test_id}_".startswith(f"test_{item}_")), key=len)


def otter_tests(problem: Problem) -> dict[str, str]:
    """Test files in otter's OK format: file name -> text."""
    files = {}
    for item in problem.items:
        if item.test is not None:
            visible, hidden = stock_tests(problem, item)
            cases = [
                {"code": _doctest(source), "hidden": number > 0, "locked": False, "points": points}
                for number, (_, points, source) in enumerate([visible, *hidden])
            ]
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
        lines += [f">>> {'_ = ' if isinstance(node, ast.Expr) else ''}{first}", *(f"... {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def otter_notebook(source: NotebookNode) -> NotebookNode:
    """The student's notebook for otter from the instructor's for nbgrader: one cell asks otter's checker for each item.

    nbgrader's metadata stay on the cells, so that the same attacks can be made; otter ignores them.
    """
    notebook = copy.deepcopy(source)
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = preprocessor.preprocess(notebook, {})
    items = [grade_id(cell) for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    cells = [new_code_cell("import otter\n\ngrader = otter.Notebook()")]
    checked = set[str]()
    for cell in notebook.cells:
        if grade_id(cell).startswith("test_"):
            item = item_of(grade_id(cell), items)
            cell.source = f'grader.check("{item}")'
            if item in checked:
                continue
            checked.add(item)
        cells.append(cell)
    for cell in cells:
        cell.pop("id", None)
    notebook.cells, notebook.nbformat_minor = cells, 4
    return notebook
