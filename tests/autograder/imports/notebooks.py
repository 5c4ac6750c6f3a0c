"""Small nbgrader notebooks for the tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.core.errors import AutograderError, SourceError
from autograder.core.notebook_io import notebook_text
from autograder.core.results import GradedLog
from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.imports.assignment import Format, import_assignment
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission

SQUARES = '''def squares(n):
    """The squares up to n."""
    ### BEGIN SOLUTION
    return [i**2 for i in range(1, n + 1)]
    ### END SOLUTION'''


def given(source: str) -> NotebookNode:
    """A code cell without nbgrader metadata."""
    cell: NotebookNode = new_code_cell(source)
    return cell


def text(source: str, grade_id: str = "", points: float | None = None, *, task: bool = False) -> NotebookNode:
    """A text cell; with points a written answer, or a task."""
    cell: NotebookNode = new_markdown_cell(source)
    if points is not None:
        cell.metadata["nbgrader"] = _data(grade_id, points, grade=not task, solution=not task, task=task)
    return cell


def solution(source: str = SQUARES, grade_id: str = "squares") -> NotebookNode:
    """A solution cell that tests grade."""
    return _with(source, grade=False, solution=True, grade_id=grade_id)


def manual(source: str, grade_id: str, points: float) -> NotebookNode:
    """A code cell that is graded by hand."""
    return _with(source, grade=True, solution=True, grade_id=grade_id, points=points)


def graded_by(source: str, grade_id: str = "test", points: float = 1) -> NotebookNode:
    """A test cell."""
    return _with(source, grade=True, solution=False, grade_id=grade_id, points=points)


def written_to(path: Path, *cells: NotebookNode, metadata: dict[str, Any] | None = None) -> Path:
    """Writes the cells as a notebook; returns its path."""
    path.write_text(notebook_text(new_notebook(cells=list(cells), metadata=metadata or {})), encoding="utf-8")
    return path


def _with(source: str, grade_id: str, points: float | None = None, **kind: bool) -> NotebookNode:
    cell: NotebookNode = new_code_cell(source)
    cell.metadata["nbgrader"] = _data(grade_id, points, **kind)
    return cell


def _data(grade_id: str, points: float | None, **kind: bool) -> dict[str, Any]:
    worth = {} if points is None else {"points": points}
    return {"grade_id": grade_id, "locked": False, "schema_version": 3, **kind, **worth}


def refused(
    course: Path,
    path: Path,
    says: str,
    format_: Format = "nbgrader",
    error: type[AutograderError] = SourceError,
    **options: str,
) -> None:
    """Checks that the import is refused with these words, and that the course stays as it was."""
    before = {file: file.read_bytes() for file in course.rglob("*") if file.is_file()}
    with pytest.raises(error, match=re.escape(says)):
        import_assignment(path, format_, to=course / "solutions", **options)
    assert {file: file.read_bytes() for file in course.rglob("*") if file.is_file()} == before


def graded_import(problem_id: str, root: Path, **answers: str) -> GradedLog:
    """The result of an imported problem's solution, with some answers replaced."""
    problem = load_problem(problem_id, root)
    notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
    submission = Submission("ada", f"{problem_id}.ipynb", notebook_text(notebook).encode())
    return grade_submission(problem_id, submission, root=root).log
