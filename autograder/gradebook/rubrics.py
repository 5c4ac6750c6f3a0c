"""Adds each item's title, rubric and model answer to the form grader's page.

Nothing else changes: nbgrader's files on disk and the students' pages are made without this step.
"""

from __future__ import annotations

import contextlib
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from autograder.core.errors import AutograderError
from autograder.course.config import root_folder
from autograder.course.problem import Item, Problem, load_problem
from autograder.grading.executed_notebook import LOG_TAG
from autograder.release.fill import solution_answers


class ShowRubrics(Preprocessor):
    """Adds the titles of the items, and below each answer that is graded by hand its rubric and model answer."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Adds the cells to a page of the form grader; any other notebook stays unchanged."""
        if "submission_id" in resources:  # only the form grader passes it to an exporter
            with contextlib.suppress(AutograderError):  # a missing or broken source must not hide the answers
                problem = load_problem(resources["assignment_id"], root_folder())
                nb.cells = with_rubrics(problem, nb.cells)
                resources["item_titles"] = titles(problem)  # for templates/form_grader
        return nb, resources


def titles(problem: Problem) -> dict[str, str]:
    """Grade id of an answer or a test → the title of its item, and the id if the title does not contain it."""
    found: dict[str, str] = {}
    for item in problem.items:
        heading = problem.heading(item.id)
        title = heading if item.id in heading else f"{heading} ({item.id})"
        found |= dict.fromkeys(filter(None, (item.cell.grade_id, item.test.grade_id if item.test else "")), title)
    return found


def with_rubrics(problem: Problem, cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells of an executed notebook, with a rubric cell below each answer that is graded by hand."""
    manual = {item.id: item for item in problem.items if item.kind != "code"}
    answers = solution_answers(problem)
    logged = _logged(cells)
    shown = []
    for cell in cells:
        shown.append(cell)
        item = manual.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if item is not None:
            shown.append(new_markdown_cell(rubric_text(item, answers[item.id], logged), id=f"rubric-{item.id}"[:64]))
    return shown


def _logged(cells: list[NotebookNode]) -> str:
    """The numbers of the student's log, from the cell where grading put them (`executed_notebook`)."""
    logs = [cell for cell in cells if cell.cell_type == "code" and LOG_TAG in cell.metadata.get("tags", [])]
    return next((str(cell.outputs[0].get("text", "")) for cell in logs if cell.outputs), "")


def rubric_text(item: Item, answer: str, logged: str = "") -> str:
    """Formats an item's rubric, its model answer and the numbers in the student's log as markdown."""
    is_code = item.cell.cell_type == "code"
    lines = [line.removeprefix("# ") if is_code else line for line in item.rubric.splitlines()]
    rubric = "\n".join(f"> {line}".rstrip() for line in lines)
    model = f"```python\n{answer}\n```" if is_code else answer
    title = f"> **For graders: `{item.id}`, {item.points:g} points.** Students do not see this."
    parts = [f"{title}\n>\n{rubric}", _folded("Model answer", model)]
    if logged:
        parts.append(_folded("The numbers in this student's log", f"```text\n{logged}\n```"))
    return "\n\n".join(parts)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title} (click)</summary>\n\n{text}\n\n</details>"
