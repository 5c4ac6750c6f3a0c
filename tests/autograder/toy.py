"""The toy problem of the fixture course, copies of the course, and submissions to the problem."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from nbformat import NotebookNode

from autograder.core.notebook_io import notebook_text
from autograder.core.results import Grading
from autograder.course.problem import Problem, load_problem
from autograder.grading.grade import grade_submission
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission

ROOT = Path(__file__).parent / "fixture_course"

STANDARDIZE = "def standardize(x, eps=EPS):\n"
RIGHT_STANDARDIZE = STANDARDIZE + "    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"
LINE = """class Line(nn.Module):
    def __init__(self, slope=1.0, intercept=0.0):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.intercept = nn.Parameter(torch.tensor(intercept))

    def forward(self, x):
        """


def toy() -> Problem:
    """The toy problem."""
    return load_problem("toy", ROOT)


def released() -> NotebookNode:
    """Its notebook as students get it."""
    return released_notebook(toy())


def solved(**answers: str) -> NotebookNode:
    """Its notebook with the solution filled in, some answers replaced."""
    return fill_in(released(), {**solution_answers(toy()), **answers})


def text(notebook: NotebookNode) -> bytes:
    """A notebook as the bytes of a file."""
    return notebook_text(notebook).encode()


def course_copy(root: Path, edits: Mapping[str, str] | None = None) -> Path:
    """Copies the fixture course to a new folder, edits the toy source there, and returns the folder."""
    shutil.copytree(ROOT, root)
    edit_source(root, edits or {})
    return root


def edit_source(root: Path, edits: Mapping[str, str]) -> None:
    """Replaces texts in the source of a course's toy problem."""
    path = root / "solutions" / "toy.py"
    source = path.read_text(encoding="utf-8")
    for old, new in edits.items():
        assert old in source
        source = source.replace(old, new)
    path.write_text(source, encoding="utf-8")


def submit(submitted: Path, student: str, data: Any = b"{", log: bytes | None = None, problem: str = "toy") -> Path:
    """Submits bytes or a notebook, and a log, in a folder of submissions; returns the notebook's path."""
    path = submitted / student / problem / f"{problem}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(data if isinstance(data, bytes) else text(data))
    if log is not None:
        path.with_name("submission_log.json").write_bytes(log)
    return path


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every write of a file fail, as on a full disk."""

    def full(*_: Any) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)


def graded(notebook: NotebookNode | bytes, **options: Any) -> Grading:
    """Grades a notebook of the student ada."""
    data = notebook if isinstance(notebook, bytes) else text(notebook)
    return grade_submission("toy", Submission(**{"student": "ada", "notebook": data, **options}), root=ROOT)


def grade_id(cell: NotebookNode) -> str:
    """nbgrader's id of a cell; empty if it has none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def scores(grading: Grading) -> Mapping[str, float]:
    """Points by code item."""
    return {item.id: item.score for item in grading.log.items if not item.manual}


FULL = {"standardize": 12.0, "Line": 8.0}
