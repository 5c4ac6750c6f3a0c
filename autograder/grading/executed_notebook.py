"""Builds the executed notebook: the release with the student's answers, the cells' output and a verdict at each test.

It has no hidden test and no solution. What the student's own run printed and drew is kept, cleaned and marked as such
(`submissions.outputs`), except at tests; pictures in cells that are graded by hand are re-encoded
(`submissions.pictures`). nbgrader's own rule (`determine_grade`) gives each verdict
the same score: no output for full marks, one error output for none, one number for a part.

Markup in the student's text cells is escaped (`plain_markdown`): nbconvert and nbgrader's form grader would pass
scripts in markdown on to the grader's browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from urllib.parse import unquote

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.core.notebook_io import verdict_outputs
from autograder.core.plain_markdown import plain_markdown
from autograder.core.results import ItemResult
from autograder.course.problem import Problem
from autograder.grading.cell_runner import CellRun
from autograder.release.notebook import release_to_read
from autograder.submissions.outputs import Output, Room
from autograder.submissions.pictures import Picture
from autograder.submissions.rebuild import Built, Rebuilt

LOG_TAG = "log"
"""Tag of the cell that writes the log."""
_ATTACHED = re.compile(r"!\[[^\]\n]*\] \(attachment:([^()\s]+)\)")
"""How `plain_markdown` writes a picture that is attached to its cell."""


def executed_notebook(
    problem: Problem, rebuilt: Rebuilt, runs: Mapping[str, CellRun], results: Mapping[str, ItemResult], logged: str = ""
) -> NotebookNode:
    """Builds the notebook for teaching assistants and feedback pages.

    Args:
        problem: the problem.
        rebuilt: the release with the student's answers in it.
        runs: cell id → what the cell printed and raised.
        results: item id → result.
        logged: the numbers in the submitted log, as our own text; shown at the cell that writes the log.
    """
    release = release_to_read(problem)
    released = {cell.id: cell for cell in release.cells}
    cells, room = [], Room()
    for built in rebuilt.cells:
        if built.cell is None:
            make: Callable[..., NotebookNode] = new_code_cell if built.cell_type == "code" else new_markdown_cell
            cell = make(built.source, id=built.id, metadata={"tags": ["student"]})
        else:
            cell = copy(released[built.id])
            cell.source = built.source
        pictures = rebuilt.pictures[built.cell.grade_id].pictures if built.cell is not None and built.drawn else ()
        if cell.cell_type == "markdown" and built.role in ("answer", "free"):
            cell.source = plain_markdown(cell.source)
            _attach(cell, pictures)
        if cell.cell_type == "code":
            cell.outputs = _outputs(built.id, runs)
            cell.outputs += [new_output("display_data", {picture.mime: picture.data}) for picture in pictures]
            cell.outputs += room.kept(_own_outputs(built, runs))
        if logged and built.cell is not None and LOG_TAG in built.cell.tags:
            cell.outputs = [new_output("stream", name="stdout", text=logged)]
        if built.role == "test" and built.cell is not None:
            result = results[built.cell.grade_id.removeprefix("test_")]
            cell.outputs = verdict_outputs(result, result.max_score)
        cells.append(cell)
    notebook = copy(release)
    notebook.cells = cells
    return notebook


def _attach(cell: NotebookNode, pictures: Sequence[Picture]) -> None:
    """Attaches each picture once where the student's plain markdown shows it, with our own name and alt text."""
    left = {picture.drawn.name: picture for picture in pictures}
    attached = {}

    def show(found: re.Match[str]) -> str:
        picture = left.pop(unquote(found[1]), None)
        if picture is None:
            return found.group()
        name = f"picture-{picture.drawn.digest}.{picture.mime.removeprefix('image/')}"
        attached[name] = {picture.mime: picture.data}
        return f"![attached picture](attachment:{name})"

    cell.source = _ATTACHED.sub(show, cell.source)
    if attached:
        cell.attachments = attached


def _own_outputs(built: Built, runs: Mapping[str, CellRun]) -> Sequence[Output]:
    """What the student's own run printed and drew, without what is shown anyway."""
    run = runs.get(built.id)
    outputs = [output for output in built.outputs if not built.drawn or isinstance(output, str)]
    return () if run is not None and outputs == [run.stdout] else outputs


def _outputs(cell_id: str, runs: Mapping[str, CellRun]) -> list[NotebookNode]:
    run = runs.get(cell_id)
    if run is None:
        return []
    outputs = [
        new_output("stream", name=name, text=text)
        for name, text in (("stdout", run.stdout), ("stderr", run.stderr))
        if text
    ]
    if run.raised is not None:
        kind, detail = run.raised.kind, run.raised.detail
        outputs.append(new_output("error", ename=kind, evalue=detail, traceback=[f"{kind}: {detail}"]))
    return outputs
