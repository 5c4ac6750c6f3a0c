"""Writes the source of a problem from the plan of an imported notebook, and says what became of each cell."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from autograder.core.fast_imports import without_server
from autograder.course.markers import RUBRIC, SOLUTION, region, replaced, without_markers
from autograder.course.problem import IN_PROCESS, WATCH_ARGUMENTS
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.answers import by_hand
from autograder.imports.original import Original
from autograder.imports.plan import Answer, Plan
from autograder.imports.reach import reads_arguments
from autograder.imports.rewrite import is_mixed, item_test

with without_server():
    import jupytext

_HEADER = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

"""
_SET_UP = "import __main__ as student  # the names of this notebook, for its tests"
_PART = '''from contextlib import contextmanager


@contextmanager
def part(name, weight=1.0):
    """A part of a test, with its share of the points."""
    yield'''
_MAGIC = re.compile(r"[%!?]|[\w.]+\?+\s*$")
_CELL_MARK = re.compile(r"^#\s*%%", re.MULTILINE)
"""A comment that would begin a cell in percent format."""


@dataclass(frozen=True)
class Fate:
    """What became of one cell of the original."""

    cell: Original
    became: str
    look: str = ""
    """What to look at; empty if nothing."""
    kept: str = ""
    """Text that is in no cell of the new source, and so is kept in the report."""


@dataclass(frozen=True)
class Written:
    """A new source, and what became of each cell of the original."""

    text: str
    points: float
    """Points of all items of the new source."""
    fates: tuple[Fate, ...]


def written_source(plan: Plan, title: str) -> Written:
    """The source of a problem, in percent format, from the plan of an imported notebook."""
    first = next((cell for cell in plan.cells if not cell.left_out), plan.cells[0])
    has_title = first.cell_type == "markdown" and first.role == "given" and first.source.lstrip().startswith("# ")
    cells = [] if has_title else [new_markdown_cell(f"# {title}")]
    fates = []
    for cell in plan.cells:
        made, fate = _cell(plan, cell)
        cells += made
        fates.append(replace(fate, look="; ".join(filter(None, (fate.look, cell.look)))))
    place = 1  # below the title
    cells[place:place] = [new_code_cell(text) for text in _set_up(cells)]
    points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)
    body = jupytext.writes(
        new_notebook(cells=cells, metadata={"jupytext": {"cell_metadata_filter": "all"}}), "py:percent"
    )
    return Written(_HEADER + body[body.index("# %%") :], points, tuple(fates))


def _set_up(cells: Sequence[NotebookNode]) -> list[str]:
    """What the tests need of the notebook: a cell, or none."""
    tests = "\n".join(cell.source for cell in cells if cell.metadata.get("nbgrader", {}).get("locked"))
    wanted = [_SET_UP] * ("student." in tests) + [_PART] * ("with part(" in tests)
    return ["\n".join(wanted)] if wanted else []


def _cell(plan: Plan, cell: Original) -> tuple[list[NotebookNode], Fate]:
    """The new cells in the place of an original one, and its fate."""
    if cell.role == "given":
        return _given(plan, cell)
    answer = plan.answer_of(cell)
    if cell.role == "test" and cell is not answer.cell:
        return _test(plan, answer, cell)
    if not answer.item:
        return _without_points(answer)
    if cell is not answer.cell:
        return [], Fate(cell, f"at the top of the cell of `{answer.item}`, which needs it")
    if answer.is_code:
        assert answer.code
        data = {"grade": False, "grade_id": answer.item, "locked": False, "solution": True}
        notes = "; ".join(answer.code.notes)
        return [_graded("code", answer.code.source, data)], Fate(cell, f"the solution cell of `{answer.item}`", notes)
    return _by_hand(answer)


def _given(plan: Plan, cell: Original) -> tuple[list[NotebookNode], Fate]:
    look = "the pictures inside this cell are not taken over; link to a published file" if cell.has_attachments else ""
    if not cell.source.strip():
        return [], Fate(cell, f"left out: {cell.left_out or 'it is empty'}", look)
    if cell.cell_type == "markdown" and ("](" in cell.source or "<img" in cell.source) and not look:
        look = "it links to something: put the file where students can open it, if it is not on the web"
    parts = _magics_apart(cell.source) if cell.cell_type == "code" else [cell.source]
    became = "a cell that students get as it is"
    if len(parts) > 1:
        became = "cells that students get; magics have a cell of their own, which grading does not run"
    made = [_new_cell(cell.cell_type, part) for part in parts]
    if cell.cell_type == "code" and plan.only_trains(cell):
        became = "a cell that students get; it trains and no test needs it, so grading does not run it"
        for one in made:
            one.metadata["tags"] = ["train"]
    return made, Fate(cell, became, look)


def _magics_apart(source: str) -> list[str]:
    """The code in runs of magics and runs of Python; as one text where that is not possible."""
    if plain_python(source) == source or source.lstrip().startswith("%%"):
        return [source]
    lines = itertools.groupby(source.split("\n"), key=lambda line: bool(_MAGIC.match(line)))
    runs = [(is_magic, "\n".join(run).strip("\n")) for is_magic, run in lines]
    if any(not is_magic and (syntax_tree(text) is None or plain_python(text) != text) for is_magic, text in runs):
        return [source]
    return [text for _, text in runs if text]


def _test(plan: Plan, answer: Answer, cell: Original) -> tuple[list[NotebookNode], Fate]:
    if not answer.item:
        return [], Fate(cell, "no points: kept in this report only", "give it points if it should count", cell.source)
    if not answer.is_code:
        reason = answer.by_hand.get(cell.number)
        why = f": {reason.why}" if reason else ", with the rest of its item"
        fix = f"to have it graded by its test: {reason.fix}" if reason else ""
        return [], Fate(cell, f"in the sample answer of `{answer.item}`, which is graded by hand{why}", fix)
    if cell.points == 0:
        look = "a part of a test must have points; give it some in the source"
        return [], Fate(cell, "no points: kept in this report only", look, cell.source)
    tests, reached = plan.tests_of(answer), plan.reached_by(answer)
    became = (
        f"the test of `{answer.item}`" if len(tests) == 1 else f"the part {cell.grade_id!r} of `{answer.item}`'s test"
    )
    look = ""
    if answer.is_in_process:
        reason = answer.inside.get(cell.number) or answer.inside.get(answer.cell.number)
        became += f", which runs inside the student's process{f': {reason.why}' if reason else ''}"
        if reason:
            look = f"student code can forge the result of its test; to have it tested outside: {reason.fix}"
    if len(tests) > 1 and is_mixed(cell.source, reached):
        split = "half of its points are for its visible checks, half for all of its checks; the original is all or none"
        look = "; ".join(filter(None, (look, split)))
    if cell.grade_id != tests[-1].grade_id:
        return [], Fate(cell, became, look)
    data = {"grade": True, "grade_id": f"test_{answer.item}", "locked": True, "solution": False}
    test = _graded("code", item_test(answer.item, tests, reached), data | {"points": _number(answer.points)})
    if answer.is_in_process:
        test.metadata["tags"] = [IN_PROCESS]
    elif reached and any(reads_arguments(ast.parse(without_markers(one.source)), reached) for one in tests):
        test.metadata["tags"] = [WATCH_ARGUMENTS]
    return [test], Fate(cell, became, look)


def _by_hand(answer: Answer) -> tuple[list[NotebookNode], Fate]:
    cell = answer.cell
    is_code = cell.cell_type == "code" and cell.role != "test"
    kept = [(test.grade_id, test.points, test.source) for test in (answer.tests if cell.role != "test" else [cell])]
    own = {"task": "", "test": ""}.get(cell.role, answer.source)
    if cell.role == "task" and (scheme := region(cell.source, RUBRIC)):
        own = f"### BEGIN MARK SCHEME\n{scheme}\n### END MARK SCHEME"
    points = 0.0 if cell.role == "test" else cell.points
    data = {"grade": True, "grade_id": answer.item, "locked": False, "points": _number(answer.points), "solution": True}
    made = [_graded(cell.cell_type if is_code else "markdown", by_hand(own, is_code, points, kept), data)]
    if cell.role == "task":
        made.insert(0, _new_cell("markdown", _shown(cell)))
    reason = answer.by_hand.get(cell.number)
    became = f"`{answer.item}`, graded by hand" + (f": {reason.why}" if reason else "")
    look = f"to have it graded by its test: {reason.fix}" if reason else ""
    if not reason and not region(cell.source, RUBRIC) and cell.role != "solution":
        look = "its rubric has one line for all points; write down what they are for"
    return made, Fate(cell, became, look)


def _shown(task: Original) -> str:
    """What students read of a task."""
    return replaced(replaced(task.source, RUBRIC, None), SOLUTION, None).strip()


def _without_points(answer: Answer) -> tuple[list[NotebookNode], Fate]:
    """The cell of an answer that no points depend on: students get its stub, and grading does not take it over."""
    cell = answer.cell
    if cell.role == "test":
        return [], Fate(cell, "no points: kept in this report only", "give it points if it should count", cell.source)
    look = "an answer without points is not graded here: give it a test with points, or make it a given cell"
    source = answer.code.source if answer.code else cell.source
    if cell.cell_type != "code":
        made = [_new_cell("markdown", _shown(cell) if cell.role == "task" else "*Your answer (not graded).*")]
    elif region(source, SOLUTION):
        made = [_new_cell("code", replaced(source, SOLUTION, "raise NotImplementedError"))]
    else:
        made = [_new_cell("code", "# your code (not graded)")]
    return made, Fate(cell, "an answer without points: students get its stub", look, cell.source)


def _graded(cell_type: str, source: str, data: dict[str, Any]) -> NotebookNode:
    cell = _new_cell(cell_type, source)
    cell.metadata["nbgrader"] = dict(sorted((data | {"schema_version": 3, "task": False}).items()))
    return cell


def _new_cell(cell_type: str, source: str) -> NotebookNode:
    if cell_type == "code":
        cell = new_code_cell(_CELL_MARK.sub("## %%", source))
    else:
        cell = new_raw_cell(source) if cell_type == "raw" else new_markdown_cell(source)
    assert isinstance(cell, NotebookNode)
    return cell


def _number(points: float) -> float | int:
    return int(points) if points == int(points) else points
